import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest

from bench.breakdown import SEGMENTS
from bench.latencies import decoded
from bench.promote_ledger import VoidRunError
from bench.result import Cpus, Document, read_document
from bench.stage import Stage

REPOSITORY = Path(__file__).parent.parent


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "promotes", *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_tiny_closed_loop_gives_every_variant_its_figures(tmp_path: Path) -> None:
    variants, file = ["floor", "memory", "process", "power"], tmp_path / "result.json"
    options = ("--concurrency", "2", "--promotes", "20", "--repeats", "1", "--output", str(file))
    done = bench(*options, "--variants", ",".join(variants))
    assert done.returncode == 0, done.stderr
    document = read_document(file)
    assert [series.variant for series in document.series] == variants
    assert document.environment.libraries["pykka"]
    assert document.environment.commit.full_us > 0
    for series in document.series:
        (run,) = series.runs
        assert run.promotes == decoded(run.histogram).get_total_count() == 20
        assert 0 < run.latency_us.p50 <= run.latency_us.p99 <= run.latency_us.max
        assert run.cpu_s.keys() == run.rss_bytes.keys() == {"launcher", "bench-0", "driver"}
        assert min(run.cpu_s.values()) > 0
        assert series.name in done.stdout


def test_every_dimension_at_once_in_an_open_loop_with_keys() -> None:
    done = bench(
        *("--variants", "floor,process", "--arrivals", "poisson", "--rates", "100"),
        *("--seconds", "0.3", "--repeats", "1", "--transport", "curve", "--hosts", "2"),
        *("--observers", "3", "--in-flight", "70", "--spawn-time", "1ms", "--json"),
    )
    assert done.returncode == 0, done.stderr
    document = msgspec.json.decode(done.stdout, type=Document)
    floor, process = document.series
    assert floor.name == "floor, curve, 2 hosts, 3 observers, poisson 100/s"
    assert (floor.in_flight, floor.spawn_time) == (0, "0")
    assert (process.in_flight, process.spawn_time, process.offered_rate) == (70, "1ms", 100)
    assert process.runs[0].promotes == 30
    assert process.runs[0].cpu_s.keys() == {
        *("launcher", "bench-0", "bench-1", "holder-70", "sinks-0", "driver")
    }


def test_the_times_of_a_launcher_say_where_all_of_a_promotes_time_goes() -> None:
    done = bench(
        *("--variants", "process", "--concurrency", "2", "--promotes", "20"),
        *("--repeats", "1", "--breakdown", "--spawn-time", "5ms", "--json"),
    )
    assert done.returncode == 0, done.stderr
    (series,) = msgspec.json.decode(done.stdout, type=Document).series
    (run,) = series.runs
    assert run.breakdown_us is not None
    assert sum(run.breakdown_us.values()) == pytest.approx(run.latency_us.mean, rel=0.01)
    assert run.breakdown_us["spawn"] >= 5000
    assert min(run.breakdown_us[each] for each in SEGMENTS if each != "trigger") > 0


def test_a_run_that_takes_too_long_is_void() -> None:
    done = bench("--concurrency", "2", "--repeats", "1", "--run-seconds", "0.001")
    assert done.returncode == 1
    assert "void: floor, 2 in flight, run 1 of 1: the time was up" in done.stderr


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda pid: os.killpg(pid, signal.SIGINT), 130),
        (lambda pid: os.kill(pid, signal.SIGTERM), 143),
    ],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_ends_everything_with_its_own_status(
    end: Callable[[int], None], status: int
) -> None:
    tiny = ("--variants", "process", "--concurrency", "1", "--promotes", "20")
    with subprocess.Popen(
        [sys.executable, "-m", "bench", "promotes", *tiny, "--repeats", "1000"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        assert command.stderr is not None
        assert "process, 1 in flight, run 1 of 1000" in command.stderr.readline()
        end(command.pid)
        # Every process holds stderr: its end is the end of the last of them.
        _, complaints = command.communicate(timeout=30)
    assert command.returncode == status
    assert "Traceback" not in complaints


def echo(settings: object, life_line: int, pipe: Connection) -> int:
    assert life_line > 0
    pipe.send(settings)
    return 0


def fail(settings: object, life_line: int, pipe: Connection) -> int:
    assert life_line > 0
    pipe.close()
    return int(str(settings))


def tell_blocked(settings: object, life_line: int, pipe: Connection) -> int:
    assert settings is None
    assert life_line > 0
    pipe.send(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    return 0


def test_a_process_of_a_stage_leaves_ctrl_c_to_its_parent_from_its_first_moment() -> None:
    with Stage() as stage:
        pipe = stage.start("child", tell_blocked, None)
        assert stage.hear(pipe, time.monotonic() + 20) == {signal.SIGINT}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def tell_cpus(settings: object, life_line: int, pipe: Connection) -> int:
    assert settings is None
    assert life_line > 0
    pipe.send(os.sched_getaffinity(0))
    return 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="there is one CPU to share")
@pytest.mark.parametrize("cpus", ["shared", "apart"])
@pytest.mark.parametrize("name", ["launcher", "bench-0"])
def test_a_launcher_can_have_the_first_cpu_to_itself(cpus: Cpus, name: str) -> None:
    first, *others = sorted(os.sched_getaffinity(0))
    apart = {"launcher": {first}, "bench-0": set(others)}
    with Stage(cpus) as stage:
        pipe = stage.start(name, tell_cpus, None)
        may_run_on = stage.hear(pipe, time.monotonic() + 20)
    assert may_run_on == (apart[name] if cpus == "apart" else {first, *others})


def test_a_stage_hears_what_a_process_says() -> None:
    with Stage() as stage:
        pipe = stage.start("echo", echo, "hello")
        assert stage.hear(pipe, time.monotonic() + 20) == "hello"


def test_a_process_that_ends_unheard_is_named_with_its_status() -> None:
    with Stage() as stage:
        pipe = stage.start("failing", fail, 7)
        with pytest.raises(VoidRunError, match="failing process ended with status 7"):
            stage.hear(pipe, time.monotonic() + 20)


PARENT = """
import sys
from pathlib import Path
from bench.floor import FloorLauncherSettings
from bench.processes import floor_launcher
from bench.stage import Stage
from transport.endpoints import Endpoints

with Stage() as stage:
    settings = FloorLauncherSettings(Endpoints.in_directory(Path(sys.argv[1])))
    stage.start_ready("launcher", floor_launcher, settings)
    print(*stage.pids.values(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["close", "kill -9"])
def test_no_process_outlives_its_stage(end: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            if end == "close":
                parent.stdin.close()
            else:
                parent.kill()
            ended, _, _ = select.select([child], [], [], 20)
            assert ended == [child]
        finally:
            os.close(child)
