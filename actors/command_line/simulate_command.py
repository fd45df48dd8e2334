"""`muxsaga simulate`: whole systems under virtual time, from seeds, with faults, judged."""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentTypeError, Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

import actors
from actors.command_line.command_error import FAILED, UsageError
from actors.command_line.option_types import count_from
from actors.command_line.parsers import Subparsers, add_command
from actors.profile_files import ProfileError
from actors.simulation.campaign import SeedResult, judged_seeds, shrunk_schedule
from actors.simulation.profile import Profile, profile_names, read_profile
from actors.simulation.run import planned_faults, run_seed
from transport.history_lines import EventLine, FaultLine, HistoryLine, HostLine, ProcessLine

SHRUNK = 3
"""Of how many seeds with violations the schedule is shortened."""

PROGRESS_SECONDS = 2.0

EXAMPLES = """\
examples:
  muxsaga simulate --seeds 0:2000 --faults cruel
  muxsaga simulate --seeds 0:100 --json | jq .faults
  muxsaga simulate --seeds 81:82 --only-faults 3,17 --trace
  muxsaga simulate --seeds 0:50 --faults my_profile.toml

The same seed gives the same history, byte for byte, on any machine, in any order.
exit status: 0 if every history is sound and every profile's promise kept; 1 if not; 130 after
Ctrl-C. A violation whose invariant is 0 is none of the nine: the run itself went wrong.
"""


def add_simulate(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "run whole systems under virtual time, with faults, and check their histories"
    parser = add_command(subparsers, "simulate", summary, EXAMPLES, execute)
    add = parser.add_argument
    add("--seeds", type=seeds, default=range(20), metavar="A:B", help="half open; default 0:20")
    add(
        "--faults",
        default="cruel",
        metavar="PROFILE",
        help=f"one of {', '.join(profile_names())}, or a TOML file; default: %(default)s",
    )
    add("--steps", type=count_from(1, 100_000), metavar="N", help="promotes of each seed at least")
    add("--hosts", type=count_from(1, 64), metavar="H", help="default: the profile's")
    add("--only-faults", type=numbers, metavar="N,N", help="of the plan only these; '' for none")
    add(
        "--jobs",
        type=count_from(1, 256),
        default=os.cpu_count() or 1,
        metavar="J",
        help="processes at once; default: one for each core",
    )
    add("--json", action="store_true", help="print one JSON map")
    add("--trace", action="store_true", help="narrate the run of the one seed, on stderr")


def seeds(text: str) -> range:
    """Give the seeds that a half-open range names."""
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        msg = f"{text!r} is no A:B with A below B; 0:20 are the seeds from 0 to 19"
        raise ArgumentTypeError(msg)
    return range(int(first), int(last))


def numbers(text: str) -> list[int]:
    """Give the numbers in a list with commas."""
    parts = text.split(",") if text else []
    if not all(part.isdecimal() for part in parts):
        msg = f"{text!r} is no list of numbers with commas, such as 3,17"
        raise ArgumentTypeError(msg)
    return [int(part) for part in parts]


def execute(options: Namespace) -> int:
    """Run the seeds, print what they gave, and give the exit status."""
    profile = _profile_of(options)
    if options.trace and len(options.seeds) != 1:
        msg = f"--trace narrates one seed, and --seeds names {len(options.seeds)}: give A:A+1"
        raise UsageError(msg)
    logging.disable(logging.CRITICAL)
    try:
        return _run(options, profile)
    finally:
        logging.disable(logging.NOTSET)


def _profile_of(options: Namespace) -> Profile:
    try:
        profile = read_profile(options.faults)
    except ProfileError as error:
        raise UsageError(str(error)) from error
    if options.hosts is not None:
        profile = replace(profile, system=replace(profile.system, hosts=options.hosts))
    if options.steps is not None:
        workload = replace(profile.workload, promotes=options.steps)
        promise = replace(profile.promise, promotes=options.steps)
        profile = replace(profile, workload=workload, promise=promise)
    return profile


def _run(options: Namespace, profile: Profile) -> int:
    begin = said = time.monotonic()
    if options.trace:
        _narrate(run_seed(options.seeds[0], profile, options.only_faults).lines)
    results: list[SeedResult] = []
    for result in judged_seeds(options.seeds, profile, options.only_faults, options.jobs):
        results.append(result)
        for violation in result.violations:
            sys.stderr.write(
                f"seed {result.seed}: invariant {violation.invariant}: {violation.message}\n"
            )
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            sys.stderr.write(f"{len(results)} of {len(options.seeds)} seeds\n")
    results.sort(key=lambda each: each.seed)
    document = _document(options.seeds, results, time.monotonic() - begin)
    sys.stdout.write(json.dumps(document) + "\n" if options.json else _summary(document))
    guilty = [result for result in results if result.violations]
    for result in guilty[:SHRUNK]:
        _explain(result, options, profile)
    return FAILED if guilty else 0


def _document(wanted: range, results: list[SeedResult], real_seconds: float) -> dict[str, Any]:
    faults = Counter[str]()
    for result in results:
        faults.update(result.faults)
    return {
        "seeds": len(wanted),
        "violations": [
            {
                "seed": result.seed,
                "invariant": violation.invariant,
                "lines": msgspec.to_builtins(violation.lines),
            }
            for result in results
            for violation in result.violations
        ],
        "faults": dict(sorted(faults.items())),
        "sagas": sum(result.sagas for result in results),
        "virtual_seconds": round(sum(result.virtual_ns for result in results) / 1e9, 3),
        "real_seconds": round(real_seconds, 3),
    }


def _summary(document: dict[str, Any]) -> str:
    faults, real = document["faults"], max(document["real_seconds"], 0.001)
    lines = [
        f"seeds       {document['seeds']}",
        f"violations  {len(document['violations'])}",
        f"sagas       {document['sagas']}, {document['sagas'] / real:.0f} a second",
        f"time        {document['virtual_seconds']:.0f} virtual seconds in {real:.1f} real ones",
        f"speed       {document['virtual_seconds'] / 60 / real:.1f} virtual hours a real minute",
        f"faults      {sum(faults.values())} of {len(faults)} kinds",
        *(f"  {name:32}{number}" for name, number in faults.items()),
    ]
    return "\n".join(lines) + "\n"


def _explain(result: SeedResult, options: Namespace, profile: Profile) -> None:
    """Say on stderr what shows a violation again: the least of it that was found."""
    schedule = shrunk_schedule(result, profile, options.only_faults)
    command = [f"muxsaga simulate --seeds {result.seed}:{result.seed + 1}"]
    command.append(f"--faults {options.faults}")
    command += [f"--steps {options.steps}"] if options.steps is not None else []
    command += [f"--hosts {options.hosts}"] if options.hosts is not None else []
    sys.stderr.write(f"seed {result.seed}, revision {revision()}:\n")
    if schedule is not None:
        sys.stderr.write(f"  {len(schedule)} faults are enough to show it:\n")
        for fault in planned_faults(result.seed, profile):
            if fault.number in schedule:
                sys.stderr.write(
                    f"    {fault.number}: {fault.kind} of {fault.target} at {fault.at / 1e9:.3f} s "
                    f"for {fault.duration / 1e9:.3f} s\n"
                )
        command.append(f"--only-faults '{','.join(map(str, schedule))}'")
    sys.stderr.write(f"  again: {' '.join([*command, '--trace'])}\n")


def revision() -> str:
    """Give the revision of the code that runs: git's, or the package's version without git."""
    root, git = Path(actors.__file__).parent.parent, shutil.which("git")
    if git is not None and (root / ".git").exists():
        command = [git, "-C", str(root), "describe", "--always", "--dirty"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - the arguments are ours
        if found.returncode == 0:
            return found.stdout.strip()
    return "of the installed package"


def _narrate(lines: list[HistoryLine]) -> None:
    for line in lines:
        text = next(_told(line), None)
        if text is not None:
            sys.stderr.write(f"{line.at_ns / 1e9:11.6f}  {text}\n")


def _told(line: HistoryLine) -> Iterator[str]:
    match line:
        case EventLine(observer=observer, event=event):
            rest = {key: value for key, value in event.items() if key not in {"type", "version"}}
            yield f"{observer}: {event['version']} {event['type']} {json.dumps(rest)}"
        case HostLine(host=host, did=did):
            yield f"{host}: {did} {line.type or ''} {line.label or ''} {line.identity or ''}"
        case ProcessLine(name=name, did=did):
            yield f"*** {name} {did}"
        case FaultLine(fault=fault, target=target, did=did):
            yield f"*** {fault} of {target} {did}"
        case _:
            yield str(line)
