"""Kills launcher and hosts with SIGKILL at random instants, and judges the whole history.

    python -m tests.random_kills --kills 200 --seed 1

A launcher with its log in a file, two hosts, users who promote and close windows all the time, and
an observer who lives through everything: all but the users and the observer are processes. What is
killed is started again, sometimes only to be killed while it starts. At the end every saga must
have ended once, no window may have been made twice, and everything must agree: what the observer
was told, what the log has, what the hosts recorded of themselves (`tests.random_kills_checks`).

The seed decides who is killed after which event, not how the machine runs: a run cannot be had
again exactly. One that fails keeps its files and says where they are. Exit status: 0, or 1 if
anything is wrong.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.random_kills_checks import failures, violations
from tests.random_kills_evidence import (
    Evidence,
    SagaRow,
    committed_version,
    copy_of,
    epoch_in,
    host_lines,
    open_sagas,
    read_log,
)
from tests.random_kills_plan import HOSTS, LAUNCHER, Kill, Sort, kills_of
from tests.random_kills_system import KilledSystem, SystemFaultError
from tests.random_kills_users import Mood

SORTS: dict[str, tuple[Sort, ...]] = {
    "launcher": ("launcher",),
    "hosts": ("host",),
    "both": ("launcher", "host"),
}
"""What `--of` may be, and what it kills."""

MOMENT_SECONDS = 5.0
"""A kill whose event does not come by then happens all the same."""

SETTLE_SECONDS = 60.0
"""How long everything may take to become whole after the last kill."""

Say = Callable[[str], None]


@dataclass
class Tally:
    """What was done.

    Attributes:
        kills: by sort.
        open_at: of those, how many hit while a saga was open: for a launcher any, for a host one
            of its own epoch.
        unmet: kills whose event did not come in time.
    """

    kills: dict[Sort, int] = field(default_factory=dict)
    open_at: dict[Sort, int] = field(default_factory=dict)
    unmet: int = 0

    def note(self, sort: Sort, was_open: Sequence[SagaRow]) -> None:
        """Note one kill, and what was open in it."""
        self.kills[sort] = self.kills.get(sort, 0) + 1
        self.open_at[sort] = self.open_at.get(sort, 0) + bool(was_open)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes:
        problems: everything that is wrong.
        figures: what was done and seen, as plain values.
    """

    evidence: Evidence
    problems: list[str]
    figures: dict[str, Any]


def run(directory: Path, *, seed: int, kills: int, sorts: Sequence[Sort], say: Say) -> Outcome:
    """Carry one run out in an empty directory.

    Raises:
        SystemFaultError: a process ended by itself, or never became ready.
    """
    began = time.monotonic()
    plan = kills_of(seed, dict.fromkeys(sorts, kills))
    tally = Tally()
    with KilledSystem(directory, seed) as system:
        everybody = (*HOSTS, LAUNCHER)
        system.start(everybody)
        system.wait_until_ready(everybody)
        system.pump(lambda: _pools_are_whole(system), SETTLE_SECONDS)
        for user in system.users:
            user.mood = Mood.WORKING
        for number, kill in enumerate(plan, 1):
            _carry_out(system, kill, tally)
            say(f"{number} of {len(plan)}: {len(system.events)} events, {tally.kills}")
        is_quiet = _settle(system)
        evidence = _collect(system)
        for name in (LAUNCHER, *HOSTS):
            system.processes[name].stop()
    problems = violations(evidence)
    problems += [] if is_quiet else [f"not everything was done in {SETTLE_SECONDS:g} s"]
    for sort, number in tally.kills.items():
        if 2 * tally.open_at[sort] < number:
            problems.append(f"only {tally.open_at[sort]} of {number} {sort} kills hit a saga")
    figures = {"seed": seed, "seconds": round(time.monotonic() - began, 1)}
    return Outcome(evidence, problems, {**figures, **_figures(evidence, tally)})


def _carry_out(system: KilledSystem, kill: Kill, tally: Tally) -> None:
    due = system.seen[kill.event] + kill.count
    came = system.pump(lambda: system.seen[kill.event] >= due, MOMENT_SECONDS)
    tally.unmet += not came
    _let_pass(system, kill.delay)
    _strike(system, kill.victims, tally)
    for share in kill.early:
        first = system.processes[kill.victims[0]]
        system.start([first.name])
        system.pump(lambda: first.ready, share * first.usual_start)  # noqa: B023 - used at once
        _strike(system, [first.name], tally)
    _let_pass(system, kill.pause)
    system.start(kill.victims)
    system.wait_until_ready(kill.victims)
    system.pump(lambda: all(_is_known(system, name) for name in kill.victims), MOMENT_SECONDS)


def _is_known(system: KilledSystem, name: str) -> bool:
    """Say whether a host's present life is registered; of the launcher nothing is asked."""
    if name == LAUNCHER:
        return True
    host = system.mirror.hosts.get(name)
    return host is not None and host.epoch == epoch_in(system.history_of(name))


def _let_pass(system: KilledSystem, seconds: float) -> None:
    system.pump(lambda: False, seconds)


def _strike(system: KilledSystem, victims: Sequence[str], tally: Tally) -> None:
    """Kill processes, and find out what was open at that instant.

    A dead launcher's log says so exactly. Of a host's sagas, those that were open both before and
    after surely were: a launcher that lives may close some meanwhile, and open others.
    """
    hosts = [name for name in victims if name != LAUNCHER]
    before = set(_open_sagas(system)) if hosts else set[SagaRow]()
    for name in victims:
        system.processes[name].kill()
    after = _open_sagas(system)
    if LAUNCHER in victims:
        tally.note("launcher", after)
    for name in hosts:
        own = (name, epoch_in(system.history_of(name)))
        tally.note("host", [row for row in before & set(after) if (row.host, row.epoch) == own])


def _open_sagas(system: KilledSystem) -> list[SagaRow]:
    """Give what is open in the log; what a dead launcher left is not touched."""
    if system.processes[LAUNCHER].running is not None:
        return open_sagas(system.log)
    with copy_of(system.log) as copy:
        return open_sagas(copy)


def _settle(system: KilledSystem) -> bool:
    """Let the users leave, and everything become whole; say whether it did in time."""
    for user in system.users:
        user.mood = Mood.LEAVING
    return system.pump(lambda: _is_quiet(system), SETTLE_SECONDS)


def _pools_are_whole(system: KilledSystem) -> bool:
    hosts = [system.mirror.hosts.get(name) for name in HOSTS]
    return all(host is not None and len(host.pool) >= host.target > 0 for host in hosts)


def _is_quiet(system: KilledSystem) -> bool:
    """Say whether nobody has anything to do; asks the hosts for it, and so needs some calls."""
    for inspector in system.inspectors.values():
        inspector.ask()
    if system.open_sagas or not _pools_are_whole(system):
        return False
    if any(user.mood is not Mood.RESTING for user in system.users):
        return False
    for name, inspector in system.inspectors.items():
        state, host = inspector.state, system.mirror.hosts[name]
        if state is None or any(state[each] for each in ("held", "creating", "opening")):
            return False
        if (state["pool"], state["open"]) != (list(host.pool), list(host.opened)):
            return False
    return system.next_version == committed_version(system.log) + 1


def _collect(system: KilledSystem) -> Evidence:
    log = read_log(system.log)
    states = {name: each.state for name, each in system.inspectors.items()}
    silent = [name for name, state in states.items() if state is None]
    if silent:
        msg = f"{' and '.join(silent)} did not say what there is"
        raise SystemFaultError(msg)
    return Evidence(
        events=tuple(system.events),
        holes=tuple(system.holes),
        log=log,
        hosts=tuple(line for path in system.histories() for line in host_lines(path)),
        states={name: state for name, state in states.items() if state is not None},
    )


def _figures(evidence: Evidence, tally: Tally) -> dict[str, Any]:
    sagas = evidence.log.sagas
    did = [line["did"] for line in evidence.hosts]
    return {
        "kills": tally.kills,
        "with_a_saga_open": tally.open_at,
        "event_did_not_come": tally.unmet,
        "events": len(evidence.events),
        "sagas": len(sagas),
        "completed": sum(row.state == "completed" for row in sagas),
        "failed": failures(sagas),
        "promotes": did.count("promoted"),
        "commands_again": sum(
            line["did"] == "command" and line["repeated"] for line in evidence.hosts
        ),
        "registrations": did.count("registered"),
    }


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.random_kills",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=200, help="of each sort (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--of", choices=SORTS, default="both", help="default: both")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="muxsaga-kills-"))

    def say(line: str) -> None:
        sys.stderr.write(f"seed {options.seed}: {line}\n")

    say(f"files are in {directory}")
    figures: dict[str, Any] = {}
    try:
        outcome = run(
            directory, seed=options.seed, kills=options.kills, sorts=SORTS[options.of], say=say
        )
    except SystemFaultError as error:
        problems = [str(error)]
    else:
        problems, figures = outcome.problems, outcome.figures
    report = {"seed": options.seed, **figures, "problems": problems}
    if problems:
        report["files"] = str(directory)
    else:
        shutil.rmtree(directory)
    if options.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in report.items())
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
