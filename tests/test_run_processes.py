"""`muxsaga run` for real: OS processes, signals, pipes. Waits on process file descriptors."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.free_ports import first_of_free_ports
from transport.history import read_history
from transport.history_counts import count
from transport.history_lines import (
    EventLine,
    HostEndLine,
    HostLine,
    ProcessLine,
    TimeoutsLine,
)

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "actors.command_line.main"]
DEADLINE_MS = 40_000


def run(*arguments: str, timeout: float = 50) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "run", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def running(
    *arguments: str, environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Start a run in a process group of its own, as a terminal does."""
    process = subprocess.Popen(
        [*COMMAND, "run", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[str]", beginning: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return line
    pytest.fail(f"the run never said {beginning!r}: {process.communicate()[1]}")


def pids_in(ready_line: str) -> dict[str, int]:
    parts = ready_line.removeprefix("ready: ").strip().split(", ")
    return {name: int(pid) for name, pid in (part.split(" ") for part in parts)}


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child} | descendants(child)
    return found


@contextmanager
def watched(pids: Sequence[int] | set[int]) -> Iterator[list[int]]:
    """Hold a descriptor for each process, which names it even when its id is used again."""
    with ExitStack() as stack:
        descriptors = [os.pidfd_open(pid) for pid in pids]
        for descriptor in descriptors:
            stack.callback(os.close, descriptor)
        yield descriptors


def all_end(descriptors: Sequence[int]) -> bool:
    poll = select.poll()
    left = set(descriptors)
    for descriptor in left:
        poll.register(descriptor, select.POLLIN)
    while left:
        ended = poll.poll(DEADLINE_MS)
        if not ended:
            return False
        for descriptor, _ in ended:
            poll.unregister(descriptor)
            left.discard(descriptor)
    return True


def any_ended(descriptors: Sequence[int]) -> bool:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def test_a_run_prints_one_document_and_its_history_adds_up_to_it(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    done = run("--json", "--spawn-time", "0", "--promotes", "8", "--history", str(history))
    assert done.stderr == ""
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert (document["promotes"], document["completed"], document["cleanups"]) == (8, 8, 8)
    assert (document["failed"], document["open"], document["cold"]) == (0, 0, 0)
    assert document["pool"] == {
        "host-1": {"target": 2, "size": 2},
        "host-2": {"target": 2, "size": 2},
    }
    assert set(document["latency_ms"]) == {"p50", "p90", "p99", "max"}
    assert document["history"] == str(history)
    lines = list(read_history(history))
    counts = count(lines)
    assert (counts.promotes, counts.version_gaps, counts.latency_ms) == (
        8,
        0,
        document["latency_ms"],
    )
    assert {type(line) for line in lines} == {
        EventLine,
        HostEndLine,
        HostLine,
        ProcessLine,
        TimeoutsLine,
    }
    assert document["violations"] == []
    started = {line.name: line.pid for line in lines if isinstance(line, ProcessLine)}
    assert started == document["pids"]


def test_a_run_elsewhere_than_in_a_terminal_prints_lines_and_a_summary() -> None:
    done = run("--spawn-time", "0", "--promotes", "3", "--hosts", "1", "--concurrency", "2")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "pool_respawn_on_promote" in done.stdout
    assert "promotes   3: 3 completed, 0 failed, 0 open, 0 cold" in done.stdout


def test_a_run_over_tcp_at_a_rate_is_sound() -> None:
    place = f"127.0.0.1:{first_of_free_ports(3)}"
    done = run(
        "--json",
        "--spawn-time",
        "0",
        "--promotes",
        "6",
        "--rate",
        "100",
        "--tcp",
        place,
        "--insecure",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["completed"] == 6


def test_a_cold_promote_makes_the_run_fail_unless_it_is_allowed() -> None:
    few = ["--json", "--spawn-time", "0", "--promotes", "2", "--hosts", "1", "--pool-target", "0"]
    done = run(*few)
    assert done.returncode == 1
    assert "2 promotes were cold" in done.stderr
    assert json.loads(done.stdout)["cold"] == 2
    assert run(*few, "--allow-cold").returncode == 0


def test_a_failed_saga_makes_the_run_fail_and_the_pool_heals() -> None:
    done = run(
        "--json", "--spawn-time", "0", "--promotes", "2", "--hosts", "1", "--fault", "quitting:1"
    )
    assert done.returncode == 1
    assert "1 other sagas failed" in done.stderr
    document = json.loads(done.stdout)
    assert document["pool"] == {"host-1": {"target": 4, "size": 4}}
    assert document["completed"] == 2


def test_a_run_that_takes_too_long_ends_and_says_what_it_waited_for() -> None:
    done = run("--json", "--spawn-time", "2s", "--timeout", "0.3", "--hosts", "1")
    assert done.returncode == 1
    assert "not finished in 0.3 s: still filling the pools" in done.stderr
    assert json.loads(done.stdout)["promotes"] == 0


def test_a_run_whose_launcher_cannot_start_names_the_cause(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o700)
    (directory / "link").mkdir()
    done = run("--json", "--runtime-directory", str(directory))
    assert done.returncode == 1
    assert done.stderr.startswith("muxsaga: launcher could not start: cannot bind ipc://")
    assert done.stderr.count("\n") == 1


def test_processes_are_distinct_and_alive_while_it_runs_and_gone_after() -> None:
    with running("--spawn-time", "0", "--promotes", "40", "--hosts", "3") as process:
        pids = pids_in(read_until(process, "ready: "))
        with watched(descendants(process.pid)) as descriptors:
            assert sorted(pids) == ["host-1", "host-2", "host-3", "launcher"]
            assert len({*pids.values(), process.pid}) == 5
            assert set(pids.values()) <= descendants(process.pid)
            assert not any_ended(descriptors)
            output, errors = process.communicate()
            assert process.returncode == 0, errors
            assert "40 completed" in output
            assert all_end(descriptors)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_ends_every_process_in_order(number: signal.Signals) -> None:
    with running("--promotes", "10000") as process:
        read_until(process, "pool_respawn_on_promote")
        with watched(descendants(process.pid)) as descriptors:
            os.killpg(process.pid, number)
            output, errors = process.communicate()
            assert process.returncode == 130
            assert errors == "muxsaga: interrupted\n"
            assert "0 gaps" in output
            assert all_end(descriptors)


def test_ctrl_c_while_the_processes_start_leaves_none_behind() -> None:
    with running("--promotes", "10000") as process:
        read_until(process, "starting ")
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
        assert process.returncode == 130
        assert errors == "muxsaga: interrupted\n"


def test_a_killed_run_leaves_no_child_alive() -> None:
    with (
        TemporaryDirectory() as scratch,  # a killed run cannot remove its own
        running("--promotes", "10000", environment={**os.environ, "TMPDIR": scratch}) as process,
    ):
        read_until(process, "pool_respawn_on_promote")
        with watched(descendants(process.pid)) as descriptors:
            assert len(descriptors) >= 3
            process.kill()
            assert all_end(descriptors)


@pytest.mark.parametrize("victim", ["launcher", "host-2"])
def test_a_child_that_dies_ends_the_run_and_is_named(victim: str) -> None:
    with running("--promotes", "10000") as process:
        pids = pids_in(read_until(process, "ready: "))
        read_until(process, "pool_respawn_on_promote")
        with watched(descendants(process.pid)) as descriptors:
            os.kill(pids[victim], signal.SIGKILL)
            _, errors = process.communicate()
            assert process.returncode == 1
            assert f"{victim} (pid {pids[victim]}) ended with signal SIGKILL" in errors
            assert all_end(descriptors)


def test_a_reader_that_goes_away_ends_the_run_and_its_processes() -> None:
    with running("--promotes", "10000") as process:
        read_until(process, "pool_respawn_on_promote")
        assert process.stdout is not None
        with watched(descendants(process.pid)) as descriptors:
            process.stdout.close()
            assert process.wait() == 1
            assert all_end(descriptors)
