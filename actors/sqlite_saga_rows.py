"""Sagas out of a log's tables, as plain values; over any connection, in its transaction."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec

from actors.saga_events import id_pattern, with_events
from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.saga_values import saga_values
from actors.sqlite_checked_rows import SagaRow, StepRow, checked, log_row
from transport.event_stream.query_session import SagaView

_input = msgspec.json.Decoder(dict[str, Any])

_COLUMNS = (
    "SELECT saga_id, name, input, cause, host, epoch, deadline, extended, extensions, "
    "opened_at, closed_at, result, failure FROM saga "
)
_STEPS = (
    "SELECT step, target, command, is_closed, failure FROM step WHERE saga_id = ? ORDER BY step"
)

_BLOBS = "SELECT blob FROM blob WHERE last >= ? AND instr(blob, ?) ORDER BY first"
_DELIVERED = "SELECT event FROM event_delivered WHERE saga_id = ? ORDER BY number"


def newest(db: sqlite3.Connection, limit: int) -> Iterator[dict[str, Any]]:
    """Give the newest sagas, the newest first."""
    rows = db.execute(f"{_COLUMNS} ORDER BY saga_id DESC LIMIT ?", (limit,))
    for row in checked(rows, SagaRow):
        yield _values(db, row)


def open_sagas(db: sqlite3.Connection) -> Iterator[tuple[SagaOpened, SagaRow]]:
    """Give the sagas that are open, by id, each with its whole row."""
    lowest = log_row(db).lowest_open
    rows = db.execute(
        f"{_COLUMNS} WHERE saga_id >= ? AND closed_at IS NULL ORDER BY saga_id", (lowest,)
    )
    for row in checked(rows, SagaRow):
        yield _opened(row), row


def open_ids(db: sqlite3.Connection) -> Iterator[int]:
    """Give the ids of the sagas that are open, rising."""
    sql = "SELECT saga_id FROM saga WHERE saga_id >= ? AND closed_at IS NULL ORDER BY saga_id"
    for (saga_id,) in db.execute(sql, (log_row(db).lowest_open,)):
        yield saga_id


def steps_of(
    db: sqlite3.Connection, saga_id: int, *, is_open: bool
) -> tuple[list[StepIssued], list[StepClosed]]:
    """Give a saga's steps, and which of them are settled: of a closed saga, all."""
    steps = checked(db.execute(_STEPS, (saga_id,)), StepRow)
    issued = [StepIssued(saga_id, each.step, each.target, each.command) for each in steps]
    settled = (each for each in steps if each.is_closed or not is_open)
    return issued, [StepClosed(saga_id, each.step, each.failure) for each in settled]


def saga_view(db: sqlite3.Connection, saga_id: int) -> SagaView:
    """Give one saga's rows, and its events as far as the journal has them."""
    log = log_row(db)
    found = checked(db.execute(f"{_COLUMNS} WHERE saga_id = ?", (saga_id,)), SagaRow)
    if not found:
        return SagaView(log.next_saga_id, None)
    row = found[0]
    saga = _values(db, row)
    blobs = db.execute(_BLOBS, (max(row.cause or 0, log.before), id_pattern(saga_id)))
    delivered = db.execute(_DELIVERED, (saga_id,))
    story = with_events(
        saga,
        blobs=(blob for (blob,) in blobs),
        delivered=(msgpack.unpackb(frame) for (frame,) in delivered),
        journal_first=log.before,
    )
    return SagaView(log.next_saga_id, story)


def all_from(db: sqlite3.Connection, saga_id: int) -> Iterator[dict[str, Any]]:
    """Give every saga from an id on, by id, rising."""
    rows = db.execute(f"{_COLUMNS} WHERE saga_id >= ? ORDER BY saga_id", (saga_id,))
    for row in checked(rows, SagaRow):
        yield _values(db, row)


def beginning(db: sqlite3.Connection) -> tuple[str, int, int, list[tuple[int, str]]]:
    """Give a log's id, its last event's version, its next saga id, and every open saga's name."""
    log = log_row(db)
    found = [(row.saga_id, row.name) for _, row in open_sagas(db)]
    return log.log_id, log.version, log.next_saga_id, found


def _values(db: sqlite3.Connection, row: SagaRow) -> dict[str, Any]:
    is_open = row.closed_at is None
    steps, closed_steps = steps_of(db, row.saga_id, is_open=is_open)
    return saga_values(
        _opened(row),
        opened_at=row.opened_at,
        closed=None if is_open else SagaClosed(row.saga_id, row.result, row.failure),
        closed_at=row.closed_at,
        deadline=row.extended or row.deadline,
        extensions=row.extensions,
        steps=steps,
        closed_steps=closed_steps,
    )


def _opened(row: SagaRow) -> SagaOpened:
    inputs = _input.decode(row.input)
    return SagaOpened(row.saga_id, row.name, inputs, row.cause, row.host, row.epoch, row.deadline)
