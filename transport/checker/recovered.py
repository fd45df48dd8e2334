"""Invariant 1: a saga that a new launcher goes on with is given time to end well.

Whatever its deadline was, it has five seconds from the launcher's start. So much is promised three
times in its life; every fault of the launcher may have used one up. An observer may be told of a
saga long after it started, but it started after every report that an earlier event came of.
"""

from transport.checker.course import LAUNCHER
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import RECOVERED_FOR, RECOVERIES, Rules
from transport.checker.saga_book import SagaBook
from transport.checker.told import Told
from transport.history_lines import FaultLine, HostLine, ProcessLine


class Recovered(Part):
    """How often launchers began anew; it looks after `SagaBook` does."""

    def __init__(self, findings: Findings, rules: Rules, book: SagaBook) -> None:
        self._findings = findings
        self._out_of_time = rules.out_of_time
        self._book = book
        self._anew: list[int] = []
        self._started: tuple[int, int] = (0, 0)
        self._reported: dict[tuple[str, str, int], int] = {}
        self._after = 0
        self._open: dict[int, int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case ProcessLine(name=name, did="started") if name == LAUNCHER:
                self._started = line.at_ns, number
                self._anew.append(line.at_ns)
            case FaultLine(target=target) if target == LAUNCHER:
                self._anew.append(line.at_ns)
            case HostLine(did="report", sequence=int(sequence)):
                self._reported[line.host, line.epoch, sequence] = line.at_ns
            case Told(first=True):
                self._told(number, line)
            case _:
                pass

    def _told(self, number: int, told: Told) -> None:
        reported = self._reported.pop((told.host, told.epoch, told.sequence), 0)
        self._after = max(self._after, reported)
        if told.saga_id is None:
            return
        if told.type == "SagaStarted":
            self._open[told.saga_id] = self._after
        elif told.type == "SagaCompleted":
            self._open.pop(told.saga_id, None)
        elif told.type == "SagaFailed":
            after = self._open.pop(told.saga_id, None)
            if after is not None and told.fields.get("reason") in self._out_of_time:
                self._judge(number, told, told.saga_id, after)

    def _judge(self, number: int, told: Told, saga_id: int, after: int) -> None:
        story = self._book.stories[saga_id]
        at_ns, started = self._started
        if story.started_at >= at_ns or told.at_ns - at_ns >= RECOVERED_FOR:
            return
        if sum(each > after for each in self._anew[-RECOVERIES - 1 :]) <= RECOVERIES:
            message = (
                f"saga {saga_id} ({story.name}) failed with {story.text!r} less than 5 s after the "
                "launcher that went on with it was started"
            )
            self._findings.violated(Invariant.BRACKETS, message, story.started, started, number)
