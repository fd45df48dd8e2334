"""Invariants 1, 5 and 6: the log's rows at the end agree with what was told, of one log."""

from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.saga_book import SagaBook, Story
from transport.checker.told import Ledger
from transport.history_lines import BeginsLine, HostLine, LogLine, SagaLine


class SagaRows(Part):
    """The rows of sagas and steps, kept as far as they are compared."""

    def __init__(self, findings: Findings, book: SagaBook, ledger: Ledger) -> None:
        self._findings = findings
        self._book = book
        self._ledger = ledger
        self._rows: dict[int, tuple[str, str, str, int | None, int]] = {}
        self._log: tuple[str, int] | None = None
        self._begins = 1

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case SagaLine():
                self._take_row(number, line)
            case LogLine(log=log):
                self._is_of(log, number)
            case HostLine(identity=identity) if identity is not None:
                self._is_of(identity.log, number)
            case BeginsLine(after=after):
                self._begins = after + 1
            case _:
                pass

    def _is_of(self, log: str, number: int) -> None:
        if self._log is None:
            self._log = log, number
        elif self._log[0] != log:
            message = f"log {log} and log {self._log[0]}: a history holds one log only"
            self._findings.violated(Invariant.IDS, message, self._log[1], number)

    def _take_row(self, number: int, line: SagaLine) -> None:
        if line.saga_id in self._rows or line.saga_id < 1:
            message = f"the log has saga {line.saga_id}, which cannot be, or twice"
            self._findings.violated(Invariant.IDS, message, number)
        text = line.failure if line.state == "failed" else line.result
        self._rows[line.saga_id] = (line.name, line.state, text or "", line.cause, number)
        if line.state == "open":
            message = f"saga {line.saga_id} is open in the log"
            self._findings.violated(Invariant.BRACKETS, message, number)
            return
        for step in line.steps:
            if step.state == "awaited" or (line.state, step.state) == ("completed", "failed"):
                message = (
                    f"step {step.step} of saga {line.saga_id} is {step.state} in the log, "
                    f"its saga {line.state}"
                )
                self._findings.violated(Invariant.WRITE_AHEAD, message, number)

    def finish(self) -> None:
        """Compare every row with what was told, and the reverse."""
        if not self._rows:
            reason = "there are no rows of sagas: what was told is not compared with them"
            self._findings.unjudged(Invariant.WRITE_AHEAD, reason)
            return
        first = self._first_saga()
        whole = self._ledger.highest > 0 and self._ledger.is_whole_from(self._begins)
        for saga_id, row in self._rows.items():
            story = self._book.stories.get(saga_id)
            if story is None:
                if whole and saga_id >= first:
                    message = f"the log has saga {saga_id}, of which nobody was told"
                    self._findings.violated(Invariant.BRACKETS, message, row[-1])
            else:
                self._compare(saga_id, story, row)
        for saga_id, story in self._book.stories.items():
            if saga_id not in self._rows and not story.earlier:
                message = f"the log has no row of saga {saga_id}"
                self._findings.violated(Invariant.WRITE_AHEAD, message, story.started, story.ended)

    def _first_saga(self) -> int:
        """Give the lowest id that can be of a saga of this history: the log has older ones."""
        if self._begins == 1:
            return 1
        started = (each for each, story in self._book.stories.items() if not story.earlier)
        return min(started, default=max(self._rows) + 1)

    def _compare(
        self, saga_id: int, story: Story, row: tuple[str, str, str, int | None, int]
    ) -> None:
        name, state, text, cause, number = row
        told = (story.name or name, story.state, story.text)
        if story.state == "open":
            told = (told[0], state, text)
        if (name, state, text) != told or (story.cause != cause and story.cause is not None):
            message = (
                f"saga {saga_id} is {name}, {state} ({text}), caused by {cause}, in the log; told "
                f"was {story.name}, {story.state} ({story.text}), caused by {story.cause}"
            )
            numbers = (story.started, story.ended, number)
            self._findings.violated(Invariant.WRITE_AHEAD, message, *numbers)
