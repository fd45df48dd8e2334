"""The simulated saga log: it cannot be written for a while when told so, and it keeps every row.

It promises what `power` promises: what was committed is there after any crash. A commit happens
whole or not at all, so a crash within one is a crash before it. What the log in memory forgets of
closed sagas is kept here, for the end of the history.
"""

from collections.abc import Sequence

from actors.log_lines import saga_line
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import (
    BlobAppended,
    LogContents,
    LogUnavailableError,
    Row,
    SagaClosed,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from actors.saga_values import saga_values
from transport.codec import Codec
from transport.event_stream.query_session import JournalReader
from transport.history_lines import HistoryLine, LogLine, SagaLine


class SimulatedSagaLog:
    """A saga log that outlives the launchers of a simulated world.

    Args:
        log_id: 128 random bits, as 32 hexadecimal digits.
        journal_events: how many events the journal keeps, at least.
        codec: knows the event types.

    Attributes:
        outage: why it cannot be written now; None if it can.
    """

    def __init__(self, log_id: str, journal_events: int, codec: Codec) -> None:
        self.outage: str | None = None
        self._log = MemorySagaLog(log_id, journal_events=journal_events, codec=codec)
        self._opened: dict[int, SagaOpened] = {}
        self._closed: dict[int, SagaClosed] = {}
        self._steps: dict[int, list[StepIssued]] = {}
        self._settled: dict[tuple[int, int], StepClosed] = {}
        self._blobs: list[tuple[int, int]] = []

    @property
    def log_id(self) -> str:
        """The log's own id."""
        return self._log.log_id

    def commit(self, rows: Sequence[Row]) -> None:
        """Keep all rows.

        Raises:
            LogUnavailableError: it cannot be written now; none is kept.
        """
        if self.outage is not None:
            raise LogUnavailableError(self.outage)
        self._log.commit(rows)
        for row in rows:
            self._note(row)

    def load(self) -> LogContents:
        """Give everything that is committed."""
        return self._log.load()

    def reader(self) -> JournalReader:
        """Give a reader of what is committed."""
        return self._log.reader()

    def _note(self, row: Row) -> None:
        match row:
            case SagaOpened(saga_id=saga_id):
                self._opened[saga_id] = row
            case SagaClosed(saga_id=saga_id):
                self._closed[saga_id] = row
            case StepIssued(saga_id=saga_id):
                self._steps.setdefault(saga_id, []).append(row)
            case StepClosed(saga_id=saga_id, step=step):
                self._settled[saga_id, step] = row
            case BlobAppended(first=first, last=last):
                self._blobs.append((first, last))
            case _:
                pass

    # --- the end of a history -----------------------------------------------------------------

    def lines(self, at_ns: int) -> list[HistoryLine]:
        """Give every saga as the log has it, and the log itself."""
        contents, journal = self.load(), self.reader().view()
        kept = tuple(blob for blob in self._blobs if blob[1] >= journal.first)
        whole = LogLine(at_ns, self.log_id, contents.version, contents.next_saga_id, kept)
        return [*(self._saga_line(opened, at_ns) for opened in self._opened.values()), whole]

    def _saga_line(self, opened: SagaOpened, at_ns: int) -> SagaLine:
        steps = self._steps.get(opened.saga_id, [])
        keys = [(each.saga_id, each.step) for each in steps]
        values = saga_values(
            opened,
            opened_at=None,
            closed=self._closed.get(opened.saga_id),
            closed_at=None,
            deadline=opened.deadline,
            extensions=0,
            steps=steps,
            closed_steps=[self._settled[key] for key in keys if key in self._settled],
        )
        return saga_line(values, at_ns)
