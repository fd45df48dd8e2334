"""A launcher is killed at each point of a promote's way through it, and started again.

Every case ends with the same history: a crash leaves no trace in it. The table says what is left at
the crash, and what the launcher that is started again has to do about it.
"""

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tests.held_launcher import Point
from tests.real_system import RealSystem
from transport.messages import ActionDone, SagaCompleted, SagaStarted

RESPAWN = 3
"""The watched saga's id: the pool was filled by two before it."""

TRIGGER = "the promote's three reports"
OUTCOME = "the new window's report"
COMMAND = "the command"

PROMOTE = ["PoolWindowRemoved", "PoolWindowPromoted", "WindowOpened", "SagaStarted"]
OUTCOMES = ["PoolWindowAdded", "SagaCompleted"]
FILLING = ["HostRegistered", "SagaStarted", "SagaStarted", *OUTCOMES, *OUTCOMES]


class Meeting(Enum):
    """Whether a host that is sent a command had it before."""

    NEW = "the host executes it"
    DONE_ALREADY = "the host answers with the report that it made the first time"


@dataclass(frozen=True)
class Case:
    """What is true at a crash, and what the launcher that is started again has to do.

    Attributes:
        logged: what the file has of the saga: nothing, `open` or `closed`.
        published: the last event that left; all before it did too.
        passed_before: what had passed on the host's link.
        passed_again: what passes on it once the launcher is started again, in this order.
        meets: what the command that passes again meets at the host.
    """

    point: Point
    logged: str | None
    published: str
    passed_before: tuple[str, ...]
    passed_again: tuple[str, ...]
    meets: Meeting | None


BEFORE_SEND = (TRIGGER,)
AFTER_SEND = (TRIGGER, COMMAND)
AFTER_REPORT = (TRIGGER, COMMAND, OUTCOME)

CASES = (
    Case(
        Point.BEFORE_START_COMMIT,
        logged=None,
        published="filling",
        passed_before=BEFORE_SEND,
        passed_again=(TRIGGER, COMMAND, OUTCOME),
        meets=Meeting.NEW,
    ),
    Case(
        Point.WITHIN_START_COMMIT,
        logged=None,
        published="filling",
        passed_before=BEFORE_SEND,
        passed_again=(TRIGGER, COMMAND, OUTCOME),
        meets=Meeting.NEW,
    ),
    Case(
        Point.START_COMMITTED,
        logged="open",
        published="filling",
        passed_before=BEFORE_SEND,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.NEW,
    ),
    Case(
        Point.START_PUBLISHED,
        logged="open",
        published="start",
        passed_before=BEFORE_SEND,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.NEW,
    ),
    Case(
        Point.COMMAND_SENT,
        logged="open",
        published="start",
        passed_before=AFTER_SEND,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.DONE_ALREADY,
    ),
    Case(
        Point.REPORT_CAME,
        logged="open",
        published="start",
        passed_before=AFTER_REPORT,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.DONE_ALREADY,
    ),
    Case(
        Point.BEFORE_END_COMMIT,
        logged="open",
        published="start",
        passed_before=AFTER_REPORT,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.DONE_ALREADY,
    ),
    Case(
        Point.WITHIN_END_COMMIT,
        logged="open",
        published="start",
        passed_before=AFTER_REPORT,
        passed_again=(COMMAND, OUTCOME),
        meets=Meeting.DONE_ALREADY,
    ),
    Case(
        Point.END_COMMITTED,
        logged="closed",
        published="start",
        passed_before=AFTER_REPORT,
        passed_again=(),
        meets=None,
    ),
    Case(
        Point.END_PUBLISHED,
        logged="closed",
        published="end",
        passed_before=AFTER_REPORT,
        passed_again=(),
        meets=None,
    ),
)

VERSIONS = {
    "filling": len(FILLING),
    "start": len(FILLING + PROMOTE),
    "end": len(FILLING + PROMOTE + OUTCOMES),
}
"""The last version of each part of the history."""


class System(RealSystem):
    """A host that keeps a history, and a launcher that keeps a trace and a log."""

    def start_host(self) -> None:
        history = str(self.directory / "host.jsonl")
        self.start("host", "host", "--spawn-time", "0", "--history", history)

    def start_launcher(self, trace: str, point: Point | None = None) -> "subprocess.Popen[str]":
        files = ("--log", str(self.log), "--trace", str(self.directory / trace))
        at = () if point is None else ("--point", point.value)
        return self.start("launcher", *files, *at, module="tests.held_launcher")

    @property
    def log(self) -> Path:
        return self.directory / "log.sqlite"

    def lines(self, file: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / file).read_text().splitlines()]

    def passed(self, trace: str) -> list[str]:
        """Give what passed on the link from the promote on.

        A host may register again at any time, because it missed something on the stream; what
        passes once more for that alone does not count.
        """
        found: list[str] = []
        is_after_registration = False
        for line in self.lines(trace):
            item = self._item(line)
            is_after_registration |= line["what"] == "register"
            if item == TRIGGER and TRIGGER not in found:
                found = [TRIGGER]  # what filled the pool was before
            elif item is not None and not (item in found and is_after_registration):
                found.append(item)
                is_after_registration = False
        return found

    @staticmethod
    def _item(line: dict[str, Any]) -> str | None:
        match line:
            case {"what": "commands", "identities": identities} if [RESPAWN, 0] in identities:
                return COMMAND
            case {"what": "reports", "types": types}:
                return TRIGGER if "ReportPoolWindowPromoted" in types else OUTCOME
            case _:
                return None

    def did(self, what: str) -> list[dict[str, Any]]:
        """Give what the host did for the watched saga's command."""
        mine = [line for line in self.lines("host.jsonl") if line["did"] == what]
        return [line for line in mine if (line["identity"] or [""])[1:] == [RESPAWN, 0]]

    def ended(self, saga_id: int) -> bool:
        return any(isinstance(e, SagaCompleted) and e.saga_id == saga_id for e in self.events)


def held_at(system: System, case: Case) -> "subprocess.Popen[str]":
    """Promote, and wait until the launcher is held at its point and everything else rests."""
    system.start_host()
    launcher = system.start_launcher("first.jsonl", case.point)
    system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
    assert isinstance(system.promote("host-1"), ActionDone)
    assert launcher.stdout is not None
    assert launcher.stdout.readline() == f"held {case.point}\n"
    if COMMAND in case.passed_before:
        system.wait_until(lambda: bool(system.did("ready")), "window in the host's history")
    if case.published != "filling":
        last = VERSIONS[case.published]
        system.wait_for(lambda: system.events[-1].version == last, f"version {last}")
    return launcher


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()


def is_being_written(log: Path) -> bool:
    """Say whether somebody is within a transaction that writes."""
    with closing(sqlite3.connect(log, isolation_level=None, timeout=0)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        db.execute("ROLLBACK")
        return False


def logged(log: Path) -> tuple[str | None, int, int]:
    """Give what the file has: the saga's state, the last version, the next saga's id."""
    with closing(sqlite3.connect(f"file:{log}?mode=ro", uri=True)) as db:
        [(version, next_saga_id)] = db.execute("SELECT version, next_saga_id FROM log").fetchall()
        sql = "SELECT closed_at FROM saga JOIN step USING (saga_id) WHERE saga_id = ? AND step = 0"
        states = ["closed" if closed_at else "open" for (closed_at,) in db.execute(sql, (RESPAWN,))]
        return (states[0] if states else None), version, next_saga_id


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.point.name.lower())
def test_a_launcher_that_is_killed_at_a_point_goes_on_as_if_it_had_not_been(case: Case) -> None:
    with System() as system:
        launcher = held_at(system, case)
        assert is_being_written(system.log) == (case.point.name.startswith("WITHIN"))
        kill(launcher)

        # Nothing but what is due by this point has happened.
        committed = {None: "filling", "open": "start", "closed": "end"}[case.logged]
        next_id = RESPAWN + (case.logged is not None)
        assert logged(system.log) == (case.logged, VERSIONS[committed], next_id)
        published = [e["version"] for e in system.lines("first.jsonl") if e["what"] == "published"]
        assert published == list(range(1, VERSIONS[case.published] + 1))
        assert system.passed("first.jsonl") == list(case.passed_before)
        arrived = len(system.did("command"))
        assert (arrived > 0) == (COMMAND in case.passed_before)

        # The launcher that is started again does what is left to do, and nothing twice.
        system.start_launcher("second.jsonl")
        system.wait_for(lambda: system.ended(RESPAWN), "end of the saga")
        assert system.passed("second.jsonl") == list(case.passed_again)
        again = [each["repeated"] for each in system.did("command")[arrived:]]
        assert again[:1] == ([] if case.meets is None else [case.meets is Meeting.DONE_ALREADY])
        [window] = system.did("ready")
        [completed] = [
            e for e in system.events if isinstance(e, SagaCompleted) and e.saga_id == RESPAWN
        ]
        assert completed.result == window["label"]

        # The next promote gets the next id, and the whole history is the one without a crash.
        assert isinstance(system.promote("host-1"), ActionDone)
        system.wait_for(lambda: system.ended(RESPAWN + 1), "end of the next saga")
        whole = FILLING + PROMOTE + OUTCOMES + PROMOTE + OUTCOMES
        assert sorted(type(event).__name__ for event in system.events) == sorted(whole)
        assert [type(event).__name__ for event in system.events][7:] == whole[7:]
        assert [event.version for event in system.events] == list(range(1, len(whole) + 1))
        started = [e.saga_id for e in system.events if isinstance(e, SagaStarted)]
        assert started == [1, 2, RESPAWN, RESPAWN + 1]
        assert system.pool_is_whole("host-1")
