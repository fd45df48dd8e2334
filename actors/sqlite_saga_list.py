"""The newest sagas of a log file, read-only: also while a launcher writes it, or none runs."""

from pathlib import Path
from typing import Any

from actors.sqlite_read_only import reading
from actors.sqlite_saga_rows import newest

NEWEST = 50


def newest_sagas(path: Path, limit: int = NEWEST) -> list[dict[str, Any]]:
    """Give the newest sagas, the newest first; see `actors.saga_values.saga_values`.

    Raises:
        LogUnreadableError: there is no such file, it is no saga log, or it is of a newer version.
    """
    with reading(path) as db:
        return list(newest(db, limit))
