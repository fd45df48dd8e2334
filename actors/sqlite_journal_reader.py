"""Reads the journal of an SQLite log, on a connection of its own: only what is committed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from actors.sqlite_saga_rows import saga_view
from transport.event_stream.query_session import JournalView, SagaView, SnapshotPage
from transport.messages import SnapshotRow

_snapshot_row = msgspec.msgpack.Decoder(SnapshotRow)


class SqliteJournalReader:
    """A reader for one thread; it opens its connection when that thread first asks.

    Args:
        path: the log's file.
        log_id: the log's id.
    """

    def __init__(self, path: Path, log_id: str) -> None:
        self._path = path
        self._log_id = log_id
        self._db: sqlite3.Connection | None = None

    @property
    def log_id(self) -> str:
        """The log's own id."""
        return self._log_id

    def view(self) -> JournalView:
        """Give the versions that the journal has now."""
        with self._reading() as db:
            return _view(db)

    def blobs_from(self, version: int, byte_limit: int) -> list[bytes]:
        """Give whole blobs in order, the first of them containing `version`."""
        with self._reading() as db:
            view = _view(db)
            if not view.first <= version <= view.last:
                return []
            size, page = 0, list[bytes]()
            sql = "SELECT blob FROM blob WHERE last >= ? ORDER BY first"
            for (blob,) in db.execute(sql, (version,)):
                size += len(blob)
                if page and size > byte_limit:
                    break
                page.append(blob)
            return page

    def snapshot_page(self, offset: int, limit: int) -> SnapshotPage:
        """Give at most `limit` rows of the snapshot from `offset` on, and how many there are."""
        with self._reading() as db:
            before = _view(db).first
            sql = "SELECT ifnull(max(number) + 1, 0) FROM snapshot WHERE before = ?"
            (total,) = db.execute(sql, (before,)).fetchone()
            sql = (
                "SELECT row FROM snapshot WHERE before = ? AND number >= ? ORDER BY number LIMIT ?"
            )
            frames = db.execute(sql, (before, offset, limit)).fetchall()
            rows = [_snapshot_row.decode(frame) for (frame,) in frames]
            return SnapshotPage(before, total, rows)

    def saga(self, saga_id: int) -> SagaView:
        """Give one saga's rows, and its events as far as the journal has them."""
        with self._reading() as db:
            return saga_view(db, saga_id)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Read in one transaction: everything in it is of one moment."""
        if self._db is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._db.execute("BEGIN")
        try:
            yield self._db
        finally:
            self._db.execute("COMMIT")


def _view(db: sqlite3.Connection) -> JournalView:
    before, last = db.execute("SELECT before, version FROM log").fetchone()
    return JournalView(before, last)
