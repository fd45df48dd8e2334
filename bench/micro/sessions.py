"""Runs the benchmarks, each session in a process of its own, and reads what it measured."""

import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
from msgspec import Struct

from bench.micro.stored import Figures
from bench.result import ResultError

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SESSION_SECONDS = 300.0
"""A session that takes longer is ended."""

DIGITS = 4
"""Significant digits of a stored figure."""

NO_TESTS = 5
"""Exit status of pytest where it was left with nothing to run."""


class Timed(NamedTuple):
    """What one session says of one benchmark; see `Figures`."""

    ns: float
    disk: bool = False


class Session(NamedTuple):
    """One session: what the fixed loop took, in nanoseconds, and each benchmark."""

    calibration_ns: float
    timed: dict[str, Timed]


class _Stats(Struct):
    median: float


class _Extra(Struct):
    operations: int
    disk: bool
    calibration_ns: float


class _Benchmark(Struct):
    fullname: str
    stats: _Stats
    extra_info: _Extra


class _Output(Struct):
    benchmarks: list[_Benchmark]


def run_session(select: str) -> Session:
    """Measure every selected benchmark in one new process.

    Args:
        select: a pytest expression (`-k`); empty for all.

    Raises:
        ResultError: a benchmark failed, or nothing was selected; says what pytest said.
    """
    with tempfile.TemporaryDirectory(prefix="muxsaga-micro-") as name:
        output = Path(name) / "session.json"
        _run_pytest(select, _timing(output))
        benchmarks = msgspec.json.decode(output.read_bytes(), type=_Output).benchmarks
    calibration = median(each.extra_info.calibration_ns for each in benchmarks)
    return Session(calibration, {_short_name(each.fullname): _timed(each) for each in benchmarks})


def run_once(select: str) -> None:
    """Run every selected benchmark once, untimed, only to see that it works.

    Raises:
        ResultError: as from `run_session`.
    """
    _run_pytest(select, ["--benchmark-disable"])


def merged(sessions: Iterable[Session]) -> dict[str, Figures]:
    """Give every benchmark's figures over all sessions."""
    by_name: dict[str, list[Timed]] = defaultdict(list)
    for session in sessions:
        for name, timed in session.timed.items():
            by_name[name].append(timed)
    return {
        name: Figures(ns=[rounded(timed.ns) for timed in each], disk=each[0].disk)
        for name, each in by_name.items()
    }


def rounded(value: float) -> float:
    """Give a figure as it is stored."""
    return float(f"{value:.{DIGITS}g}")


def _run_pytest(select: str, timing: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pytest", str(HERE), "-q", "-p", "no:randomly"]
    command += ["-p", "no:cacheprovider", "-o", "python_files=bench_*.py"]
    command += ["-o", "python_functions=bench_*", "-k", select, *timing]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and literals
            command,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"the benchmarks took longer than {SESSION_SECONDS:.0f} s: select fewer"
        raise ResultError(msg) from error
    if done.returncode == NO_TESTS:
        msg = f"no benchmark is selected by {select!r}"
        raise ResultError(msg)
    if done.returncode:
        msg = f"the benchmarks failed with status {done.returncode}:\n{done.stdout}{done.stderr}"
        raise ResultError(msg)


def _timing(output: Path) -> list[str]:
    return [
        f"--benchmark-json={output}",
        "--benchmark-quiet",
        "--benchmark-max-time=0.1",
        "--benchmark-min-time=0.0002",
    ]


def _timed(benchmark: _Benchmark) -> Timed:
    extra = benchmark.extra_info
    return Timed(benchmark.stats.median * 1e9 / extra.operations, extra.disk)


def _short_name(fullname: str) -> str:
    """Give `commit[memory-64]` for `bench/micro/bench_commit.py::bench_commit[memory-64]`."""
    return fullname.rpartition("::bench_")[2]
