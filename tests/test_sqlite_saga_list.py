import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from actors.command_line.diag_sagas import saga_lines
from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.sqlite_log_file import SCHEMA
from actors.sqlite_read_only import LogUnreadableError
from actors.sqlite_saga_list import newest_sagas
from actors.sqlite_saga_log import SqliteSagaLog
from transport.codec import encode
from transport.messages import CommandIdentity, SpawnPoolWindow

SECOND = 1_000_000_000
LOG_ID = "f" * 32
MANY = 100_000

KILLED = """
import os, signal, sys
from pathlib import Path
from actors.sqlite_saga_log import SqliteSagaLog
from tests.test_sqlite_saga_list import issued, opened
log = SqliteSagaLog(Path(sys.argv[1]), new_log_id="f" * 32, wall=lambda: 7_000_000_000)
log.commit([opened(1), issued(1)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def opened(saga_id: int) -> SagaOpened:
    return SagaOpened(saga_id, "pool_refill", {"host": "desk"}, None, "desk", "1" * 32, 5)


def issued(saga_id: int, target: str = "host") -> StepIssued:
    command = SpawnPoolWindow(identity=CommandIdentity(LOG_ID, saga_id, 0))
    return StepIssued(saga_id, 0, target, encode(command))


def open_log(path: Path) -> SqliteSagaLog:
    return SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 7 * SECOND)


def test_the_newest_sagas_are_read_while_the_log_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = open_log(path)
    log.commit([opened(1), issued(1), StepClosed(1, 0, None), SagaClosed(1, "label", None)])
    log.commit([opened(2), issued(2), StepClosed(2, 0, "bad"), SagaClosed(2, None, "bad")])
    log.commit([opened(3), issued(3)])
    third, second, first = newest_sagas(path)
    assert [saga["state"] for saga in (third, second, first)] == ["open", "failed", "completed"]
    assert third["steps"][0]["state"] == "awaited"
    assert second["steps"][0] == {
        "step": 0,
        "target": "host",
        "command": "SpawnPoolWindow",
        "arguments": {},
        "state": "failed",
        "failure": "bad",
    }
    assert len(newest_sagas(path, 1)) == 1
    assert list(saga_lines(second)) == [
        (
            "2  pool_refill(host=desk)  failed  from 1970-01-01T00:00:07.000+00:00  "
            "to 1970-01-01T00:00:07.000+00:00  bad"
        ),
        "    step 0  SpawnPoolWindow to host  failed  bad",
        "    waited for the report of SpawnPoolWindow (step 0) from host desk",
    ]
    log.close()


def test_what_each_saga_waits_for_is_said_in_words(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log.sqlite")
    log.commit([opened(1), issued(1), StepClosed(1, 0, None), SagaClosed(1, "label", None)])
    log.commit([opened(2), issued(2), StepClosed(2, 0, "late"), SagaClosed(2, None, "late")])
    log.commit([opened(3), issued(3), opened(4), issued(4, "srv"), opened(5)])
    log.commit([opened(6), issued(6), StepClosed(6, 0, None), SagaClosed(6, None, "cancelled")])
    log.close()
    from_host = "the report of SpawnPoolWindow (step 0) from host desk"
    assert {each["saga_id"]: each["awaited"] for each in newest_sagas(tmp_path / "log.sqlite")} == {
        1: None,
        2: from_host,
        3: from_host,
        4: "the report of SpawnPoolWindow (step 0) from the service of SpawnPoolWindow",
        5: "an event with its id: no step is pending",
        6: None,
    }


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    absent, nonsense, foreign = (tmp_path / name for name in ("absent", "nonsense", "foreign"))
    with pytest.raises(LogUnreadableError, match="there is no log"):
        newest_sagas(absent)
    assert not absent.exists()
    nonsense.write_bytes(b"nonsense" * 200)
    with pytest.raises(LogUnreadableError, match="cannot be read: file is not a database"):
        newest_sagas(nonsense)
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE saga (saga_id)")
    db.close()
    with pytest.raises(LogUnreadableError, match="no saga log"):
        newest_sagas(foreign)


def test_a_log_of_a_newer_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    open_log(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    db.close()
    with pytest.raises(LogUnreadableError, match="use the newer muxsaga"):
        newest_sagas(path)


# --- it changes nothing ---------------------------------------------------------------------------


def closed_in_order(path: Path) -> None:
    log = open_log(path)
    log.commit([opened(1), issued(1)])
    log.close()


def killed(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


def killed_and_its_index_lost(path: Path) -> None:
    killed(path)
    path.with_name(f"{path.name}-shm").unlink()


LEFT = [closed_in_order, killed, killed_and_its_index_lost]


def contents(directory: Path) -> dict[str, bytes]:
    return {
        each.name: each.read_bytes()
        for each in directory.iterdir()
        if not each.name.endswith("-shm")
    }


@pytest.mark.parametrize("leave", LEFT)
def test_reading_a_log_that_nobody_has_open_leaves_every_byte_as_it_is(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    path = tmp_path / "log.sqlite"
    leave(path)
    before = contents(tmp_path)
    for _ in range(2):
        assert [saga["saga_id"] for saga in newest_sagas(path)] == [1]
    assert contents(tmp_path) == before
    log = open_log(path)
    assert [record.opened.saga_id for record in log.load().open_sagas] == [1]
    log.close()


@pytest.mark.parametrize("leave", LEFT)
def test_a_log_that_a_symbolic_link_leads_to_is_read_whole(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "link.sqlite"
    leave(tmp_path / "log.sqlite")
    link.symlink_to(tmp_path / "log.sqlite")
    assert [saga["saga_id"] for saga in newest_sagas(link)] == [1]
    assert list(elsewhere.iterdir()) == [link]


@contextmanager
def read_only_mount(directory: Path) -> Iterator[None]:
    mount = shutil.which("mount")
    if os.getuid() != 0 or mount is None:
        pytest.skip("a read-only mount needs root")
    bound = subprocess.run([mount, "--bind", directory, directory], check=False)
    if bound.returncode != 0:
        pytest.skip("this system lets nobody mount")
    try:
        subprocess.run([mount, "-o", "remount,ro,bind", directory], check=True)
        yield
    finally:
        subprocess.run([mount.replace("mount", "umount"), directory], check=True)


@pytest.mark.parametrize("leave", LEFT)
def test_a_log_on_a_read_only_mount_is_read_and_no_copy_is_left(
    tmp_path: Path, leave: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, scratch = tmp_path / "mounted", tmp_path / "scratch"
    directory.mkdir()
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    leave(directory / "log.sqlite")
    with read_only_mount(directory):
        with pytest.raises(OSError, match="Read-only"):
            (directory / "new").touch()
        assert [saga["saga_id"] for saga in newest_sagas(directory / "log.sqlite")] == [1]
    assert list(scratch.iterdir()) == []


def test_the_newest_of_100_000_sagas_are_there_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = open_log(path)
    for first in range(1, MANY, 10_000):
        log.commit(
            [row for each in range(first, first + 10_000) for row in (opened(each), issued(each))]
        )
    began = time.monotonic()
    sagas = newest_sagas(path)
    took = time.monotonic() - began
    log.close()
    assert [saga["saga_id"] for saga in sagas] == list(range(MANY, MANY - 50, -1))
    assert took < 1


def test_an_empty_log_beside_a_tail_is_not_read_for_that_would_delete_the_tail(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.sqlite"
    killed_and_its_index_lost(path)
    path.write_bytes(b"")
    before = contents(tmp_path)
    with pytest.raises(LogUnreadableError, match=r"is empty, but log\.sqlite-wal is not"):
        newest_sagas(path)
    assert contents(tmp_path) == before
    assert before["log.sqlite-wal"] != b""


@pytest.mark.parametrize(
    ("table", "cell"),
    [
        ("saga_opened", "input = 'no JSON'"),
        ("saga_opened", "input = '[]'"),
        ("saga_opened", "opened_at = 'yesterday'"),
        ("saga_opened", "name = x'c1'"),
        ("saga_opened", "command = x'07'"),
        ("saga_opened", "command = 'text'"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_as_what_is_wrong(
    tmp_path: Path, table: str, cell: str
) -> None:
    path = tmp_path / "log.sqlite"
    log = open_log(path)
    log.commit([opened(1), issued(1)])
    log.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE {table} SET {cell}")  # noqa: S608 - the test's own
        db.commit()
    with pytest.raises(LogUnreadableError, match="a row of it cannot be read") as caught:
        newest_sagas(path)
    assert str(caught.value).startswith(f"log {path} is corrupt")
