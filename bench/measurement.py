"""Which runs are made, and in which order: variants in turn, so that drift burdens all alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bench.promote_ledger import VoidRunError
from bench.result import Knee, Run, Series
from bench.scenario import ClosedArrivals, OpenArrivals, Scenario, Variant, on_ground

SERVED = 0.95
EXPLODED_US = 100_000.0
"""A rate is served if at least this part of it completes, and the 99th percentile of the latency is
at most a tenth of a second, which people begin to notice."""

STEP = 1.25
"""By how much the offered rate rises in a sweep."""

MOST_STEPS = 40


class CarryOut(Protocol):
    """Makes one run of a scenario, in fresh processes.

    Raises:
        VoidRunError: the run proves nothing.
    """

    def __call__(self, scenario: Scenario) -> Run:
        """Make it, and give its figures."""


Progress = Callable[[str], None]
"""Hears of each run, for people who wait."""


@dataclass(frozen=True, slots=True)
class Bench:
    """How runs are made."""

    carry_out: CarryOut
    progress: Progress
    repeats: int

    def in_turn(self, scenarios: Sequence[Scenario], suffix: str = "") -> list[Series]:
        """Repeat scenarios, A B A B, and give a series of each.

        Raises:
            VoidRunError: a run proves nothing; says which and why.
        """
        runs: dict[Scenario, list[Run]] = {scenario: [] for scenario in scenarios}
        for repeat in range(1, self.repeats + 1):
            for scenario in scenarios:
                where = f"{scenario.name}{suffix}, run {repeat} of {self.repeats}"
                runs[scenario].append(self._run(reseeded(scenario, repeat), where))
        return [scenario.series(made, suffix) for scenario, made in runs.items()]

    def sweep(self, scenario: Scenario, arrivals: OpenArrivals) -> tuple[list[Series], Knee]:
        """Raise the offered rate until it is not served; give a series a rate, and the knee.

        A rate counts as not served if it is not in two runs: one may have met a busy machine.

        Args:
            scenario: what to measure.
            arrivals: the lowest rate.

        Raises:
            VoidRunError: a run proves nothing; says which and why.
        """
        swept, reason = list[Series](), f"the sweep ended after {MOST_STEPS} rates"
        served: float | None = None
        for _ in range(MOST_STEPS):
            at_rate = replace(scenario, arrivals=arrivals)
            runs = [self._run(at_rate, f"{at_rate.name}, sweep")]
            if complaint(runs[0], arrivals) is not None:
                again = reseeded(at_rate, 1)
                runs.append(self._run(again, f"{at_rate.name}, sweep, again"))
            swept.append(at_rate.series(runs))
            complaints = [complaint(run, arrivals) for run in runs]
            if all(complaints):
                reason = f"at {arrivals.rate:,.0f}/s {complaints[-1]}"
                break
            served = arrivals.rate
            arrivals = replace(arrivals, rate=arrivals.rate * STEP)
        load = ", ".join([scenario.variant, *scenario.ground.words(), arrivals.kind])
        knee = Knee(
            load=load,
            variant=scenario.variant.value,
            arrivals=arrivals.kind,
            rate=served,
            reason=reason,
        )
        self.progress(f"{load}: knee at {served or 0:,.0f}/s: {reason}")
        return swept, knee

    def _run(self, scenario: Scenario, where: str) -> Run:
        try:
            run = self.carry_out(scenario)
        except VoidRunError as error:
            msg = f"{where}: {error}"
            raise VoidRunError(msg) from error
        latency = run.latency_us
        self.progress(
            f"{where}: {run.rate:,.0f}/s, p50 {latency.p50:,.0f} us, p99 {latency.p99:,.0f} us"
        )
        return run


def complaint(run: Run, arrivals: OpenArrivals) -> str | None:
    """Give why an offered rate was not served, in words; None if it was."""
    if run.rate < SERVED * arrivals.rate:
        return f"{run.rate:,.0f}/s completed"
    if run.latency_us.p99 > EXPLODED_US:
        return f"the 99th percentile was {run.latency_us.p99 / 1000:,.0f} ms"
    return None


def reseeded(scenario: Scenario, repeat: int) -> Scenario:
    """Give a scenario whose repeat has arrivals of its own, though the same each time."""
    arrivals = scenario.arrivals
    if isinstance(arrivals, ClosedArrivals):
        return scenario
    return replace(scenario, arrivals=replace(arrivals, seed=arrivals.seed + repeat))


def sweeps(
    bench: Bench, scenarios: Sequence[Scenario], arrivals: OpenArrivals
) -> tuple[list[Series], list[Knee]]:
    """Sweep each scenario, and measure it at half of its knee, beside the floor if that is there.

    Args:
        bench: makes the runs.
        scenarios: what to sweep; their arrivals count for nothing.
        arrivals: the lowest rate.
    """
    series, knees = list[Series](), list[Knee]()
    for scenario in scenarios:
        swept, knee = bench.sweep(scenario, arrivals)
        series += swept
        knees.append(knee)
    for scenario, knee in zip(scenarios, knees, strict=True):
        if knee.rate is None:
            continue
        at_half = replace(arrivals, rate=knee.rate / 2)
        group = [
            replace(each, arrivals=at_half) for each in (*_floors(scenarios, scenario), scenario)
        ]
        whose = ", ".join([scenario.variant, *scenario.ground.words()])
        series += bench.in_turn(group, f" (half of the knee of {whose})")
    return series, knees


def _floors(scenarios: Sequence[Scenario], scenario: Scenario) -> list[Scenario]:
    """Give the floor on the ground of another variant, if it is measured at all."""
    floor = on_ground(Variant.FLOOR, scenario.ground)
    return [
        each
        for each in scenarios
        if each.variant is Variant.FLOOR is not scenario.variant and each.ground == floor
    ]
