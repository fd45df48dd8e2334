"""Invariant 7: versions rise by one, for every observer, and all are told the same."""

from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.told import Ledger, Told
from transport.history_lines import BeginsLine, LogLine, ProcessLine, TruncatedLine


class VersionOrder(Part):
    """Each observer's next version, and where each is at the end."""

    def __init__(self, findings: Findings, course: Course, ledger: Ledger) -> None:
        self._findings = findings
        self._course = course
        self._ledger = ledger
        self._due: dict[str, int] = {}
        self._at: dict[str, int] = {}
        self._log: tuple[int, LogLine] | None = None

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told():
                self._take_event(number, line)
            case TruncatedLine(observer=observer, before=before):
                if before < self._due.get(observer, 1):
                    message = f"{observer} was told again that it cannot have what it had"
                    self._violated(message, self._at.get(observer), number)
                self._due[observer], self._at[observer] = before, number
            case BeginsLine(observer=observer, after=after):
                self._due[observer], self._at[observer] = after + 1, number
            case ProcessLine(name=name) if name == self._course.restarted and name in self._due:
                self._due[name], self._at[name] = 1, number
            case LogLine():
                self._log = number, line
            case _:
                pass

    def _take_event(self, number: int, told: Told) -> None:
        observer, version = told.observer, told.version
        due = self._due.get(observer, 1)
        if version > due:
            message = f"{observer} was told version {version} where {due} was due"
            self._violated(message, self._at.get(observer), number)
        elif version < due:
            message = f"{observer} was told version {version} again, or late: {due} was due"
            self._violated(message, self._at.get(observer), number)
        self._due[observer] = max(due, version + 1)
        self._at[observer] = number

    def told_differently(self, earlier: int, number: int, version: int) -> None:
        """Note that a version was told in two ways."""
        self._violated(f"version {version} was told in two ways", earlier, number)

    def is_at_the_end(self, observer: str) -> bool:
        """Say whether an observer was told everything that anybody was."""
        return self._due.get(observer, 1) == self._ledger.highest + 1

    def finish(self) -> None:
        """Judge where every observer is, and the journal."""
        last, number = self._ledger.highest, None
        if self._log is not None:
            number, line = self._log
            last = max(last, line.version)
            self._judge_journal(number, line)
        for observer, due in self._due.items():
            if due <= last and observer not in self._course.down:
                message = f"{observer} ends at version {due - 1}, the last is {last}"
                self._violated(message, self._at[observer], number)
        if not self._due:
            self._findings.unjudged(Invariant.VERSIONS, "no observer was told anything")
        if self._log is None:
            self._findings.unjudged(
                Invariant.VERSIONS, "there is no line of the log: its journal is not compared"
            )

    def _judge_journal(self, number: int, line: LogLine) -> None:
        before: int | None = None
        for first, last in line.journal:
            if first > last or (before is not None and first != before + 1):
                message = f"the journal has a blob of {first} to {last} after version {before}"
                self._violated(message, number)
            before = last
        if before is not None and before != line.version:
            message = f"the journal ends at version {before}, the log at {line.version}"
            self._violated(message, number)

    def _violated(self, message: str, *numbers: int | None) -> None:
        self._findings.violated(Invariant.VERSIONS, message, *numbers)
