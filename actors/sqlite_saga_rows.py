"""Sagas out of a log's tables, as plain values; over any connection that only reads."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.saga_values import saga_values

_COLUMNS = (
    "SELECT saga_id, name, input, cause, host, epoch, deadline, extended, extensions, "
    "opened_at, closed_at, result, failure FROM saga "
)
_STEPS = (
    "SELECT step, target, command, is_closed, failure FROM step WHERE saga_id = ? ORDER BY step"
)


def newest(db: sqlite3.Connection, limit: int) -> Iterator[dict[str, Any]]:
    """Give the newest sagas, the newest first."""
    for row in db.execute(f"{_COLUMNS} ORDER BY saga_id DESC LIMIT ?", (limit,)).fetchall():
        yield _values(db, row)


def saga_of(db: sqlite3.Connection, saga_id: int) -> dict[str, Any] | None:
    """Give one saga, or None if it is not there."""
    row = db.execute(f"{_COLUMNS} WHERE saga_id = ?", (saga_id,)).fetchone()
    return _values(db, row) if row is not None else None


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
