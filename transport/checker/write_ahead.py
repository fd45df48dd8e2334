"""Invariant 5: nothing leaves before it is durable.

While an outage of the log lasts, nobody may be told or sent anything new. What left before may
still be under way: for five seconds, and as long as its receiver has a fault. An event whose report
a host made a second or more after the outage began cannot have left before. Answers made from what
is committed, such as replays, tell nothing new but to one who missed it.
"""

from transport.checker.brackets import Brackets
from transport.checker.completion import Completion
from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import DELIVERED_WITHIN, OUTAGE_KNOWN_WITHIN
from transport.checker.told import Ledger, Told
from transport.history_lines import BeginsLine, HostLine, LogLine, OutageLine, SagaLine


class WriteAhead(Part):
    """What was told and sent while the log was out, or without a row."""

    def __init__(
        self,
        findings: Findings,
        course: Course,
        ledger: Ledger,
        brackets: Brackets,
        completion: Completion,
    ) -> None:
        self._findings = findings
        self._course = course
        self._ledger = ledger
        self._brackets = brackets
        self._completion = completion
        self._made_in_outage: dict[tuple[str, str, int], int] = {}
        self._log: tuple[int, LogLine] | None = None
        self._rows: dict[int, tuple[frozenset[int], int]] = {}
        self._begins = 1
        self._begins_at = 0

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(first=True) if self._course.outage_since is not None:
                self._told_in_outage(number, line, self._course.outage_since)
            case HostLine() if self._course.outage_since is not None:
                self._host_in_outage(number, line, self._course.outage_since)
            case OutageLine(did="ended"):
                self._made_in_outage.clear()
            case BeginsLine(after=after):
                self._begins, self._begins_at = after + 1, number
            case SagaLine(saga_id=saga_id, steps=steps):
                self._rows[saga_id] = frozenset(each.step for each in steps), number
            case LogLine():
                self._log = number, line
            case _:
                pass

    def _told_in_outage(self, number: int, told: Told, since: int) -> None:
        made = self._made_in_outage.get((told.host, told.epoch, told.sequence))
        if made is not None or self._is_too_late(told.at_ns, since, told.observer):
            message = f"{told} was published while the log could not be written"
            self._violated(message, self._course.outage_number, made, number)

    def _host_in_outage(self, number: int, line: HostLine, since: int) -> None:
        late = line.at_ns >= since + OUTAGE_KNOWN_WITHIN
        if line.did == "report" and line.sequence is not None and late:
            self._made_in_outage[line.host, line.epoch, line.sequence] = number
        elif line.did == "command" and self._is_too_late(line.at_ns, since, line.host):
            message = f"line {number}: a {line.type} was sent while the log could not be written"
            self._violated(message, self._course.outage_number, number)

    def _is_too_late(self, at_ns: int, since: int, receiver: str) -> bool:
        if at_ns <= since + DELIVERED_WITHIN or self._course.has_lasting_fault(receiver):
            return False
        return at_ns > (self._course.last_fault_of(receiver) or 0) + DELIVERED_WITHIN

    def finish(self) -> None:
        """Judge what the log does not have, and commands of sagas that nobody was told of."""
        if self._log is None:
            reason = "there are no lines of the log: nothing is compared with its rows"
            self._findings.unjudged(Invariant.WRITE_AHEAD, reason)
        elif self._ledger.highest > self._log[1].version:
            message = f"version {self._ledger.highest} was told, the log ends at "
            self._violated(f"{message}{self._log[1].version}", self._log[0])
        if not self._course.had_outage:
            reason = "no line tells of an outage: what leaves during one does not show"
            self._findings.unjudged(Invariant.WRITE_AHEAD, reason)
        self._judge_steps()
        if self._ledger.highest == 0 or not self._ledger.is_whole_from(self._begins):
            return
        for (saga_id, step), (host, _, number) in self._completion.executed.items():
            if number > self._begins_at and not self._brackets.knows(saga_id):
                message = f"{host} was sent step {step} of saga {saga_id}, which never started"
                self._violated(message, number)

    def _judge_steps(self) -> None:
        for (saga_id, step), (host, _, number) in self._completion.executed.items():
            steps, row = self._rows.get(saga_id, (frozenset({step}), 0))
            if step not in steps:
                message = f"{host} was sent step {step} of saga {saga_id}, which the log lacks"
                self._violated(message, number, row)

    def _violated(self, message: str, *numbers: int | None) -> None:
        self._findings.violated(Invariant.WRITE_AHEAD, message, *numbers)
