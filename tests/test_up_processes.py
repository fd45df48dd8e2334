"""`muxsaga up` for real: OS processes, signals, and what is left of them."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from transport.endpoints import Endpoints
from transport.zeromq.query_client import ask_status

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "actors.command_line.main"]
DESKTOP = ROOT / "docs" / "examples" / "desktop.toml"
DEADLINE = 30.0

SMALL = """
[supervisor]
restarts = 1
backoff-first = 0.05
[launcher]
[[host]]
id = "left"
spawn-time = "0"
"""


class Up:
    """A running `up`, and the JSON lines that it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    def until(self, event: str, name: str, count: int = 1) -> dict[str, Any]:
        """Read on until something happened that many times to a process."""
        assert self.process.stdout is not None
        while len(found := self.of(event, name)) < count:
            line = self.process.stdout.readline()
            assert line, f"never told: {event} {name}; {self.lines}"
            self.lines.append(json.loads(line))
        return found[count - 1]

    def of(self, event: str, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if (line["event"], line["name"]) == (event, name)]

    def end(self) -> tuple[int, str]:
        """Read all the rest; give exit status and what was complained of."""
        output, errors = self.process.communicate(timeout=DEADLINE)
        self.lines += [json.loads(line) for line in output.splitlines()]
        return self.process.returncode, errors

    def names(self, event: str) -> list[str]:
        return [line["name"] for line in self.lines if line["event"] == event]


@contextmanager
def up(file: Path, directory: Path) -> Iterator[Up]:
    """Start `up` in a process group of its own, as a terminal does."""
    process = subprocess.Popen(
        [*COMMAND, "up", "--json-lines", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(directory)},
    )
    with process:
        try:
            yield Up(process)
        finally:
            process.kill()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    return file


def muxsaga(directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(directory)},
    )


def wait_until_registered(directory: Path, host: str) -> None:
    """Wait until the launcher that is there now knows a host."""
    query = Endpoints.in_directory(directory / "muxsaga").query
    deadline = time.monotonic() + DEADLINE
    while not ask_status(query, DEADLINE)["hosts"].get(host, {}).get("registered"):
        assert time.monotonic() < deadline, f"{host} does not register"


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child} | descendants(child)
    return found


@contextmanager
def watched(pids: Sequence[int] | set[int]) -> Iterator[Callable[[float], bool]]:
    """Give a function that says whether all of these processes end within so many seconds."""
    with ExitStack() as stack:
        descriptors = [os.pidfd_open(pid) for pid in pids]
        for descriptor in descriptors:
            stack.callback(os.close, descriptor)

        def all_end(seconds: float) -> bool:
            deadline = time.monotonic() + seconds
            return all(
                select.select([each], [], [], max(0.0, deadline - time.monotonic()))[0]
                for each in descriptors
            )

        yield all_end


def test_the_example_runs_and_survives_the_death_of_its_launcher(tmp_path: Path) -> None:
    with up(DESKTOP, tmp_path) as running:
        running.until("all_ready", "all")
        assert running.names("starting") == ["left", "right", "thumbnails", "launcher"]
        with watched(descendants(running.process.pid)) as all_end:
            first = running.until("ready", "launcher")
            os.kill(first["pid"], signal.SIGKILL)
            ended = running.until("ended", "launcher")
            assert (ended["kind"], ended["detail"]) == ("crashed", "signal SIGKILL")
            assert running.until("restart_waits", "launcher")["restarts"] == 1
            again = running.until("ready", "launcher", 2)
            assert again["pid"] != first["pid"]
            wait_until_registered(tmp_path, "left")
            promoted = muxsaga(tmp_path, "promote", "--host-id", "left")
            assert promoted.returncode == 0, promoted.stderr
            running.process.send_signal(signal.SIGTERM)
            assert running.end() == (0, "")
            assert all_end(2.0)
    order = ["launcher", "thumbnails", "right", "left"]
    assert running.names("stopping") == order
    ended_at = {line["name"]: number for number, line in enumerate(running.lines)}
    assert min(order, key=lambda name: ended_at[name]) == "launcher"


def test_beyond_its_intensity_everything_ends_in_order_and_the_reason_is_named(
    tmp_path: Path, small: Path
) -> None:
    with up(small, tmp_path) as running:
        for count in (1, 2):
            os.kill(running.until("ready", "launcher", count)["pid"], signal.SIGKILL)
        status, errors = running.end()
    assert status == 1
    assert errors == (
        "muxsaga: gave_up: more than 1 restarts in 60 s, the last of 'launcher': "
        "crashed: signal SIGKILL\n"
    )
    assert [line["kind"] for line in running.of("ended", "left")] == ["shutdown"]


def test_two_seconds_after_it_was_killed_no_child_is_alive(tmp_path: Path, small: Path) -> None:
    with up(small, tmp_path) as running:
        running.until("all_ready", "all")
        stopped = running.until("ready", "launcher")["pid"]
        os.kill(stopped, signal.SIGSTOP)
        with watched(descendants(running.process.pid)) as all_end:
            running.process.kill()
            assert all_end(2.0)


@pytest.mark.parametrize("moment", [("starting", "left"), ("ready", "left")])
def test_ctrl_c_at_any_moment_ends_everything_in_order(
    tmp_path: Path, small: Path, moment: tuple[str, str]
) -> None:
    with up(small, tmp_path) as running:
        running.until(*moment)
        with watched(descendants(running.process.pid)) as all_end:
            os.killpg(running.process.pid, signal.SIGINT)
            assert running.end() == (0, "")
            assert all_end(2.0)


def test_a_second_ctrl_c_ends_everything_at_once(tmp_path: Path, small: Path) -> None:
    with up(small, tmp_path) as running:
        running.until("all_ready", "all")
        os.kill(running.until("ready", "launcher")["pid"], signal.SIGSTOP)
        os.killpg(running.process.pid, signal.SIGINT)
        running.until("stopping", "launcher")
        os.killpg(running.process.pid, signal.SIGINT)
        status, errors = running.end()
    assert status == 1
    assert "not everything ended in order: launcher" in errors


def test_a_process_that_cannot_start_ends_everything_and_is_named(
    tmp_path: Path, small: Path
) -> None:
    directory = tmp_path / "muxsaga"
    directory.mkdir(mode=0o700)
    (directory / "link").mkdir()
    with up(small, tmp_path) as running:
        status, errors = running.end()
    assert status == 1
    assert "child 'launcher' could not be started: crashed: cannot bind ipc://" in errors
    assert running.of("ended", "left")[0]["kind"] == "shutdown"


def test_a_host_whose_place_a_later_one_takes_is_not_restarted(tmp_path: Path, small: Path) -> None:
    with up(small, tmp_path) as running:
        running.until("all_ready", "all")
        wait_until_registered(tmp_path, "left")
        elsewhere = f"ipc://{tmp_path}/control"
        later = subprocess.Popen(
            [*COMMAND, "host", "--host-id", "left", "--control", elsewhere],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        with later:
            ended = running.until("ended", "left")
            later.terminate()
        assert ended["kind"] == "normal"
        assert ended["detail"] == "exit status 3, after which it is not restarted"
        running.process.send_signal(signal.SIGTERM)
        status, errors = running.end()
    assert status == 0
    assert "fenced" in errors
    assert running.of("starting", "left") == [running.lines[0]]


def test_without_anything_left_to_run_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "alone.toml"
    file.write_text('[launcher]\nrestart = "transient"\n')
    with up(file, tmp_path) as running:
        os.kill(running.until("ready", "launcher")["pid"], signal.SIGTERM)
        assert running.end() == (1, "muxsaga: no process is left, and none is to be restarted\n")


def test_a_reader_that_goes_away_ends_everything(tmp_path: Path, small: Path) -> None:
    with up(small, tmp_path) as running:
        running.until("all_ready", "all")
        with watched(descendants(running.process.pid)) as all_end:
            assert running.process.stdout is not None
            running.process.stdout.close()
            os.kill(running.of("ready", "launcher")[0]["pid"], signal.SIGKILL)
            assert running.process.wait(DEADLINE) == 1
            assert all_end(2.0)


def test_the_tree_of_a_running_system_shows_its_processes_and_the_launchers_actors(
    tmp_path: Path, small: Path
) -> None:
    with up(small, tmp_path) as running:
        killed = running.until("ready", "left")
        os.kill(killed["pid"], signal.SIGKILL)
        left = running.until("ready", "left", 2)
        launcher = running.until("ready", "launcher")
        running.until("all_ready", "all")
        tree = json.loads(muxsaga(tmp_path, "diag", "tree", "--json").stdout)
        shown = muxsaga(tmp_path, "diag", "tree").stdout.splitlines()
        running.process.send_signal(signal.SIGTERM)
        running.end()
        after = muxsaga(tmp_path, "diag", "tree")
    nodes = {node["name"]: node for node in tree["children"]}
    assert tree["pid"] == running.process.pid
    assert (nodes["left"]["pid"], nodes["left"]["incarnation"]) == (left["pid"], 2)
    assert nodes["left"]["last_failure"] == "crashed: signal SIGKILL"
    assert (nodes["launcher"]["pid"], nodes["launcher"]["state"]) == (launcher["pid"], "running")
    assert nodes["launcher"]["children"][0]["children"][0]["name"] == "coordinator"
    names = [line.split()[0] for line in shown]
    assert names == ["up", "left", "launcher", "engine", "coordinator"]
    assert after.returncode == 1
