"""Writes a commit's rows into the tables of an SQLite log, each table once.

A commit is one transaction, so only what holds at its end counts: rows go out by table, many at a
time, and what the commit itself makes void (an event that was fed to a saga which the commit also
closes, a report number that a later one passes) is never written.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

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
        version: of the last event; None where the commit has none.
        next_saga_id: None where the commit opens no saga.
    """

    opened: list[Values] = field(default_factory=list)
    issued: list[Values] = field(default_factory=list)
    delivered: list[EventDelivered] = field(default_factory=list)
    closed_steps: list[Values] = field(default_factory=list)
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
        batch = cls()
        for row in rows:
            batch._sort(row, wall)
        return batch

    def _sort(self, row: Row, wall: int) -> None:
        match row:
            case BlobAppended(first=first, last=last, blob=blob):
                self.blobs.append((first, last, blob))
                self.version = last
                self.blob_bytes += len(blob)
            case ReportsTaken(host=host, epoch=epoch, sequence=sequence):
                self.taken[host, epoch] = sequence
            case EventDelivered():
                self.delivered.append(row)
            case SagaOpened():
                self.opened.append(_saga_values(row, wall))
                self.next_saga_id = row.saga_id + 1
            case StepIssued(saga_id=saga_id, step=step, target=target, command=command):
                self.issued.append((saga_id, step, target, command))
            case StepClosed(saga_id=saga_id, step=step, failure=failure):
                self.closed_steps.append((failure, saga_id, step))
            case SagaClosed(saga_id=saga_id, result=result, failure=failure):
                self.closed[saga_id] = (wall, result, failure, saga_id)
            case EpochSuperseded(host=host, epoch=epoch):
                self.superseded.append(row)
                self.taken.pop((host, epoch), None)
            case DeadlineExtended(saga_id=saga_id, deadline=deadline):
                self.extended.append((deadline, saga_id))

    def write(self, db: sqlite3.Connection) -> None:
        """Write them in the transaction that `db` is in.

        Raises:
            sqlite3.Error: they cannot be written; the caller rolls back.
        """
        many = partial(_many, db)
        many(
            "INSERT INTO saga (saga_id, name, input, cause, host, epoch, deadline, opened_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            self.opened,
        )
        many("INSERT INTO step (saga_id, step, target, command) VALUES (?, ?, ?, ?)", self.issued)
        many(
            "UPDATE step SET is_closed = 1, failure = ? WHERE saga_id = ? AND step = ?",
            self.closed_steps,
        )
        many(
            "UPDATE saga SET extended = ?, extensions = extensions + 1 WHERE saga_id = ?",
            self.extended,
        )
        many(
            "UPDATE saga SET closed_at = ?, result = ?, failure = ? WHERE saga_id = ?",
            list(self.closed.values()),
        )
        many("DELETE FROM delivered WHERE saga_id = ?", [(saga_id,) for saga_id in self.closed])
        many(
            "INSERT INTO delivered (saga_id, event) VALUES (?, ?)",
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
                "next_saga_id = ifnull(?, next_saga_id)",
                (self.version, self.next_saga_id),
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


def _many(db: sqlite3.Connection, sql: str, values: Sequence[Values]) -> None:
    if values:
        db.executemany(sql, values)


def _saga_values(row: SagaOpened, wall: int) -> Values:
    snapshot = msgspec.json.encode(row.input).decode()
    return (
        *(row.saga_id, row.name, snapshot, row.cause),
        *(row.host, row.epoch, row.deadline, wall),
    )
