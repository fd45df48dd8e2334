"""One run whose launcher is profiled, by py-spy from outside or by cProfile within."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.profiling.call_statistics import read_call_statistics
from bench.profiling.profiled_launcher import counted_launcher, sampled_launcher
from bench.profiling.py_spy import PySpy, find_py_spy
from bench.profiling.shares import Profile, profile_of
from bench.profiling.stacks import Stack
from bench.profiling.thread_usage import thread_seconds
from bench.result import ResultError, Run
from bench.runs import carry_out
from bench.scenario import Scenario

LAUNCHER = "launcher"


@dataclass(frozen=True, slots=True)
class Profiled:
    """A run and where its launcher's CPU went.

    Attributes:
        stacks: what was sampled; empty where calls were counted.
        thread_s: CPU seconds by thread, warm-up included.
    """

    run: Run
    profile: Profile
    stacks: list[Stack]
    thread_s: dict[str, float]


@dataclass(slots=True)
class _Watch:
    """What is seen of the launcher while the driver drives."""

    stacks: list[Stack] = field(default_factory=list)
    thread_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def threads(self, pids: Mapping[str, int]) -> Iterator[None]:
        before = thread_seconds(pids[LAUNCHER])
        yield
        after = thread_seconds(pids[LAUNCHER])
        self.thread_s = {name: after[name] - before.get(name, 0.0) for name in after}


def sample(
    scenario: Scenario,
    run_seconds: float,
    *,
    rate: int,
    progress: Callable[[str], None],
) -> Profiled:
    """Make a run with py-spy beside it.

    Args:
        scenario: what to run.
        run_seconds: see `carry_out`.
        rate: samples a second.
        progress: hears when the sampling begins.

    Raises:
        VoidRunError: the run proves nothing.
        ResultError: py-spy is not there, or cannot sample; says what helps.
    """
    program = find_py_spy()
    watch = _Watch()
    with tempfile.TemporaryDirectory(prefix="muxsaga-profile-") as name:

        @contextmanager
        def beside(pids: Mapping[str, int]) -> Iterator[None]:
            output = Path(name) / "stacks"
            spy = PySpy(program, pids[LAUNCHER], output, rate=rate)
            with spy, watch.threads(pids):
                progress(f"sampling the launcher, process {pids[LAUNCHER]}")
                yield
                watch.stacks = spy.stacks()

        run = carry_out(scenario, run_seconds, launcher=sampled_launcher, beside=beside)
    return Profiled(run, profile_of(watch.stacks), watch.stacks, watch.thread_s)


def count_calls(scenario: Scenario, run_seconds: float) -> Profiled:
    """Make a run whose launcher counts its main thread's calls; it is slower by that.

    Raises:
        VoidRunError: the run proves nothing.
        ResultError: the launcher left no statistics.
    """
    watch = _Watch()
    with tempfile.TemporaryDirectory(prefix="muxsaga-profile-") as name:
        calls = Path(name) / "calls"
        launcher = partial(counted_launcher, calls=calls)
        run = carry_out(scenario, run_seconds, launcher=launcher, beside=watch.threads)
        if not calls.exists():
            msg = "the launcher left no statistics: it had to be killed; try fewer '--promotes'"
            raise ResultError(msg)
        return Profiled(run, read_call_statistics(calls), [], watch.thread_s)
