"""`muxsaga chaos`: a system of real processes under process and link faults, then judged."""

import json
import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from actors.chaos import ChaosOutcome, run_chaos
from actors.chaos.plan import PlannedFault
from actors.chaos.profile import ChaosProfile, profile_names, read_profile
from actors.chaos.run import planned_faults
from actors.command_line.check_command import violation_document, violation_lines
from actors.command_line.command_error import FAILED, INTERRUPTED, CommandError, UsageError
from actors.command_line.host_command import check_history
from actors.command_line.option_types import count_from, seconds
from actors.command_line.parsers import Subparsers, add_command, add_extension
from actors.process_system import ProcessSystemError, SystemInterruptedError
from actors.profile_files import ProfileError
from actors.sqlite_read_only import LogUnreadableError
from transport.process_signals import StopSignals

EXAMPLES = """\
examples:
  muxsaga chaos
  muxsaga chaos --duration 60 --seed 7 --profile cruel --history chaos.jsonl
  muxsaga chaos --profile my_profile.toml --extension my_package.my_saga
  muxsaga chaos --seed 7 --plan
  muxsaga chaos --json | jq .faults

The same seed, profile and duration give the same plan of faults. What comes of it is not the same
twice: these are real processes, sockets and clocks. For runs that can be repeated exactly there is
'muxsaga simulate'.

exit status: 0 if the history is sound, everything was whole within a minute of the last fault and
the profile's promise was kept; 1 if not; 130 after Ctrl-C
"""


def add_chaos(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "run real processes while they are killed and their links misbehave, and check them"
    parser = add_command(subparsers, "chaos", summary, EXAMPLES, execute)
    add = parser.add_argument
    add("--duration", type=seconds, default=60.0, metavar="SECONDS", help="default: %(default)g")
    add("--seed", type=count_from(0, 2**63 - 1), default=1, metavar="S", help="default: 1")
    add(
        "--profile",
        default="cruel",
        metavar="PROFILE",
        help=f"one of {', '.join(profile_names())}, or a TOML file; default: %(default)s",
    )
    add("--history", type=Path, metavar="FILE", help="keep the history there, as JSON lines")
    add("--plan", action="store_true", help="print what would be done, and do nothing")
    add("--json", action="store_true", help="print one JSON map")
    add_extension(parser)


def execute(options: Namespace) -> int:
    """Run, print what came of it, and give the exit status."""
    profile = _profile_of(options)
    if options.plan:
        plan = planned_faults(options.seed, profile, options.duration, options.extension)
        sys.stdout.writelines(f"{_planned(fault)}\n" for fault in plan)
        return 0
    check_history(options.history)
    directory = Path(tempfile.mkdtemp(prefix="muxsaga-chaos-"))
    keep = False
    try:
        outcome = _run(options, profile, directory)
        keep = not outcome.is_sound
        if options.history is not None:
            shutil.copyfile(outcome.history, options.history)
        _print(options, outcome, options.history or (outcome.history if keep else None))
        if keep:
            _say(f"the log, the history and what the processes wrote are in {directory}")
    finally:
        if not keep:
            shutil.rmtree(directory)
    return 0 if outcome.is_sound else FAILED


def _profile_of(options: Namespace) -> ChaosProfile:
    try:
        return read_profile(options.profile)
    except ProfileError as error:
        raise UsageError(str(error)) from error


def _run(options: Namespace, profile: ChaosProfile, directory: Path) -> ChaosOutcome:
    try:
        with StopSignals() as signals:
            return run_chaos(
                directory,
                seed=options.seed,
                profile=profile,
                seconds=options.duration,
                say=_say,
                extensions=options.extension,
                signals=signals,
            )
    except SystemInterruptedError as error:
        raise CommandError(str(error), INTERRUPTED) from error
    except (ProcessSystemError, LogUnreadableError) as error:
        raise CommandError(str(error)) from error


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _planned(fault: PlannedFault) -> str:
    target = fault.target if isinstance(fault.target, str) else " ".join(fault.target)
    way = "" if fault.direction is None else f" {fault.direction.name.lower()}"
    lasts = f" for {fault.lasts:.1f} s" if fault.lasts else ""
    return f"{fault.at:7.2f} s  {fault.kind:14}{target}{way}{lasts}"


def _print(options: Namespace, outcome: ChaosOutcome, history: Path | None) -> None:
    if options.json:
        sys.stdout.write(json.dumps(_document(options, outcome, history)) + "\n")
        return
    sys.stdout.writelines(f"{line}\n" for line in _summary(options, outcome))
    name = "history" if history is None else str(history)
    for violation in outcome.violations:
        sys.stdout.writelines(f"{line}\n" for line in violation_lines(name, violation))
    sys.stdout.writelines(f"not sound: {complaint}\n" for complaint in outcome.complaints)
    if history is not None:
        sys.stdout.write(f"history: {history}\n")


def _summary(options: Namespace, outcome: ChaosOutcome) -> list[str]:
    return [
        f"profile         {options.profile}, seed {options.seed}",
        f"seconds         {outcome.seconds:.1f}",
        f"violations      {len(outcome.violations) + len(outcome.complaints)}",
        f"promotes        {outcome.promotes}",
        f"sagas           {outcome.sagas}",
        f"process faults  {outcome.process_faults}",
        f"link faults     {outcome.link_faults}",
        *(f"  {kind:14}{number}" for kind, number in outcome.faults.items()),
    ]


def _document(options: Namespace, outcome: ChaosOutcome, history: Path | None) -> dict[str, Any]:
    return {
        "seed": options.seed,
        "profile": options.profile,
        "seconds": round(outcome.seconds, 3),
        "violations": [
            *map(violation_document, outcome.violations),
            *(
                {"invariant": 0, "name": "the run", "message": each, "lines": []}
                for each in outcome.complaints
            ),
        ],
        "faults": outcome.faults,
        "process_faults": outcome.process_faults,
        "link_faults": outcome.link_faults,
        "sagas": outcome.sagas,
        "promotes": outcome.promotes,
        "history": None if history is None else str(history),
    }
