"""Sagas out of a log's tables, as plain values; over any connection, in its transaction."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec

from actors.saga_events import id_pattern, with_events
from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.saga_values import saga_values
from transport.event_stream.query_session import SagaView

_COLUMNS = (
    "SELECT saga_id, name, input, cause, host, epoch, deadline, extended, extensions, "
    "opened_at, closed_at, result, failure FROM saga "
)
_STEPS = (
    "SELECT step, target, command, is_closed, failure FROM step WHERE saga_id = ? ORDER BY step"
)

_BLOBS = "SELECT blob FROM blob WHERE last >= ? AND instr(blob, ?) ORDER BY first"
_DELIVERED = "SELECT event FROM delivered WHERE saga_id = ? ORDER BY number"


def newest(db: sqlite3.Connection, limit: int) -> Iterator[dict[str, Any]]:
    """Give the newest sagas, the newest first."""
    for row in db.execute(f"{_COLUMNS} ORDER BY saga_id DESC LIMIT ?", (limit,)).fetchall():
        yield _values(db, row)


def saga_view(db: sqlite3.Connection, saga_id: int) -> SagaView:
    """Give one saga's rows, and its events as far as the journal has them."""
    next_saga_id, before = db.execute("SELECT next_saga_id, before FROM log").fetchone()
    row = db.execute(f"{_COLUMNS} WHERE saga_id = ?", (saga_id,)).fetchone()
    if row is None:
        return SagaView(next_saga_id, None)
    saga = _values(db, row)
    blobs = db.execute(_BLOBS, (max(saga["cause"] or 0, before), id_pattern(saga_id)))
    delivered = db.execute(_DELIVERED, (saga_id,))
    story = with_events(
        saga,
        blobs=(blob for (blob,) in blobs),
        delivered=(msgpack.unpackb(frame) for (frame,) in delivered),
        journal_first=before,
    )
    return SagaView(next_saga_id, story)


def beginning(db: sqlite3.Connection) -> tuple[str, int, list[tuple[int, str]]]:
    """Give a log's id, the version of its last event, and id and name of every open saga."""
    log_id, version = db.execute("SELECT log_id, version FROM log").fetchone()
    sql = "SELECT saga_id, name FROM saga WHERE closed_at IS NULL ORDER BY saga_id"
    return log_id, version, db.execute(sql).fetchall()


def _values(db: sqlite3.Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    saga_id, name, snapshot, cause, host, epoch, deadline, extended, extensions, *ended = row
    opened_at, closed_at, result, failure = ended
    inputs = msgspec.json.decode(snapshot)
    steps: list[StepIssued] = []
    closed_steps: list[StepClosed] = []
    for step, target, command, is_closed, step_failure in db.execute(_STEPS, (saga_id,)):
        steps.append(StepIssued(saga_id, step, target, command))
        if is_closed:
            closed_steps.append(StepClosed(saga_id, step, step_failure))
    return saga_values(
        SagaOpened(saga_id, name, inputs, cause, host, epoch, deadline),
        opened_at=opened_at,
        closed=None if closed_at is None else SagaClosed(saga_id, result, failure),
        closed_at=closed_at,
        deadline=extended or deadline,
        extensions=extensions,
        steps=steps,
        closed_steps=closed_steps,
    )
