"""What a log file has when a history ends, as the history's lines."""

from pathlib import Path
from typing import Any

from actors.sqlite_checked_rows import log_row
from actors.sqlite_read_only import reading
from actors.sqlite_saga_rows import all_from
from transport.history_lines import LogLine, SagaLine, StepRow


def log_lines(
    path: Path, at_ns: int, *, after: int = 0, first_saga: int = 1, also: frozenset[int]
) -> list[SagaLine | LogLine]:
    """Give the lines of a log file's sagas and of the log itself.

    Args:
        path: the file, which may be in use.
        at_ns: the lines' time.
        after: only the journal's blobs after this version are named.
        first_saga: only sagas from this id on have lines.
        also: ids of earlier sagas that have lines too.

    Raises:
        LogUnreadableError: there is no such file, it is no saga log, or it is of a newer version.
    """
    with reading(path) as db:
        log = log_row(db)
        sql = "SELECT first, last FROM blob WHERE first > ? ORDER BY first"
        journal = tuple(db.execute(sql, (after,)).fetchall())
        least = min((first_saga, *also))
        sagas = [
            saga_line(values, at_ns)
            for values in all_from(db, least)
            if values["saga_id"] >= first_saga or values["saga_id"] in also
        ]
    return [*sagas, LogLine(at_ns, log.log_id, log.version, log.next_saga_id, journal)]


def saga_line(values: dict[str, Any], at_ns: int) -> SagaLine:
    """Give the line of a saga, from its plain values as `actors.saga_values` has them."""
    steps = tuple(
        StepRow(each["step"], each["target"], each["command"], each["state"], each["failure"])
        for each in values["steps"]
    )
    return SagaLine(
        at_ns,
        values["saga_id"],
        values["name"],
        values["state"],
        host=values["host"],
        epoch=values["epoch"],
        cause=values["cause"],
        result=values["result"],
        failure=values["failure"],
        steps=steps,
    )
