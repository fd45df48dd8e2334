"""Copies an SQLite log's write-ahead file back into the log, in a thread of its own.

A checkpoint waits for the disk again and again, and nothing but the commit may block the
launcher's loop. The write-ahead file begins anew only where a checkpoint has copied all of it, and
under constant load the thread never quite does; so beyond a limit it says that the rest, a few
pages by then, is to be copied between two commits.
See <https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files>.
"""

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from actors.sqlite_log_file import PAGE_BYTES

DUE_PAGES = 2_000
"""After about so many pages written (4 MiB) a checkpoint is due, as much as SQLite's default."""

LARGEST_PAGES = 16_384
"""Beyond so many pages in the write-ahead file (32 MiB) the loop itself copies the rest."""

PATIENCE_SECONDS = 1.0
"""How long a commit waits for a checkpoint while that many more pages were written."""

PAGES_A_COMMIT = 8
ROWS_A_PAGE = 8
"""By these the pages of a commit are estimated; SQLite does not tell Python."""

logger = logging.getLogger("muxsaga.log")


class Checkpointer:
    """Has one log's write-ahead file copied back; used by the thread that writes the log.

    Args:
        path: the log's file.

    Attributes:
        idle: set while no checkpoint is due or under way.
    """

    def __init__(self, path: Path) -> None:
        self.idle = threading.Event()
        self.idle.set()
        self._path = path
        self._pages = 0
        self._rest_is_due = False
        self._due = threading.Semaphore(0)
        self._closing = False
        self._thread: threading.Thread | None = None

    def committed(self, db: sqlite3.Connection, rows: int, blob_bytes: int) -> None:
        """Note a commit on `db`, and see whether a checkpoint is due."""
        self._pages += PAGES_A_COMMIT + rows // ROWS_A_PAGE + blob_bytes // PAGE_BYTES
        if self._pages >= LARGEST_PAGES:
            self.idle.wait(PATIENCE_SECONDS)
        if not self.idle.is_set():
            return
        if self._rest_is_due:
            # The next write begins the file anew only if no checkpoint runs beside it.
            self._rest_is_due = False
            self._pages = 0
            try:
                self._copied(db)
            except sqlite3.Error as error:
                self._warn(error)
        elif self._pages >= DUE_PAGES:
            self._pages = 0
            self.idle.clear()
            self._begin()

    def _begin(self) -> None:
        self._due.release()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="muxsaga-checkpoint", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """End the thread; a checkpoint under way is finished."""
        if self._thread is not None:
            self._closing = True
            self._due.release()
            self._thread.join()

    def _run(self) -> None:
        while self._due.acquire() and not self._closing:
            try:
                with closing(sqlite3.connect(self._path, isolation_level=None)) as db:
                    self._rest_is_due = self._copied(db) > LARGEST_PAGES
            except sqlite3.Error as error:
                self._warn(error)
            self.idle.set()

    @staticmethod
    def _copied(db: sqlite3.Connection) -> int:
        """Copy what is there by now; give how many pages the write-ahead file had."""
        pages: int = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        return pages

    def _warn(self, error: sqlite3.Error) -> None:
        logger.warning("%s: its write-ahead file cannot be copied: %s", self._path, error)
