"""A real launcher whose log cannot be written: visible everywhere, and nothing is lost."""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from tests.real_system import RealSystem
from tests.test_sqlite_log_file import everything, well_used, with_tail
from transport.endpoints import Endpoints
from transport.messages import (
    ActionDone,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)
from transport.zeromq.sockets import subscriber

DEADLINE = 20.0
ON_TMPFS = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m muxsaga "$0" && exec "$@"')
"""Runs a command with a small file system of its own on the directory that is named first."""


def may_mount() -> bool:
    """Say whether this user may mount, in a mount namespace of its own."""
    trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "muxsaga", "/mnt"]
    try:
        return (
            subprocess.run(trial, capture_output=True, timeout=DEADLINE, check=False).returncode
            == 0
        )
    except OSError:
        return False


needs_mount = pytest.mark.skipif(not may_mount(), reason="mounting is not permitted here")


class System(RealSystem):
    """A launcher with its log in a directory of its own, and what it says on its stream."""

    def __init__(self) -> None:
        super().__init__()
        self.volume = self.directory / "volume"
        self.volume.mkdir()
        self._context = zmq.Context[Any]()
        self._stream = subscriber(self._context, Endpoints.in_directory(self.directory).events)

    def __exit__(self, *exception: object) -> None:
        self._stream.close(linger=0)
        self._context.term()
        super().__exit__(*exception)

    @property
    def log(self) -> Path:
        """Where the log is, seen from here: the launcher may have a file system of its own."""
        return Path(f"/proc/{self.processes['launcher'].pid}/root{self.volume}/log.sqlite")

    def start_launcher(self, *options: str, within: tuple[str, ...] = ()) -> None:
        command = (*within, str(self.volume)) if within else ()
        log = str(self.volume / "log.sqlite")
        self.start("launcher", "launcher", "--log", log, *options, within=command)

    def next_on_stream(self) -> dict[str, Any]:
        assert self._stream.poll(round(DEADLINE * 1000)), "the stream is silent"
        message: dict[str, Any] = msgpack.unpackb(self._stream.recv())
        return message

    def heartbeat(self, status: str) -> dict[str, Any]:
        """Wait for a heartbeat whose status begins so."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            message = self.next_on_stream()
            if message.get("status", "").startswith(status):
                return message
        pytest.fail(f"no heartbeat says {status!r}")

    def status(self) -> dict[str, Any]:
        """Ask as a user does."""
        asked = subprocess.run(
            [
                *(sys.executable, "-m", "actors.command_line.main", "status", "--json"),
                *("--runtime-directory", str(self.directory)),
            ],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=True,
        )
        answer: dict[str, Any] = json.loads(asked.stdout)
        return answer

    def of_type(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def is_at_rest(self) -> bool:
        """Say whether every bracket is closed and the pool whole."""
        ended = self.of_type(SagaCompleted) + self.of_type(SagaFailed)
        return len(ended) == len(self.of_type(SagaStarted)) and self.pool_is_whole("host-1")

    def promote_window(self) -> str:
        answer = self.promote("host-1")
        assert isinstance(answer, ActionDone)
        return answer.label


Outage = Callable[[System], AbstractContextManager[str]]
"""Makes the log unavailable while it lasts, and gives the reason that SQLite has for it."""


@contextmanager
def full_disk(system: System) -> Iterator[str]:
    filler = system.log.with_name("filler")
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass
    yield "database or disk is full"
    filler.unlink()


@contextmanager
def failing_writes(system: System) -> Iterator[str]:
    """No file may grow, so that every write of a commit fails."""
    pid = system.processes["launcher"].pid
    size = system.log.with_name("log.sqlite-wal").stat().st_size
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield "disk I/O error"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def locked(system: System) -> Iterator[str]:
    with closing(sqlite3.connect(system.log, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield "database is locked"


@pytest.mark.parametrize(
    ("outage", "within"),
    [
        pytest.param(full_disk, ON_TMPFS, marks=needs_mount),
        pytest.param(failing_writes, ()),
        pytest.param(locked, ()),
    ],
)
def test_an_outage_is_visible_lets_nothing_out_and_loses_nothing(
    outage: Outage, within: tuple[str, ...]
) -> None:
    with System() as system:
        system.start("host", "host", "--spawn-time", "0", "--pool-target", "3")
        system.start_launcher(within=within)
        system.wait_for(system.is_at_rest, "whole pool")
        before = system.events[-1].version

        with outage(system) as reason:
            promoted = [system.promote_window() for _ in range(2)]
            beat = system.heartbeat("log unavailable: ")
            assert reason in beat["status"]
            assert str(system.volume / "log.sqlite") in beat["status"]
            status = system.status()
            assert (status["log_status"], status["version"]) == (beat["status"], before)
            assert system.complaints("launcher") == f"muxsaga launcher: {beat['status']}\n"
            # Heartbeats go on, and they are all there is; the host keeps its reports.
            assert [system.next_on_stream() for _ in range(3)] == [beat] * 3
            assert beat["last"] == before
            assert system.inspect("host-1")["held"] == 2

        system.wait_for(
            lambda: len(system.of_type(PoolWindowPromoted)) == 2 and system.is_at_rest(), "rest"
        )
        assert [each.label for each in system.of_type(PoolWindowPromoted)] == promoted
        assert system.of_type(SagaFailed) == []
        ended = Counter(each.saga_id for each in system.of_type(SagaCompleted))
        assert ended == Counter(range(1, 6))
        versions = [event.version for event in system.events]
        assert versions == list(range(1, len(versions) + 1))
        assert system.heartbeat("ok")["last"] == versions[-1]
        system.wait_until(lambda: system.inspect("host-1")["held"] == 0, "acknowledgement")
        assert system.complaints("launcher").splitlines()[1:] == [
            "muxsaga launcher: log available again"
        ]
        with closing(sqlite3.connect(system.log)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_deadline_does_not_run_down_during_an_outage() -> None:
    with System() as system:
        system.start("host", "host", "--spawn-time", "2900ms", "--pool-target", "2")
        patience = ("--timeout", "pool_respawn_on_promote=2.5", "--timeout", "pool_refill=30")
        system.start_launcher("--heartbeat", "0.2", *patience)
        system.wait_for(system.is_at_rest, "whole pool")
        system.promote_window()
        system.wait_for(lambda: bool(system.of_type(PoolWindowPromoted)), "promote")
        with locked(system):
            system.promote_window()  # whose commit fails
            system.heartbeat("log unavailable: ")
            beats = [system.next_on_stream() for _ in range(6)]
            assert all(each["status"].startswith("log unavailable") for each in beats)
        # Made in 2.9 s, of which those of the outage do not count: in time for the first promote.
        first = system.of_type(SagaStarted)[-1].saga_id
        system.wait_for(
            lambda: any(
                event.saga_id == first
                for event in system.of_type(SagaCompleted) + system.of_type(SagaFailed)
            ),
            "end of the first saga",
        )
        assert first in {event.saga_id for event in system.of_type(SagaCompleted)}


@contextmanager
def stopping_in_an_outage(system: System) -> Iterator["subprocess.Popen[str]"]:
    """Have a launcher with an open saga asked to stop while its log is locked."""
    system.start("host", "host", "--spawn-time", "0", "--pool-target", "2")
    system.start_launcher()
    system.wait_for(system.is_at_rest, "whole pool")
    launcher = system.processes["launcher"]
    with locked(system):
        system.promote_window()
        system.heartbeat("log unavailable: ")
        launcher.send_signal(signal.SIGTERM)
        yield launcher


def goes_on_with_everything(system: System) -> None:
    """Start the launcher again: what it had not written, it is told anew."""
    launcher = system.processes["launcher"]
    assert launcher.stdout is not None
    launcher.stdout.close()
    system.start_launcher()
    system.wait_for(
        lambda: bool(system.of_type(PoolWindowPromoted)) and system.is_at_rest(), "rest"
    )
    assert [each.saga_id for each in system.of_type(SagaStarted)] == [1, 2, 3]
    assert system.of_type(SagaFailed) == []


def test_a_launcher_told_to_stop_in_an_outage_stops_in_order_when_it_ends() -> None:
    with System() as system:
        with stopping_in_an_outage(system) as launcher:
            # The request has been seen when another heartbeat has gone out.
            system.heartbeat("log unavailable: ")
        assert launcher.wait(DEADLINE) == 0
        goes_on_with_everything(system)


def test_a_launcher_told_to_stop_in_an_outage_that_lasts_ends_after_ten_seconds_saying_so() -> None:
    with System() as system:
        with stopping_in_an_outage(system) as launcher:
            asked = time.monotonic()
            assert launcher.wait(DEADLINE) == 1
            assert time.monotonic() - asked > 9.0
        assert "its log could not be written" in system.complaints("launcher")
        goes_on_with_everything(system)


def test_a_launcher_told_twice_to_stop_in_an_outage_ends_at_once() -> None:
    with System() as system:
        with stopping_in_an_outage(system) as launcher:
            system.heartbeat("log unavailable: ")
            launcher.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            assert launcher.wait(DEADLINE) == 1
            assert time.monotonic() - asked < 9.0
        goes_on_with_everything(system)


# --- at the start -----------------------------------------------------------------------------


def refusal(directory: Path, log: Path, *within: str) -> str:
    """Start a launcher that refuses its log, and give the one line that it says."""
    started = subprocess.run(
        [
            *within,
            *(sys.executable, "-m", "actors.command_line.main", "launcher", "--log", str(log)),
            *("--runtime-directory", str(directory / "run")),
        ],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr.startswith("muxsaga: ")
    assert str(log) in started.stderr
    assert started.stderr.count("\n") == 1
    return started.stderr


@pytest.fixture
def log(tmp_path: Path) -> Path:
    directory = tmp_path / "volume"
    directory.mkdir()
    path = directory / "log.sqlite"
    well_used(path)
    return path


def corrupt_header(log: Path) -> None:
    log.write_bytes(os.urandom(100) + log.read_bytes()[100:])


def corrupt_page(log: Path) -> None:
    data = log.read_bytes()
    middle = len(data) // 8192 * 4096
    log.write_bytes(data[:middle] + b"\xaa" * 4096 + data[middle + 4096 :])


def truncated(log: Path) -> None:
    log.write_bytes(log.read_bytes()[: 5 * 4096])


def no_database(log: Path) -> None:
    log.write_text("a letter to a friend\n" * 500)


def foreign(log: Path) -> None:
    log.unlink()
    with closing(sqlite3.connect(log)) as db:
        db.execute("CREATE TABLE theirs (x)")


def newer(log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 99")


RESTORE = "restore it from a backup, or name another file"


@pytest.mark.parametrize(
    ("damage", "cause", "remedy"),
    [
        (corrupt_header, "file is not a database", RESTORE),
        (corrupt_page, "corrupt", RESTORE),
        (truncated, "malformed", RESTORE),
        (no_database, "file is not a database", RESTORE),
        (foreign, "is an SQLite file, but no saga log", "name another file"),
        (newer, "has schema 99", "use the newer muxsaga that wrote it, or name another file"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_and_stays_as_it_is(
    tmp_path: Path, log: Path, damage: Callable[[Path], None], cause: str, remedy: str
) -> None:
    damage(log)
    before = everything(log)
    said = refusal(tmp_path, log)
    assert cause in said
    assert said.endswith(f"{remedy}\n")
    assert everything(log) == before


def test_a_newer_log_whose_writer_was_killed_keeps_what_was_not_copied_back(
    tmp_path: Path, log: Path
) -> None:
    with_tail(log, "PRAGMA user_version = 99")
    before = everything(log)
    assert "has schema 99" in refusal(tmp_path, log)
    after = everything(log)
    after.pop("log.sqlite-shm", None)  # SQLite's index of the tail, made anew by any reader
    assert after == before


def test_a_log_that_somebody_has_locked_is_refused_at_the_start(tmp_path: Path, log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = refusal(tmp_path, log)
        other.execute("ROLLBACK")
    assert said.endswith("database is locked: end the program that has it locked\n")


@needs_mount
def test_a_log_on_a_read_only_file_system_is_refused_at_the_start(
    tmp_path: Path, log: Path
) -> None:
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    before = everything(log)
    read_only = ("unshare", "--mount", "sh", "-c", script, str(log.parent))
    said = refusal(tmp_path, log, *read_only)
    assert "Read-only file system: make its directory writable, or name another file" in said
    assert everything(log) == before


@needs_mount
def test_a_log_on_a_full_disk_is_refused_at_the_start(tmp_path: Path, log: Path) -> None:
    script = (
        'kept=$(mktemp -d) && cp "$0"/log.sqlite "$kept" '
        '&& mount -t tmpfs -o size=1m muxsaga "$0" && cp "$kept"/log.sqlite "$0" && rm -r "$kept" '
        '&& { head -c 2m /dev/zero > "$0"/filler 2>/dev/null; exec "$@"; }'
    )
    said = refusal(tmp_path, log, "unshare", "--mount", "sh", "-c", script, str(log.parent))
    assert said.endswith("make room on its disk\n")


def test_a_log_in_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, tmp_path / "nowhere" / "log.sqlite")
    assert "No such file or directory: make its directory writable" in said
