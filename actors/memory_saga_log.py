"""The saga log in memory: it lives as long as the process, behind the real one's interface."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from actors.journal_trim import JournalTrim
from actors.saga_events import id_pattern, with_events
from actors.saga_log import (
    BlobAppended,
    DeadlineExtended,
    EpochSuperseded,
    EventDelivered,
    LogContents,
    LogUnavailableError,
    ReportsTaken,
    Row,
    SagaClosed,
    SagaOpened,
    SagaRecord,
    StepClosed,
    StepIssued,
    last_reports,
)
from actors.saga_values import saga_values
from transport.codec import Codec
from transport.event_stream.event_map import event_map
from transport.event_stream.query_session import JournalReader, JournalView, SagaView, SnapshotPage
from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded, SnapshotRow
from transport.mirror import Mirror

FINISHED_SAGAS = 50
"""How many closed sagas are kept; open ones always are."""


class MemorySagaLog:
    """A saga log that lives in this process.

    Args:
        log_id: 128 random bits, as 32 hexadecimal digits.
        journal_events: how many events the journal keeps, at least.
        codec: knows the event types that the snapshot has to understand.
        wall: gives the wall clock, in nanoseconds, for when sagas began and ended.
    """

    def __init__(
        self,
        log_id: str,
        *,
        journal_events: int = 200_000,
        codec: Codec | None = None,
        wall: Callable[[], int] | None = None,
    ) -> None:
        self._sagas = _Sagas(wall)
        self.open_sagas = self._sagas.open
        self.finished_sagas = self._sagas.finished
        self.reports_taken: dict[tuple[str, str], int] = {}
        self.superseded: dict[tuple[str, str], str] = {}
        self._log_id = log_id
        self._journal = _Journal(log_id, journal_events, codec or Codec(), self._sagas)
        self._refusal: str | None = None

    @property
    def log_id(self) -> str:
        """The log's own id: saga ids and versions belong to it."""
        return self._log_id

    def refuse_commits(self, reason: str | None) -> None:
        """Behave as a log that cannot be written, for that reason; None ends it."""
        self._refusal = reason

    def commit(self, rows: Sequence[Row]) -> None:
        """Keep all rows.

        Raises:
            LogUnavailableError: while commits are refused; none is kept.
        """
        if self._refusal is not None:
            raise LogUnavailableError(self._refusal)
        with self._sagas.lock:
            for row in rows:
                self._keep(row)
        self._journal.trim()

    def load(self) -> LogContents:
        """Give everything that is committed, for a launcher to begin with."""
        mirror = self._journal.mirror()
        return LogContents(
            log_id=self._log_id,
            version=self._journal.view().last,
            next_saga_id=self._sagas.next_id,
            mirror=mirror,
            open_sagas=list(self.open_sagas.values()),
            reports_taken=last_reports(self.reports_taken, mirror),
            superseded=dict(self.superseded),
        )

    def reader(self) -> JournalReader:
        """Give a reader of what is committed, for one other thread."""
        return self._journal

    def _keep(self, row: Row) -> None:
        match row:
            case BlobAppended():
                self._journal.append(row)
            case EventDelivered(saga_id=saga_id, event=event):
                self.open_sagas[saga_id].delivered.append(event)
            case ReportsTaken(host=host, epoch=epoch, sequence=sequence):
                self.reports_taken[host, epoch] = sequence
            case SagaOpened():
                self._sagas.begin(row)
            case DeadlineExtended(saga_id=saga_id, deadline=deadline):
                self.open_sagas[saga_id].deadline = deadline
                self.open_sagas[saga_id].extensions += 1
            case StepIssued(saga_id=saga_id):
                self.open_sagas[saga_id].steps.append(row)
            case StepClosed(saga_id=saga_id):
                self.open_sagas[saga_id].closed_steps.append(row)
            case SagaClosed():
                self._sagas.end(row)
            case EpochSuperseded(host=host, epoch=epoch, by=by):
                self.superseded[host, epoch] = by
                self.reports_taken.pop((host, epoch), None)


class _Sagas:
    """The rows of sagas, and when they were written; read by another thread under the lock."""

    def __init__(self, wall: Callable[[], int] | None) -> None:
        self.lock = Lock()
        self.open: dict[int, SagaRecord] = {}
        self.finished: dict[int, SagaRecord] = {}
        self.next_id = 1
        self._wall = wall
        self._times: dict[int, list[int]] = {}

    def begin(self, row: SagaOpened) -> None:
        self.next_id = row.saga_id + 1
        self.open[row.saga_id] = SagaRecord(row, row.deadline)
        self._note_time(row.saga_id)

    def end(self, row: SagaClosed) -> None:
        record = self.open.pop(row.saga_id)
        record.closed = row
        record.delivered.clear()
        self.finished[row.saga_id] = record
        self._note_time(row.saga_id)
        if len(self.finished) > FINISHED_SAGAS:
            forgotten = next(iter(self.finished))
            del self.finished[forgotten]
            self._times.pop(forgotten, None)

    def _note_time(self, saga_id: int) -> None:
        if self._wall is not None:
            self._times.setdefault(saga_id, []).append(self._wall())

    def values(self, saga_id: int) -> tuple[dict[str, Any], list[Recorded]] | None:
        """Give a saga's rows and what it was fed; the caller holds the lock."""
        record = self.open.get(saga_id) or self.finished.get(saga_id)
        if record is None:
            return None
        times = dict(enumerate(self._times.get(saga_id, [])))
        saga = saga_values(
            record.opened,
            opened_at=times.get(0),
            closed=record.closed,
            closed_at=times.get(1),
            deadline=record.deadline,
            extensions=record.extensions,
            steps=record.steps,
            closed_steps=record.closed_steps,
        )
        return saga, list(record.delivered)


class _Journal:
    """The blobs, and the snapshot on which they stand; read by another thread."""

    def __init__(self, log_id: str, keep: int, codec: Codec, sagas: _Sagas) -> None:
        self._sagas = sagas
        self._log_id = log_id
        self._codec = codec
        self._lock = Lock()
        self._firsts: list[int] = []
        self._blobs: list[bytes] = []
        self._last = 0
        self._before = 1
        self._rows: list[SnapshotRow] = []
        self._next_rows: list[SnapshotRow] = []
        self._trim = JournalTrim(keep, Snapshot())
        self._folded = 0
        self._looked_at = 0

    @property
    def log_id(self) -> str:
        return self._log_id

    def view(self) -> JournalView:
        with self._lock:
            return JournalView(self._before, self._last)

    def blobs_from(self, version: int, byte_limit: int) -> list[bytes]:
        with self._lock:
            if not self._before <= version <= self._last:
                return []
            start = bisect_right(self._firsts, version) - 1
            size, page = 0, list[bytes]()
            for blob in self._blobs[start:]:
                size += len(blob)
                if page and size > byte_limit:
                    break
                page.append(blob)
            return page

    def snapshot_page(self, offset: int, limit: int) -> SnapshotPage:
        with self._lock:
            rows = self._rows[offset : offset + limit]
            return SnapshotPage(self._before, len(self._rows), rows)

    def saga(self, saga_id: int) -> SagaView:
        with self._sagas.lock:
            next_id, found = self._sagas.next_id, self._sagas.values(saga_id)
            with self._lock:
                before, blobs = self._before, list(self._blobs)
        if found is None:
            return SagaView(next_id, None)
        saga, delivered = found
        pattern = id_pattern(saga_id)
        story = with_events(
            saga,
            blobs=(blob for blob in blobs if pattern in blob),
            delivered=map(event_map, delivered),
            journal_first=before,
        )
        return SagaView(next_id, story)

    def mirror(self) -> Mirror:
        """Give every host's windows after the last event."""
        snapshot = Snapshot.from_rows(self._rows, self._codec, before=self._before)
        for blob in self._blobs:
            snapshot.fold(self._events_in(blob))
        return snapshot.mirror

    def _events_in(self, blob: bytes) -> list[Recorded]:
        return self._codec.decode_blob(blob)

    def append(self, row: BlobAppended) -> None:
        with self._lock:
            self._firsts.append(row.first)
            self._blobs.append(row.blob)
            self._last = row.last

    def trim(self) -> None:
        added, self._looked_at = self._last - self._looked_at, self._last
        if not self._trim.is_due(self._last):
            return
        waiting = map(self._events_in, self._blobs[self._folded :])
        before = self._trim.snapshot.before
        written = self._trim.advance(self._last, added, waiting)
        if self._trim.snapshot.before != before:
            self._folded = bisect_right(self._firsts, self._trim.snapshot.before - 1)
        self._next_rows.extend(written.rows)
        if self._trim.shown != self._before:
            self._show()

    def _show(self) -> None:
        rows, self._next_rows = self._next_rows, []
        with self._lock:
            self._rows = rows
            self._before = self._trim.shown
            del self._firsts[: self._folded]
            del self._blobs[: self._folded]
        self._folded = 0
