import json
import os
import select
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bench.closed_loop import VoidRunError
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


def test_a_tiny_benchmark_gives_every_variant_and_their_ratios() -> None:
    variants = ("floor", "memory", "process", "power")
    options = ("--concurrency", "2", "--promotes", "20", "--repeats", "1", "--json")
    done = bench(*options, "--variants", ",".join(variants))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["benchmark"] == "promotes"
    assert document["environment"]["libraries"]["pykka"]
    (result,) = document["results"]
    assert result["concurrency"] == 2
    assert [(each["of"], each["by"]) for each in result["ratios"]] == [
        *((variant, "floor") for variant in variants[1:]),
        *((variant, "memory") for variant in variants[2:]),
    ]
    assert all(each["rate"]["median"] > 0 for each in result["ratios"])
    for variant in variants:
        (run,) = result["variants"][variant]["runs"]
        assert run["promotes"] == 20
        assert 0 < run["p50_us"] <= run["p99_us"] <= run["max_us"]


def test_a_run_that_takes_too_long_is_void() -> None:
    done = bench("--concurrency", "2", "--repeats", "1", "--run-seconds", "0.001")
    assert done.returncode == 1
    assert "void: 2 in flight, run 1 of 1, floor: the time was up" in done.stderr


def echo(settings: object, life_line: int, pipe: Connection) -> int:
    assert life_line > 0
    pipe.send(settings)
    return 0


def fail(settings: object, life_line: int, pipe: Connection) -> int:
    assert life_line > 0
    pipe.close()
    return int(str(settings))


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
from bench.processes import floor_launcher
from bench.stage import Stage
from transport.endpoints import Endpoints

with Stage() as stage:
    stage.start_ready("launcher", floor_launcher, Endpoints.in_directory(Path(sys.argv[1])))
    print(*stage.process_ids, flush=True)
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
