"""Rows of a log's tables with the types that the schema means.

SQLite keeps whatever a cell has, of any type, and a spoiled byte may make a number of a text; its
own check of a file does not look at that.
"""

import sqlite3
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from transport.messages.base import Count, Epoch, HostId, LogId, Name, SagaId, Sequence, Version

RowT = TypeVar("RowT", bound=tuple[Any, ...])

Wall = int
"""Nanoseconds of the wall clock."""


class LogRow(NamedTuple):
    """The one row of `log`. `lowest_open`: no saga with a lower id is open."""

    log_id: LogId
    next_saga_id: SagaId
    version: Version
    before: Annotated[int, Meta(ge=1)]
    lowest_open: SagaId


class SagaRow(NamedTuple):
    """A row of `saga`. `input`: JSON."""

    saga_id: SagaId
    name: Name
    input: str
    cause: Version | None
    host: HostId | None
    epoch: Epoch | None
    deadline: Wall
    extended: Wall | None
    extensions: Count
    opened_at: Wall
    closed_at: Wall | None
    result: str | None
    failure: str | None


class StepRow(NamedTuple):
    """A row of `step`. `command`: its frame."""

    step: Count
    target: str
    command: bytes
    is_closed: Annotated[int, Meta(ge=0, le=1)]
    failure: str | None


class TakenRow(NamedTuple):
    """A row of `report_taken`."""

    host: HostId
    epoch: Epoch
    sequence: Sequence


class SupersededRow(NamedTuple):
    """A row of `superseded`."""

    host: HostId
    epoch: Epoch
    by: Epoch


def checked(rows: sqlite3.Cursor, kind: type[RowT]) -> list[RowT]:
    """Give rows as what they are; the cursor is read to its end first, and holds nothing open.

    Raises:
        msgspec.ValidationError: a cell is of another type, or out of its range.
    """
    return [msgspec.convert(row, kind, builtin_types=(bytes,)) for row in rows.fetchall()]


def log_row(db: sqlite3.Connection) -> LogRow:
    """Give what a log says of itself.

    Raises:
        msgspec.ValidationError: a cell is of another type, or out of its range.
        LookupError: there is no such row.
    """
    rows = checked(
        db.execute("SELECT log_id, next_saga_id, version, before, lowest_open FROM log"), LogRow
    )
    if not rows:
        msg = "the table log is empty"
        raise LookupError(msg)
    return rows[0]
