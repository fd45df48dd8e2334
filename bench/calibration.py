"""How fast the machine is at this moment: plain Python work, and small commits to its disk."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.result import CommitCost

SLICE_SECONDS = 0.05
SLICES = 5
COMMITS = 50
COMMIT_SECONDS = 1.0
"""So many commits are made, or fewer if they take that long: disks of busy machines may."""

ROW = bytes(300)
"""About what a saga's row and its step's take."""


def calibrate() -> float:
    """Give how many rounds of a fixed piece of Python work are done a second, as a median."""
    return median(_rounds_a_second() for _ in range(SLICES))


def _rounds_a_second() -> float:
    began = time.perf_counter()
    rounds = 0
    while (elapsed := time.perf_counter() - began) < SLICE_SECONDS:
        _work()
        rounds += 1
    return rounds / elapsed


def _work() -> int:
    table = {number: str(number) for number in range(200)}
    return sum(len(text) for text in table.values())


def commit_cost() -> CommitCost:
    """Give what a small commit costs where benchmarks put their logs."""
    with tempfile.TemporaryDirectory(prefix="muxsaga-bench-") as name:
        normal, full = (_median_commit(Path(name), level) for level in ("NORMAL", "FULL"))
    return CommitCost(normal_us=normal, full_us=full)


def _median_commit(directory: Path, level: str) -> float:
    database = sqlite3.connect(directory / f"{level}.sqlite", isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {level}")
        database.execute("CREATE TABLE log (row BLOB)")
        costs = list[float]()
        while len(costs) < COMMITS and sum(costs) < COMMIT_SECONDS:
            costs.append(_timed(lambda: _commit(database)))
        return median(costs) * 1e6
    finally:
        database.close()


def _commit(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO log VALUES (?)", (ROW,))
    database.execute("COMMIT")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
