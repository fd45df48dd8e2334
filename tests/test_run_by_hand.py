"""A deployment put together by hand: each command in a process of its own."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "actors.command_line.main"]
THUMBNAILS = ["--extension", "docs.examples.window_thumbnails"]

Process = subprocess.Popen[str]


def muxsaga(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )


@contextmanager
def started(*arguments: str) -> Iterator[Process]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_with(process: Process, part: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if part in line:
            return line
    pytest.fail(f"never said {part!r}")


def stop(process: Process, number: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(number)
    process.communicate()
    return process.returncode


def test_each_part_runs_alone_and_they_work_together(tmp_path: Path) -> None:
    place = ["--runtime-directory", str(tmp_path / "run")]
    with ExitStack() as stack:
        host = stack.enter_context(
            started("host", *place, *THUMBNAILS, "--host-id", "left", "--spawn-time", "0")
        )
        service = stack.enter_context(started("service", *place, *THUMBNAILS))
        launcher = stack.enter_context(started("launcher", *place, *THUMBNAILS))
        watch = stack.enter_context(started("watch", *place, *THUMBNAILS, "--brackets"))
        for process in (host, service, launcher):
            line_with(process, "ready")
        for _ in range(2):
            line_with(watch, "pool_refill completed")

        promoted = muxsaga("promote", *place, "--host-id", "left", "--count", "2", "--json")
        windows = [json.loads(line) for line in promoted.stdout.splitlines()]
        assert [window["cold"] for window in windows] == [False, False]
        line_with(watch, "window_thumbnail completed")

        demoted = muxsaga("demote", *place, "--host-id", "left", windows[0]["label"])
        assert demoted.stdout.strip() == windows[0]["label"]
        again = muxsaga("demote", *place, "--host-id", "left", windows[0]["label"])
        assert again.returncode == 1
        assert again.stderr.startswith("muxsaga: host 'left' refused DemoteWindow:")

        status = json.loads(muxsaga("status", *place, "--json").stdout)
        assert status["hosts"]["left"]["open"] == 1
        assert "log_status: ok" in muxsaga("status", *place).stdout

        closed = muxsaga("close", *place, "--host-id", "left", "--all")
        assert closed.stdout.split() == [windows[1]["label"]]
        line_with(watch, "result=drained")

        assert stop(watch, signal.SIGINT) == 0
        assert stop(launcher) == 0
        assert stop(service) == 0
        assert stop(host, signal.SIGINT) == 0


def test_watch_tells_when_it_is_caught_up_and_ends_when_its_reader_does(tmp_path: Path) -> None:
    place = ["--runtime-directory", str(tmp_path / "run")]
    with started("launcher", *place) as launcher, started("watch", *place, "--jsonl") as watch:
        assert json.loads(line_with(watch, "caught_up")) == {"watch": "caught_up", "version": 0}
        assert watch.stdout is not None
        watch.stdout.close()
        assert watch.wait(timeout=20) == 0
        assert stop(launcher) == 0


def test_watch_tells_that_older_events_cannot_be_had(tmp_path: Path) -> None:
    place = ["--runtime-directory", str(tmp_path / "run")]
    with ExitStack() as stack:
        stack.enter_context(started("launcher", *place, "--journal-events", "4"))
        host = stack.enter_context(started("host", *place, "--spawn-time", "0"))
        line_with(host, "ready")
        witness = stack.enter_context(started("watch", *place))
        for _ in range(2):
            line_with(witness, "SagaCompleted")
        muxsaga("promote", *place)
        line_with(witness, "SagaCompleted")
        late = stack.enter_context(started("watch", *place))
        assert "before version" in line_with(late, "truncated")
        line_with(late, "caught up")


def test_the_second_launcher_in_a_directory_names_the_first(tmp_path: Path) -> None:
    place = ["--runtime-directory", str(tmp_path / "run")]
    with started("launcher", *place) as launcher:
        line_with(launcher, "ready")
        second = muxsaga("launcher", *place)
        assert second.returncode == 1
        assert f"muxsaga launcher (pid {launcher.pid})" in second.stderr
        assert second.stderr.count("\n") == 1
        assert stop(launcher) == 0


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = muxsaga("launcher", "--tcp", address, "--insecure")
    assert refused.returncode == 1
    assert f"tcp://{address}" in refused.stderr
    assert refused.stderr.count("\n") == 1
