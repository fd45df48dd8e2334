"""Invariants 1, 2 and 6: what an observer is told of a saga stands between one start and one end.

The time in which a bracket has to close is judged in `transport.checker.deadlines`. An observer
whose process is started again knows nothing of what its former life was told.
"""

from dataclasses import dataclass, field

from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.told import Told
from transport.history_lines import BeginsLine, LogLine, OpenBracket, ProcessLine, TruncatedLine

STARTED = "SagaStarted"
TERMINALS = frozenset({"SagaCompleted", "SagaFailed"})


@dataclass(slots=True)
class _Brackets:
    """One observer's brackets, each with the line that opened or closed it.

    Attributes:
        highest: the highest id that started, and its line.
    """

    open: dict[int, int] = field(default_factory=dict)
    closed: dict[int, int] = field(default_factory=dict)
    highest: tuple[int, int] = (0, 0)


class Brackets(Part):
    """Every observer's brackets."""

    def __init__(self, findings: Findings, course: Course) -> None:
        self._findings = findings
        self._course = course
        self._observers: dict[str, _Brackets] = {}
        self._log: tuple[int, LogLine] | None = None

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told():
                self._take_event(number, line)
            case BeginsLine(observer=observer, open=brackets):
                self._observers[observer] = _Brackets()
                self._are_open(number, observer, brackets)
            case TruncatedLine(observer=observer, open=brackets):
                self._are_open(number, observer, brackets)
            case ProcessLine(name=name) if name == self._course.restarted:
                self._observers.pop(name, None)
            case LogLine():
                self._log = number, line
            case _:
                pass

    def is_open(self, observer: str, saga_id: int) -> bool:
        """Say whether an observer has a bracket open."""
        brackets = self._observers.get(observer)
        return brackets is not None and saga_id in brackets.open

    def knows(self, saga_id: int) -> bool:
        """Say whether any observer was told of a saga."""
        return any(
            saga_id in each.open or saga_id in each.closed for each in self._observers.values()
        )

    def _are_open(self, number: int, observer: str, brackets: tuple[OpenBracket, ...]) -> None:
        mine = self._observers.setdefault(observer, _Brackets())
        still_open = {each.saga_id for each in brackets}
        for saga_id in mine.open.keys() - still_open:
            mine.closed[saga_id] = number
        mine.open = {saga_id: mine.open.get(saga_id, number) for saga_id in sorted(still_open)}
        for saga_id in still_open:
            mine.highest = max(mine.highest, (saga_id, number))

    def _take_event(self, number: int, told: Told) -> None:
        mine = self._observers.setdefault(told.observer, _Brackets())
        saga_id = told.saga_id
        if saga_id is None:
            if told.type == STARTED or told.type in TERMINALS:
                self._findings.violated(Invariant.IDS, f"{told} is of no saga", number)
        elif saga_id < 1:
            self._findings.violated(Invariant.IDS, f"{told} is of saga {saga_id}", number)
        elif told.type == STARTED:
            self._open(mine, number, told, saga_id)
        elif told.type in TERMINALS:
            self._close(mine, number, told, saga_id)
        elif saga_id not in mine.open:
            self._is_outside(mine, number, told, saga_id)

    def _open(self, mine: _Brackets, number: int, told: Told, saga_id: int) -> None:
        highest, highest_number = mine.highest
        used = mine.open.get(saga_id) or mine.closed.get(saga_id)
        if used is not None:
            message = f"{told} uses saga id {saga_id} again"
            self._findings.violated(Invariant.IDS, message, used, number)
        elif saga_id <= highest:
            message = f"{told} starts saga {saga_id} after saga {highest}"
            self._findings.violated(Invariant.IDS, message, highest_number, number)
        mine.highest = max(mine.highest, (saga_id, number))
        mine.open[saga_id] = number

    def _close(self, mine: _Brackets, number: int, told: Told, saga_id: int) -> None:
        if mine.open.pop(saga_id, None) is None:
            before = mine.closed.get(saga_id)
            how = "never started" if before is None else "was closed already"
            message = f"{told} closes saga {saga_id}, which {how}"
            self._findings.violated(Invariant.BRACKETS, message, before, number)
        mine.closed.setdefault(saga_id, number)

    def _is_outside(self, mine: _Brackets, number: int, told: Told, saga_id: int) -> None:
        before = mine.closed.get(saga_id)
        where = "before its start" if before is None else "after its end"
        message = f"{told} is of saga {saga_id}, {where}"
        self._findings.violated(Invariant.ORDER, message, before, number)

    def finish(self) -> None:
        """Judge what is open, and the log's next id."""
        for observer, mine in self._observers.items():
            if observer not in self._course.down:
                for saga_id, number in mine.open.items():
                    message = f"saga {saga_id} has no end"
                    self._findings.violated(Invariant.BRACKETS, message, number)
        if self._log is None:
            reason = "there is no line of the log: the next id is not compared"
            self._findings.unjudged(Invariant.IDS, reason)
            return
        log_number, log = self._log
        for mine in self._observers.values():
            saga_id, number = mine.highest
            if saga_id >= log.next_saga_id:
                message = f"the log gives saga id {log.next_saga_id} next, {saga_id} has been used"
                self._findings.violated(Invariant.IDS, message, number, log_number)
