"""The write-ahead file of a log stays small, and it is not the loop that sees to it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.saga_log import BlobAppended
from actors.sqlite_checkpoint import DUE_PAGES, LARGEST_PAGES
from actors.sqlite_log_file import PAGE_BYTES
from actors.sqlite_saga_log import SqliteSagaLog

BLOB = bytes(512 * 1024)
BLOBS_UNTIL_DUE = DUE_PAGES * PAGE_BYTES // len(BLOB) + 1
IDLE_SECONDS = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteSagaLog]:
    made = SqliteSagaLog(path, new_log_id="f" * 32, wall=lambda: 0)
    yield made
    made.close()


def write(log: SqliteSagaLog, first: int, count: int) -> None:
    for version in range(first, first + count):
        log.commit([BlobAppended(version, version, BLOB)])


def wal_pages(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size // PAGE_BYTES


def wait_until_idle(log: SqliteSagaLog) -> None:
    assert log._checkpointer.idle.wait(IDLE_SECONDS)  # noqa: SLF001 - when its thread is done


def test_a_thread_copies_the_write_ahead_file_and_the_loop_does_not(
    log: SqliteSagaLog, path: Path
) -> None:
    statements: list[str] = []
    log._db.set_trace_callback(statements.append)  # noqa: SLF001 - what the loop's own one does
    blobs = BLOBS_UNTIL_DUE
    size_before = path.stat().st_size
    write(log, 1, blobs)
    wait_until_idle(log)
    assert path.stat().st_size - size_before >= (blobs - 1) * len(BLOB)
    log._db.set_trace_callback(None)  # noqa: SLF001
    assert statements
    assert not [each for each in statements if "checkpoint" in each]
    assert log._db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)  # noqa: SLF001


def test_a_checkpoint_that_fails_is_told_and_the_next_one_is_tried(
    log: SqliteSagaLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connect = sqlite3.connect
    failures = ["unable to open database file"]

    def failing_once(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        if failures:
            raise sqlite3.OperationalError(failures.pop())
        made: sqlite3.Connection = connect(*args, **kwargs)
        return made

    monkeypatch.setattr("actors.sqlite_checkpoint.sqlite3.connect", failing_once)
    size_before = path.stat().st_size
    write(log, 1, BLOBS_UNTIL_DUE)
    wait_until_idle(log)
    assert path.stat().st_size == size_before
    assert "cannot be copied: unable to open database file" in caplog.text
    write(log, 1 + BLOBS_UNTIL_DUE, BLOBS_UNTIL_DUE)
    wait_until_idle(log)
    assert path.stat().st_size > size_before


def test_the_write_ahead_file_begins_anew_once_all_of_it_is_copied(
    log: SqliteSagaLog, path: Path
) -> None:
    blobs = BLOBS_UNTIL_DUE
    write(log, 1, blobs)
    wait_until_idle(log)
    largest = wal_pages(path)
    for round_number in range(1, 10):
        write(log, 1 + round_number * blobs, blobs)
        wait_until_idle(log)
    assert wal_pages(path) <= 2 * largest


def test_under_constant_load_the_loop_copies_the_rest_beyond_the_limit(
    log: SqliteSagaLog, path: Path
) -> None:
    blobs = 8 * LARGEST_PAGES * PAGE_BYTES // len(BLOB)
    write(log, 1, blobs)
    assert wal_pages(path) < 4 * LARGEST_PAGES
