"""The newest sagas of a log file, read-only: also while a launcher writes it, or none runs."""

import sqlite3
from pathlib import Path
from typing import Any

import msgpack
import msgspec

NEWEST = 50


class LogUnreadableError(RuntimeError):
    """A log file cannot be read; says which and why."""


def newest_sagas(path: Path, limit: int = NEWEST) -> list[dict[str, Any]]:
    """Give the newest sagas, the newest first, as plain values.

    Each has `saga_id`, `name`, `state` (`open`, `completed` or `failed`), `opened_at` and
    `closed_at` (nanoseconds of the wall clock, or None), `host`, `input`, `result`, `failure` and
    `steps`; a step has `step`, `target`, `command` (the type), `state` and `failure`.

    Raises:
        LogUnreadableError: there is no such file, or it is no saga log.
    """
    if not path.exists():
        msg = f"there is no log {path}: name the file that 'muxsaga launcher --log' was given"
        raise LogUnreadableError(msg)
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            db.execute("BEGIN")
            return [_saga(db, row) for row in db.execute(_SAGAS, (limit,)).fetchall()]
        finally:
            db.close()
    except sqlite3.Error as error:
        msg = f"log {path} cannot be read: {error}"
        raise LogUnreadableError(msg) from error


_SAGAS = (
    "SELECT saga_id, name, input, host, opened_at, closed_at, result, failure FROM saga "
    "ORDER BY saga_id DESC LIMIT ?"
)
_STEPS = (
    "SELECT step, target, command, is_closed, failure FROM step WHERE saga_id = ? ORDER BY step"
)


def _saga(db: sqlite3.Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    saga_id, name, snapshot, host, opened_at, closed_at, result, failure = row
    state = "open" if closed_at is None else "completed" if failure is None else "failed"
    return {
        "saga_id": saga_id,
        "name": name,
        "state": state,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "host": host,
        "input": msgspec.json.decode(snapshot),
        "result": result,
        "failure": failure,
        "steps": [_step(step) for step in db.execute(_STEPS, (saga_id,))],
    }


def _step(row: tuple[Any, ...]) -> dict[str, Any]:
    step, target, command, is_closed, failure = row
    state = "awaited" if not is_closed else "settled" if failure is None else "failed"
    return {
        "step": step,
        "target": target,
        "command": msgpack.unpackb(command)["type"],
        "state": state,
        "failure": failure,
    }
