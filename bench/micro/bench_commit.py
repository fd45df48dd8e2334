"""What the saga log takes for the rows of a pass."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import Row, SagaLog
from actors.sqlite_log_file import Durability
from actors.sqlite_saga_log import SqliteSagaLog
from bench.micro.measure import Measure
from bench.micro.played_promotes import LOG_ID, PlayedPromotes

ROUNDS = {1: 150, 64: 15}
"""How often so many promotes begin and end."""

Passes = list[Sequence[Row]]


def rows_of_passes(promotes: int, rounds: int) -> tuple[Passes, Iterator[Passes]]:
    """Give the rows of a launcher's passes: until its pool is full, then of each round.

    A round is two passes: one in which so many promotes begin, one in which they all end.
    """
    played = PlayedPromotes(promotes, keep_rows=True)
    kept = played.log.kept
    assert kept is not None  # noqa: S101 - it was told to keep them
    before = list(kept)
    for _ in range(rounds):
        played.make_pass(played.triggers(promotes))
        played.make_pass(played.answers())
    after = kept[len(before) :]
    return before, (after[index : index + 2] for index in range(0, len(after), 2))


def _memory(directory: Path) -> SagaLog:
    del directory
    return MemorySagaLog(LOG_ID)


def _sqlite(durability: Durability) -> Callable[[Path], SagaLog]:
    def make(directory: Path) -> SagaLog:
        path = directory / "log.sqlite"
        return SqliteSagaLog(path, new_log_id=LOG_ID, wall=time.time_ns, durability=durability)

    return make


LOGS = {"memory": _memory, "process": _sqlite("process"), "power": _sqlite("power")}


@pytest.mark.parametrize("promotes", ROUNDS)
@pytest.mark.parametrize("log", LOGS)
def bench_commit(measure: Measure, tmp_path: Path, log: str, promotes: int) -> None:
    """A commit of a pass in which so many promotes begin, or end."""
    opened = LOGS[log](tmp_path)
    before, rounds = rows_of_passes(promotes, ROUNDS[promotes] + 1)
    for rows in before:
        opened.commit(rows)

    def commit_both(passes: Passes) -> None:
        for rows in passes:
            opened.commit(rows)

    measure(
        commit_both,
        operations=2,
        prepare=lambda: next(rounds),
        rounds=ROUNDS[promotes],
        disk=log == "power",
    )
    if isinstance(opened, SqliteSagaLog):
        opened.close()
