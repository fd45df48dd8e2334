"""The file of an SQLite saga log: made whole, looked at before it is touched, brought up to date.

A file is looked at read-only first, so that one which is refused stays as it is to the byte. A new
one is made beside its place and moved there, so that no start that was killed leaves half a log.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from transport.endpoints import DirectoryLock

Durability = Literal["process", "power"]

APPLICATION_ID = 0x6D757873
"""Says that a file is ours (`PRAGMA application_id`): "muxs"."""

BUSY_SECONDS = 0.1
"""How long a write waits for somebody else's lock on the file; then the log is unavailable."""

LOOKED_THROUGH_BYTES = 512 * 1024 * 1024
"""A larger file is not looked through at the start, but read where the launcher needs it: brackets
that are open cannot wait for that."""

_PRIMARY = 0xFF
"""The part of an SQLite error code that is no detail (<https://www.sqlite.org/rescode.html>)."""


UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    msgspec.MsgspecError,
)
"""What reading a row raises that is not what anybody wrote."""


class LogRefusedError(RuntimeError):
    """A log file cannot be used; says which, why and what to do. The file is as it was."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file has to look like.

    Attributes:
        version: the file's `PRAGMA user_version`.
        creation: the statements that make an empty one.
        migrations: by version, the statements that make the next version out of it.
        read_as: by version, the statements after which a connection that changes nothing finds in
            such a file what it looks for in one of the newest version.
    """

    version: int
    creation: str
    migrations: Mapping[int, str] = field(default_factory=dict)
    read_as: Mapping[int, str] = field(default_factory=dict)


PAGE_BYTES = 2_048
"""Of a new file. A commit changes some bytes in each of half a dozen pages, and writes all."""

_SAGAS = """
CREATE TABLE saga_opened (saga_id INTEGER PRIMARY KEY, name TEXT NOT NULL, input TEXT NOT NULL,
    cause INTEGER, host TEXT, epoch TEXT, deadline INTEGER NOT NULL,
    extended INTEGER, extensions INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER NOT NULL, target TEXT, command BLOB);
CREATE TABLE saga_closed (saga_id INTEGER PRIMARY KEY, closed_at INTEGER NOT NULL,
    result TEXT, failure TEXT);
CREATE TABLE step_issued (saga_id INTEGER NOT NULL REFERENCES saga_opened ON DELETE CASCADE,
    step INTEGER NOT NULL, target TEXT NOT NULL, command BLOB NOT NULL,
    is_closed INTEGER NOT NULL DEFAULT 0, failure TEXT, PRIMARY KEY (saga_id, step)) WITHOUT ROWID;
CREATE TABLE event_delivered (number INTEGER PRIMARY KEY,
    saga_id INTEGER NOT NULL REFERENCES saga_opened ON DELETE CASCADE, event BLOB NOT NULL);
CREATE INDEX event_delivered_to ON event_delivered (saga_id);
"""
"""What a commit writes of sagas: nearly always rows at the ends of tables, which cost least. The
first step of a saga is in its row; `step_issued` has a row for each other one, and for the first
one too where it ends before its saga, or fails."""

_VIEWS = """
CREATE VIEW saga AS SELECT saga_id, name, input, cause, host, epoch, deadline, extended, extensions,
    opened_at, closed_at, result, failure FROM saga_opened LEFT JOIN saga_closed USING (saga_id);
CREATE VIEW step AS
    SELECT saga_id, step, target, command, is_closed, failure FROM step_issued UNION ALL
    SELECT saga_id, 0, target, command, 0, NULL FROM saga_opened WHERE command IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM step_issued
            WHERE step_issued.saga_id = saga_opened.saga_id AND step = 0);
"""
"""What is read: whole sagas and all their steps."""

_LOWEST_OPEN = "ALTER TABLE log ADD COLUMN lowest_open INTEGER NOT NULL DEFAULT 1;"

_MOVED = """
INSERT INTO saga_opened SELECT saga_id, name, input, cause, host, epoch, deadline, extended,
    extensions, opened_at, NULL, NULL FROM saga;
INSERT INTO saga_closed SELECT saga_id, closed_at, result, failure FROM saga
    WHERE closed_at IS NOT NULL;
INSERT INTO step_issued SELECT saga_id, step, target, command, is_closed, failure FROM step;
INSERT INTO event_delivered SELECT number, saga_id, event FROM delivered;
DROP TABLE step;
DROP TABLE delivered;
DROP TABLE saga;
"""
"""Out of the tables of schema 3, in which a saga's row was changed when it ended."""

_SEEN_AS_NOW = """
CREATE TEMP VIEW log AS SELECT *, 1 AS lowest_open FROM main.log;
CREATE TEMP VIEW event_delivered AS SELECT * FROM main.delivered;
"""
"""For the tables of schemas 1 to 3, whose `saga` and `step` have the columns of today's views."""

SCHEMA = Schema(
    version=4,
    creation=f"""
CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL,
    next_saga_id INTEGER NOT NULL, version INTEGER NOT NULL, before INTEGER NOT NULL,
    lowest_open INTEGER NOT NULL DEFAULT 1);
CREATE TABLE blob (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE TABLE snapshot (before INTEGER NOT NULL, number INTEGER NOT NULL, row BLOB NOT NULL,
    PRIMARY KEY (before, number)) WITHOUT ROWID;
CREATE TABLE report_taken (host TEXT NOT NULL, epoch TEXT NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (host, epoch)) WITHOUT ROWID;
CREATE TABLE superseded (host TEXT NOT NULL, epoch TEXT NOT NULL, by TEXT NOT NULL,
    PRIMARY KEY (host, epoch)) WITHOUT ROWID;
{_SAGAS}{_VIEWS}""",
    migrations={
        1: """
CREATE TABLE snapshot_2 (before INTEGER NOT NULL, number INTEGER NOT NULL, row BLOB NOT NULL,
    PRIMARY KEY (before, number)) WITHOUT ROWID;
INSERT INTO snapshot_2 SELECT log.before, snapshot.number, snapshot.row FROM snapshot, log;
DROP TABLE snapshot;
ALTER TABLE snapshot_2 RENAME TO snapshot;
""",
        2: "DROP INDEX closed_saga",
        3: f"{_LOWEST_OPEN}{_SAGAS}{_MOVED}{_VIEWS}",
    },
    read_as=dict.fromkeys((1, 2, 3), _SEEN_AS_NOW),
)


def hold_log_file(path: Path) -> DirectoryLock:
    """Hold a log file for this process, until it ends or lets it go.

    Raises:
        LogRefusedError: the lock beside the file cannot be made.
        EndpointError: another process holds it; names that one.
    """
    # By its own name: a log that two symbolic links lead to is one log.
    place = path.resolve()
    try:
        return DirectoryLock(place.with_name(f"{place.name}.lock"), f"the launcher of {path}")
    except OSError as error:
        raise _beside(path, error) from error


def open_log_file(
    path: Path, *, durability: Durability, new_log_id: str, schema: Schema = SCHEMA
) -> sqlite3.Connection:
    """Give a connection that writes a log file, made if it is not there, of this schema.

    Args:
        path: the file.
        durability: what a commit survives.
        new_log_id: the id of a log that is made.
        schema: what the file has to look like; an older one is brought up to it.

    Raises:
        LogRefusedError: it cannot be used.
    """
    with refusal(path):
        if not _is_sound(path, schema):
            _make(path, new_log_id, schema)
        db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            _prepare(db, durability, schema)
        except BaseException:
            db.close()
            raise
        return db


@contextmanager
def refusal(path: Path) -> Iterator[None]:
    """Turn whatever shows that a log file cannot be used into one error.

    Raises:
        LogRefusedError: names the file, the cause and the remedy.
    """
    try:
        yield
    except sqlite3.Error as error:
        msg = f"log {path} cannot be used: {error}: {_remedy(error)}"
        raise LogRefusedError(msg) from error
    except OSError as error:
        raise _beside(path, error) from error
    except UNREADABLE as error:
        raise LogRefusedError(corrupt(path, error)) from error


def corrupt(path: Path, error: Exception) -> str:
    """Say that a row of a log cannot be read."""
    return (
        f"log {path} is corrupt: a row of it cannot be read ({error}): "
        "restore it from a backup, or name another file"
    )


def _beside(path: Path, error: OSError) -> LogRefusedError:
    """Give what it means that a file beside the log cannot be made."""
    remedy = (
        "make room on its disk"
        if error.errno == errno.ENOSPC
        else "make its directory writable, or name another file"
    )
    return LogRefusedError(f"log {path} cannot be used: {error.strerror}: {remedy}")


def _remedy(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "end the program that has it locked"
        case sqlite3.SQLITE_FULL:
            return "make room on its disk"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "make it and its directory writable, or name another file"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return "restore it from a backup, or name another file"
        case _:
            return "see to its disk, or name another file"


def _is_sound(path: Path, schema: Schema) -> bool:
    """Say whether there is a log that can be used; nothing is changed, whatever there is.

    Raises:
        LogRefusedError, sqlite3.Error: there is something that cannot.
    """
    place = path.resolve()
    tail = place.with_name(f"{place.name}-wal")
    has_tail = tail.exists() and tail.stat().st_size > 0
    if not path.exists() or path.stat().st_size == 0:
        if has_tail:
            msg = f"log {path} is empty, but {tail.name} is not: restore both, or name another file"
            raise LogRefusedError(msg)
        return False
    # Without a tail nobody writes it: as `immutable`, it is read without making files beside it.
    how = "mode=ro" if has_tail else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as db:
        check_ours(db, path, schema)
        if path.stat().st_size > LOOKED_THROUGH_BYTES:
            return True
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            problem = " ".join(found.split())
            msg = (
                f"log {path} is corrupt ({problem}): restore it from a backup, or name another file"
            )
            raise LogRefusedError(msg)
    return True


def check_ours(db: sqlite3.Connection, path: Path, schema: Schema = SCHEMA) -> None:
    """Make sure that a file is a saga log, of a schema that is known.

    Raises:
        LogRefusedError: it is not; says which and what to do.
        sqlite3.Error: it cannot be read.
    """
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        msg = f"{path} is an SQLite file, but no saga log: name another file"
        raise LogRefusedError(msg)
    if version > schema.version:
        msg = (
            f"log {path} has schema {version}, this muxsaga knows up to {schema.version}: "
            "use the newer muxsaga that wrote it, or name another file"
        )
        raise LogRefusedError(msg)
    if any(each not in schema.migrations for each in range(version, schema.version)):
        msg = (
            f"log {path} has schema {version}, which this muxsaga cannot bring up to "
            f"{schema.version}: use the muxsaga that wrote it, or name another file"
        )
        raise LogRefusedError(msg)


def read_as_newest(db: sqlite3.Connection, schema: Schema = SCHEMA) -> None:
    """Let a connection that changes nothing read a file of an older schema as one of the newest.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    _execute_all(db, schema.read_as.get(version, ""))


def _make(path: Path, log_id: str, schema: Schema) -> None:
    place = path.resolve()
    making = place.with_name(f"{place.name}.new")
    making.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(making, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            db.execute("BEGIN")
            _execute_all(db, schema.creation)
            db.execute(
                "INSERT INTO log (one, log_id, next_saga_id, version, before) "
                "VALUES (1, ?, 1, 0, 1)",
                (log_id,),
            )
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {schema.version}")
            db.execute("COMMIT")
        making.replace(place)
    except BaseException:
        with suppress(OSError):
            making.unlink()
        raise
    directory = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _prepare(db: sqlite3.Connection, durability: Durability, schema: Schema) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for each in range(version, schema.version):
        _execute_all(db, schema.migrations[each])
        db.execute(f"PRAGMA user_version = {each + 1}")
    db.execute("COMMIT")
    # Only now: a migration may make a table anew that others refer to.
    db.execute("PRAGMA foreign_keys = ON")


def _execute_all(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)
