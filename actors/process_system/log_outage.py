"""A saga log that cannot be written for a while: somebody else holds SQLite's write lock."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from transport.history_lines import OutageLine

REASON = "another process holds the write lock"


class LogOutage:
    """An outage of a log's file. It belongs to one thread.

    It is no pretence: the launcher's own commits fail with SQLite's "database is locked".

    Args:
        path: the log's file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._holder: sqlite3.Connection | None = None

    @property
    def lasts(self) -> bool:
        """Whether the lock is held."""
        return self._holder is not None

    def begin(self) -> OutageLine | None:
        """Take the lock, and give the line that says so; None if a commit has it just now."""
        if self._holder is not None or not self._path.exists():
            return None
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        holder = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0)
        try:
            holder.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            holder.close()
            return None
        self._holder = holder
        return OutageLine(time.monotonic_ns(), "began", REASON)

    def end(self) -> OutageLine | None:
        """Give the lock back, and the line that says so; None if it was not held."""
        if self._holder is None:
            return None
        line = OutageLine(time.monotonic_ns(), "ended")
        with closing(self._holder):
            self._holder.execute("ROLLBACK")
        self._holder = None
        return line
