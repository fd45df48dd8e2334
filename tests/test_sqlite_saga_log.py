"""What the log in a file promises beside the contract."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.saga_log import (
    EventDelivered,
    LogUnavailableError,
    ReportsTaken,
    SagaClosed,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from actors.sqlite_saga_log import (
    LOOKED_AT_A_COMMIT,
    RETENTION,
    SECOND,
    LogRefusedError,
    SqliteSagaLog,
)
from transport.endpoints import EndpointError
from transport.messages import PoolWindowAdded

LOG_ID = "f" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


def log_at(path: Path, now: int = 0, log_id: str = LOG_ID) -> SqliteSagaLog:
    return SqliteSagaLog(path, new_log_id=log_id, wall=lambda: now)


@pytest.fixture
def log(path: Path) -> Iterator[SqliteSagaLog]:
    made = log_at(path)
    yield made
    made.close()


def opened(saga_id: int) -> SagaOpened:
    return SagaOpened(saga_id, "pool_refill", {"host": "h"}, None, "h", "1" * 32, 5)


def test_a_log_keeps_its_id_and_contents_when_it_is_opened_again(path: Path) -> None:
    first = log_at(path)
    first.commit([opened(1), ReportsTaken("h", "1" * 32, 7)])
    first.close()
    second = log_at(path, log_id="0" * 32)
    assert second.log_id == LOG_ID
    assert [record.opened for record in second.load().open_sagas] == [opened(1)]
    second.close()


def test_what_was_committed_survives_kill_9(path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from tests.test_sqlite_saga_log import *\n"
        "log = log_at(Path(sys.argv[1]))\n"
        "for number in range(1, 10**6):\n"
        "    log.commit([opened(number)])\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 50:
                break
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in process.stdout if line.endswith("\n")]
    last = max([50, *said])
    log = log_at(path)
    assert len(log.load().open_sagas) >= last
    log.close()


def test_the_second_launcher_of_a_log_is_told_which_is_the_first(
    log: SqliteSagaLog, path: Path
) -> None:
    assert log.log_id == LOG_ID
    with pytest.raises(EndpointError, match=rf"in use by the launcher of .* \(pid {os.getpid()}\)"):
        log_at(path)


def test_a_full_disk_keeps_nothing_of_the_commit_and_everything_goes_on_after_it(
    log: SqliteSagaLog,
) -> None:
    log.commit([opened(1)])
    pages = log._db.execute("PRAGMA page_count").fetchone()[0]  # noqa: SLF001 - SQLite's own limit
    log._db.execute(f"PRAGMA max_page_count = {pages}")  # noqa: SLF001
    many = [opened(number) for number in range(2, 2000)]
    with pytest.raises(LogUnavailableError, match="full"):
        log.commit(many)
    assert len(log.load().open_sagas) == 1
    log._db.execute("PRAGMA max_page_count = 1000000")  # noqa: SLF001
    log.commit(many)
    assert len(log.load().open_sagas) == 1999


@pytest.mark.parametrize("another", [False, True])
def test_a_log_whose_file_is_taken_away_is_unavailable_until_it_is_put_back(
    path: Path,
    another: bool,  # noqa: FBT001 - whether another file is in its place
) -> None:
    times = iter(range(0, 100 * SECOND, 2 * SECOND))
    log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: next(times))
    log.commit([opened(1)])
    elsewhere = path.rename(path.with_name("elsewhere"))
    if another:
        path.write_bytes(elsewhere.read_bytes())
    with pytest.raises(LogUnavailableError, match="taken away while it was in use: put it back"):
        log.commit([opened(2)])
    elsewhere.replace(path)
    log.commit([opened(2)])
    assert [record.opened.saga_id for record in log.load().open_sagas] == [1, 2]
    log.close()


def test_a_log_that_somebody_else_has_locked_is_unavailable_and_says_so(
    log: SqliteSagaLog, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnavailableError, match="locked"):
        log.commit([opened(1)])
    other.execute("ROLLBACK")
    other.close()
    log.commit([opened(1)])
    assert len(log.load().open_sagas) == 1


def refused(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(LogRefusedError) as caught:
        log_at(path)
    assert path.read_bytes() == before
    return str(caught.value)


def test_a_corrupt_log_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    assert "file is not a database" in refused(path)


def test_a_log_of_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    log_at(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    assert "has schema 99" in refused(path)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    assert "no saga log" in refused(path)


def test_a_refused_log_is_not_held(path: Path) -> None:
    path.write_bytes(b"nonsense" * 100)
    refused(path)
    path.unlink()
    log_at(path).close()


def test_finished_sagas_are_forgotten_after_seven_days_and_unfinished_ones_never(
    path: Path,
) -> None:
    log = log_at(path)
    log.commit([opened(1), opened(2), SagaClosed(1, "a", None)])
    log.close()
    later = log_at(path, RETENTION + 1)
    later.commit([ReportsTaken("h", "1" * 32, 1)])
    assert ids(later) == [2]
    contents = later.load()
    assert [record.opened.saga_id for record in contents.open_sagas] == [2]
    assert contents.next_saga_id == 3
    later.close()


def test_many_old_sagas_are_forgotten_a_part_a_commit_and_a_young_one_ends_the_search(
    path: Path,
) -> None:
    log = log_at(path)
    log.commit([opened(saga_id) for saga_id in range(1, 3 * LOOKED_AT_A_COMMIT)])
    closed = [each for each in range(1, 3 * LOOKED_AT_A_COMMIT) if each % 10]
    log.commit([SagaClosed(each, "a", None) for each in closed])
    log.close()
    young = log_at(path, SECOND)
    young.commit([opened(500), SagaClosed(500, "a", None)])
    young.close()

    later = log_at(path, RETENTION + 1)
    left = []
    for number in range(4):
        later.commit([ReportsTaken("h", "1" * 32, number)])
        left.append(len(ids(later)))
    still_open = [each for each in range(1, 3 * LOOKED_AT_A_COMMIT) if not each % 10]
    assert left[0] > left[1] > left[2] == left[3]
    assert ids(later) == [*still_open, 500]
    assert rows(later, "SELECT count(*) FROM saga_closed") == [(1,)]
    later.close()


def ids(log: SqliteSagaLog) -> list[int]:
    return [saga_id for (saga_id,) in rows(log, "SELECT saga_id FROM saga ORDER BY saga_id")]


def rows(log: SqliteSagaLog, sql: str) -> list[tuple[Any, ...]]:
    return log._db.execute(sql).fetchall()  # noqa: SLF001 - what is in the file


def test_open_sagas_are_looked_for_from_the_oldest_on(path: Path) -> None:
    lowest = "SELECT lowest_open FROM log"
    log = log_at(path)
    log.commit([opened(1), opened(2)])
    for saga_id in range(3, 20):
        log.commit([opened(saga_id), SagaClosed(saga_id - 1, "a", None)])
    assert rows(log, lowest) == [(1,)]
    log.close()
    again = log_at(path)
    assert [each.opened.saga_id for each in again.load().open_sagas] == [1, 19]
    again.commit([SagaClosed(1, "a", None)])
    again.commit([opened(20)])
    assert rows(again, lowest) == [(19,)]
    assert [each.opened.saga_id for each in again.load().open_sagas] == [19, 20]
    again.commit([SagaClosed(19, "a", None), SagaClosed(20, "a", None)])
    again.commit([opened(21)])
    assert rows(again, lowest) == [(21,)]
    assert [each.opened.saga_id for each in again.load().open_sagas] == [21]
    again.close()


def test_a_saga_that_is_closed_is_not_closed_again(log: SqliteSagaLog) -> None:
    log.commit([opened(1), SagaClosed(1, "a", None)])
    with pytest.raises(sqlite3.IntegrityError):
        log.commit([opened(2), SagaClosed(1, None, "again")])
    assert ids(log) == [1]
    assert rows(log, "SELECT result, failure FROM saga") == [("a", None)]


def test_a_first_step_is_in_its_sagas_row_until_it_ends_before_the_saga(log: SqliteSagaLog) -> None:
    steps = "SELECT saga_id, step, command, is_closed, failure FROM step ORDER BY saga_id, step"
    apart = "SELECT count(*) FROM step_issued"
    for saga_id in (1, 2, 3):
        log.commit([opened(saga_id), StepIssued(saga_id, 0, "host", b"first")])
    assert rows(log, apart) == [(0,)]
    log.commit([StepClosed(1, 0, None), StepIssued(1, 1, "srv", b"second")])
    log.commit([StepClosed(2, 0, "broken"), SagaClosed(2, None, "broken")])
    log.commit([StepClosed(3, 0, None), SagaClosed(3, "a", None)])
    assert rows(log, apart) == [(3,)]
    assert rows(log, steps) == [
        (1, 0, b"first", 1, None),
        (1, 1, b"second", 0, None),
        (2, 0, b"first", 1, "broken"),
        (3, 0, b"first", 0, None),
    ]


def test_events_that_an_earlier_launcher_fed_a_saga_go_when_it_closes(path: Path) -> None:
    log = log_at(path)
    event = PoolWindowAdded(label="a", saga_id=1, version=2)
    log.commit([opened(1), EventDelivered(1, event)])
    log.close()
    later = log_at(path)
    later.commit([opened(2), EventDelivered(2, event)])
    later.commit([SagaClosed(1, "a", None), SagaClosed(2, "a", None)])
    sql = "SELECT count(*) FROM event_delivered"
    assert later._db.execute(sql).fetchone() == (0,)  # noqa: SLF001 - what is left
    later.close()


def test_power_durability_asks_sqlite_for_full_synchronisation(path: Path) -> None:
    log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 0, durability="power")
    assert log._db.execute("PRAGMA synchronous").fetchone() == (2,)  # noqa: SLF001 - as set
    log.close()
