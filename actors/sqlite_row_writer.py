"""Writes a commit's rows into the tables of an SQLite log, each table once.

A commit is one transaction, so only what holds at its end counts: rows go out by table, many at a
time, and what the commit itself makes void (an event that was fed to a saga which the commit also
closes, the end of such a saga's step, a report number that a later one passes) is never written.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from actors.saga_log import (
    BlobAppended,
    DeadlineExtended,
    EpochSuperseded,
    EventDelivered,
    ReportsTaken,
    Row,
    SagaClosed,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from transport.codec import encode

Values = tuple[object, ...]


@dataclass(slots=True)
class RowBatch:
    """A commit's rows, by table.

    Attributes:
        wall: the wall clock, in nanoseconds.
        version: of the last event; None where the commit has none.
        next_saga_id: None where the commit opens no saga.
    """

    wall: int
    opened: dict[int, list[object]] = field(default_factory=dict)
    issued: list[Values] = field(default_factory=list)
    delivered: list[EventDelivered] = field(default_factory=list)
    closed_steps: list[StepClosed] = field(default_factory=list)
    closed: dict[int, Values] = field(default_factory=dict)
    extended: list[Values] = field(default_factory=list)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    superseded: list[EpochSuperseded] = field(default_factory=list)
    blobs: list[Values] = field(default_factory=list)
    blob_bytes: int = 0
    version: int | None = None
    next_saga_id: int | None = None

    @classmethod
    def of(cls, rows: Sequence[Row], wall: int) -> "RowBatch":
        """Sort rows by table. `wall`: the wall clock, in nanoseconds."""
        batch = cls(wall)
        for row in rows:
            _SORTED[type(row)](batch, row)
        return batch

    def append_blob(self, row: BlobAppended) -> None:
        """Note a blob of the journal."""
        self.blobs.append((row.first, row.last, row.blob))
        self.version = row.last
        self.blob_bytes += len(row.blob)

    def take(self, row: ReportsTaken) -> None:
        """Note the last report taken from an epoch."""
        self.taken[row.host, row.epoch] = row.sequence

    def deliver(self, row: EventDelivered) -> None:
        """Note an event that a saga was fed."""
        self.delivered.append(row)

    def open(self, row: SagaOpened) -> None:
        """Note a saga that begins."""
        snapshot = msgspec.json.encode(row.input).decode()
        saga = [row.saga_id, row.name, snapshot, row.cause, row.host, row.epoch, row.deadline]
        self.opened[row.saga_id] = [*saga, self.wall, None, None]
        self.next_saga_id = row.saga_id + 1

    def issue(self, row: StepIssued) -> None:
        """Note a step; the first one goes into its saga's row, if that is new too."""
        saga = self.opened.get(row.saga_id)
        if saga is not None and row.step == 0:
            saga[-2:] = row.target, row.command
        else:
            self.issued.append((row.saga_id, row.step, row.target, row.command))

    def close_step(self, row: StepClosed) -> None:
        """Note that a step is settled."""
        self.closed_steps.append(row)

    def close(self, row: SagaClosed) -> None:
        """Note that a saga ended."""
        self.closed[row.saga_id] = (row.saga_id, self.wall, row.result, row.failure)

    def supersede(self, row: EpochSuperseded) -> None:
        """Note that an epoch is over."""
        self.superseded.append(row)
        self.taken.pop((row.host, row.epoch), None)

    def extend(self, row: DeadlineExtended) -> None:
        """Note that a saga has more time."""
        self.extended.append((row.deadline, row.saga_id))

    @property
    def fed(self) -> set[int]:
        """Give the sagas of which the commit writes events that they were fed."""
        return {each.saga_id for each in self.delivered if each.saga_id not in self.closed}

    def write(self, db: sqlite3.Connection, fed: AbstractSet[int], lowest_open: int) -> None:
        """Write them in a transaction.

        Args:
            db: has begun it.
            fed: the sagas of which the log has events that they were fed.
            lowest_open: no saga with a lower id is open.

        Raises:
            sqlite3.Error: they cannot be written; the caller rolls back.
        """
        many = partial(_many, db)
        many(
            "INSERT INTO saga_opened (saga_id, name, input, cause, host, epoch, deadline, "
            "opened_at, target, command) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            list(self.opened.values()),
        )
        many(
            "INSERT INTO step_issued (saga_id, step, target, command) VALUES (?, ?, ?, ?)",
            self.issued,
        )
        self._write_step_ends(db)
        many(
            "UPDATE saga_opened SET extended = ?, extensions = extensions + 1 WHERE saga_id = ?",
            self.extended,
        )
        many("INSERT INTO saga_closed VALUES (?, ?, ?, ?)", list(self.closed.values()))
        over = [(saga_id,) for saga_id in self.closed if saga_id in fed]
        many("DELETE FROM event_delivered WHERE saga_id = ?", over)
        many(
            "INSERT INTO event_delivered (saga_id, event) VALUES (?, ?)",
            [
                (each.saga_id, encode(each.event))
                for each in self.delivered
                if each.saga_id not in self.closed
            ],
        )
        self._write_links(db)
        many("INSERT INTO blob VALUES (?, ?, ?)", self.blobs)
        if self.version is not None or self.next_saga_id is not None:
            db.execute(
                "UPDATE log SET version = ifnull(?, version), "
                "next_saga_id = ifnull(?, next_saga_id), lowest_open = ?",
                (self.version, self.next_saga_id, lowest_open),
            )

    def _lasting_ends(self) -> Iterator[Values]:
        """Give the ends of steps that their saga's own end does not tell."""
        for row in self.closed_steps:
            if row.failure is not None or row.saga_id not in self.closed:
                yield row.failure, row.saga_id, row.step

    def _write_step_ends(self, db: sqlite3.Connection) -> None:
        ends = list(self._lasting_ends())
        _many(
            db,
            "INSERT OR IGNORE INTO step_issued (saga_id, step, target, command) "
            "SELECT saga_id, 0, target, command FROM saga_opened "
            "WHERE saga_id = ? AND command IS NOT NULL",
            [(saga_id,) for _, saga_id, step in ends if step == 0],
        )
        _many(
            db,
            "UPDATE step_issued SET is_closed = 1, failure = ? WHERE saga_id = ? AND step = ?",
            ends,
        )

    def _write_links(self, db: sqlite3.Connection) -> None:
        _many(
            db,
            "REPLACE INTO report_taken VALUES (?, ?, ?)",
            [(host, epoch, sequence) for (host, epoch), sequence in self.taken.items()],
        )
        over = [(each.host, each.epoch) for each in self.superseded]
        by = [(each.host, each.epoch, each.by) for each in self.superseded]
        _many(db, "REPLACE INTO superseded VALUES (?, ?, ?)", by)
        _many(db, "DELETE FROM report_taken WHERE host = ? AND epoch = ?", over)


_SORTED: Mapping[type[Any], Callable[[RowBatch, Any], None]] = {
    BlobAppended: RowBatch.append_blob,
    ReportsTaken: RowBatch.take,
    EventDelivered: RowBatch.deliver,
    SagaOpened: RowBatch.open,
    StepIssued: RowBatch.issue,
    StepClosed: RowBatch.close_step,
    SagaClosed: RowBatch.close,
    EpochSuperseded: RowBatch.supersede,
    DeadlineExtended: RowBatch.extend,
}
"""Where a row goes, by its type."""


def _many(db: sqlite3.Connection, sql: str, values: Sequence[Sequence[object]]) -> None:
    if values:
        db.executemany(sql, values)
