"""Reads a log file without changing it, nor anything beside it: while a launcher writes it or not.

A file in WAL mode is read together with its `-wal`, through an index that is shared in `-shm`
(<https://www.sqlite.org/wal.html#read_only_databases>):

* no `-wal`, or an empty one: nobody wrote it since it was closed in order; it is read as it stands
  (`immutable`), so that no `-wal` and no `-shm` are made beside it.
* a `-wal` with something in it: a launcher runs, or was killed. It is read through `-shm`, which a
  reader may have to make. Where it cannot, as on a read-only mount, nobody writes; a private copy
  is read.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from actors.sqlite_log_file import UNREADABLE, LogRefusedError, check_ours, corrupt, read_as_newest


class LogUnreadableError(RuntimeError):
    """A log file cannot be read; says which and why."""


class LogEmptyError(LogUnreadableError):
    """A log file has nothing in it: the launcher that uses it first makes the log."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Read a log file in one transaction: everything in it is of one moment.

    Raises:
        LogEmptyError: the file has nothing in it.
        LogUnreadableError: there is no such file, it is no saga log, or it is of a newer version;
            or what was read in the transaction is not what anybody wrote.
    """
    if not path.exists():
        msg = f"there is no log {path}: name the file that 'muxsaga launcher --log' was given"
        raise LogUnreadableError(msg)
    try:
        with _opened(path) as db:
            if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                msg = f"log {path} is empty: no launcher has used it yet"
                raise LogEmptyError(msg)
            check_ours(db, path)
            read_as_newest(db)
            yield db
    except (sqlite3.Error, OSError) as error:
        msg = f"log {path} cannot be read: {error}"
        raise LogUnreadableError(msg) from error
    except LogRefusedError as error:
        raise LogUnreadableError(str(error)) from error
    except UNREADABLE as error:
        raise LogUnreadableError(corrupt(path, error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    wal = wal_of(path)
    has_tail = wal.exists() and wal.stat().st_size > 0
    if has_tail and path.stat().st_size == 0:
        # SQLite, also where it may only read, deletes the tail of a database that has nothing.
        msg = f"log {path} is empty, but {wal.name} is not: restore both, or name another file"
        raise LogUnreadableError(msg)
    if not has_tail:
        with closing(_connect(path, "mode=ro&immutable=1")) as db:
            yield db
        return
    db = _connect(path, "mode=ro")
    try:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.OperationalError as error:
        db.close()
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise
        with _copied(path) as copy:
            yield copy
        return
    with closing(db):
        yield db


@contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="muxsaga-") as directory:
        copy = Path(directory) / "log"
        shutil.copyfile(path, copy)
        shutil.copyfile(wal_of(path), wal_of(copy))
        with closing(_connect(copy, "mode=ro")) as db:
            yield db


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)


def wal_of(path: Path) -> Path:
    """Give the file where SQLite keeps what is committed and not yet in the log file itself.

    It is beside the file that a symbolic link leads to.
    """
    place = path.resolve()
    return place.with_name(f"{place.name}-wal")
