"""Goes through a history once, line by line, with every part of the checker."""

from collections.abc import Iterable, Iterator

from transport.checker.brackets import Brackets
from transport.checker.completion import Completion
from transport.checker.correlation import Correlation
from transport.checker.course import Course
from transport.checker.deadlines import Deadlines
from transport.checker.drifts import Drifts
from transport.checker.endings import Endings
from transport.checker.part import Part, Seen
from transport.checker.pool_limits import PoolLimits
from transport.checker.pools import Pools
from transport.checker.recovered import Recovered
from transport.checker.refills import Refills
from transport.checker.report import Findings, Report, Violation
from transport.checker.rules import Rules
from transport.checker.saga_book import SagaBook
from transport.checker.saga_rows import SagaRows
from transport.checker.told import Ledger, head_of, take_apart
from transport.checker.triggers import Triggers, UserActions
from transport.checker.versions import VersionOrder
from transport.checker.write_ahead import WriteAhead
from transport.history_lines import (
    EventLine,
    FaultLine,
    HistoryLine,
    OutageLine,
    ProcessLine,
    TruncatedLine,
)


def check(lines: Iterable[HistoryLine], rules: Rules | None = None) -> list[Violation]:
    """Give what is wrong with a history; see `judge`."""
    return list(judge(lines, rules).violations)


def judge(lines: Iterable[HistoryLine], rules: Rules | None = None) -> Report:
    """Give what is wrong with a history, and what it could not prove.

    Args:
        lines: of one history, of one log, in the order of their times. They are gone through a
            second time if something is wrong; what can be gone through only once is kept.
        rules: which sagas do what.

    Raises:
        HistoryError: the map of an event line is no event; names the line.
    """
    kept = list(lines) if isinstance(lines, Iterator) else lines
    return _Judge(rules or Rules()).judge(kept)


class _Judge:
    """The parts, in the order in which they look at a line."""

    def __init__(self, rules: Rules) -> None:
        findings, course, ledger, book = Findings(), Course(), Ledger(), SagaBook()
        versions, brackets = VersionOrder(findings, course, ledger), Brackets(findings, course)
        completion = Completion(findings, rules, book)
        self._findings = findings
        self._course = course
        self._ledger = ledger
        self._versions = versions
        self._deadlines = Deadlines(findings, course, rules, book)
        self._parts: tuple[Part, ...] = (
            versions,
            Correlation(findings, brackets),
            brackets,
            book,
            self._deadlines,
            Endings(findings, course, rules, book),
            Triggers(findings, course, rules),
            UserActions(findings, course, ledger),
            completion,
            WriteAhead(findings, course, ledger, brackets, completion),
            SagaRows(findings, book, ledger),
            Pools(findings, course, versions),
            Refills(findings, rules, book),
            PoolLimits(findings),
            Drifts(findings),
            Recovered(findings, rules, book),
        )

    def judge(self, lines: Iterable[HistoryLine]) -> Report:
        number = 0
        for number, line in enumerate(lines, 1):
            self._take(number, line)
        for part in self._parts:
            part.finish()
        return self._findings.report(lines, number)

    def _go_on(self, observer: str, version: int) -> None:
        """Have an observer that was started again begin anew, if the version told to it is 1."""
        started, line = self._course.restarts.pop(observer)
        if version != 1:
            return
        self._course.restarted = observer
        for part in self._parts:
            part.take(started, line)
        self._course.restarted = ""

    def _take(self, number: int, line: HistoryLine) -> None:
        self._course.now = max(self._course.now, line.at_ns)
        seen: Seen
        if isinstance(line, EventLine):
            version = head_of(number, line).version
            if line.observer in self._course.restarts:
                self._go_on(line.observer, version)
            first, otherwise = self._ledger.note(number, version, line.event)
            if otherwise is not None:
                self._versions.told_differently(otherwise, number, version)
            seen = take_apart(number, line, first=first)
        else:
            seen = line
            if isinstance(line, TruncatedLine) and line.observer in self._course.restarts:
                self._go_on(line.observer, 1)
            if isinstance(line, ProcessLine | FaultLine | OutageLine):
                self._deadlines.before_a_turn(line)
            if isinstance(line, ProcessLine | FaultLine | OutageLine | TruncatedLine):
                self._course.take(number, line)
        for part in self._parts:
            part.take(number, seen)
