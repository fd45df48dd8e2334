from dataclasses import replace

import pytest

from bench.measurement import STEP, Bench, complaint, sweeps
from bench.promote_ledger import VoidRunError
from bench.result import Run
from bench.scenario import ClosedArrivals, OpenArrivals, Scenario, Variant
from tests.bench_documents import run_at

ARRIVALS = OpenArrivals("poisson", rate=100, seconds=1, seed=5)
FLOOR, PROCESS = Scenario(Variant.FLOOR, ARRIVALS), Scenario(Variant.PROCESS, ARRIVALS)


class Machine:
    """Serves so many promotes a second, by variant; its runs in `busy` are a tenth as fast."""

    def __init__(self, *, busy: tuple[int, ...] = (), **capacity: float) -> None:
        self.made: list[Scenario] = []
        self.told: list[str] = []
        self._busy = busy
        self._capacity = capacity

    def carry_out(self, scenario: Scenario) -> Run:
        self.made.append(scenario)
        capacity = self._capacity[scenario.variant]
        if len(self.made) in self._busy:
            capacity /= 10
        offered = scenario.arrivals
        assert isinstance(offered, OpenArrivals)
        return run_at(min(capacity, offered.rate))

    def bench(self, repeats: int) -> Bench:
        return Bench(self.carry_out, self.told.append, repeats)


def test_variants_are_run_in_turn_and_each_repeat_has_its_own_seed() -> None:
    machine = Machine(floor=1000, process=500)
    floor, process = machine.bench(3).in_turn([FLOOR, PROCESS])
    variants = [scenario.variant for scenario in machine.made]
    assert variants == [Variant.FLOOR, Variant.PROCESS] * 3
    assert [each.arrivals.seed for each in machine.made[::2]] == [6, 7, 8]  # type: ignore[union-attr]
    assert len(floor.runs) == len(process.runs) == 3
    assert machine.told[-1].startswith("process, poisson 100/s, run 3 of 3: 100/s, p50 ")


def test_a_void_run_is_named() -> None:
    def void(scenario: Scenario) -> Run:
        raise VoidRunError(scenario.variant)

    with pytest.raises(VoidRunError, match="floor, 8 in flight, run 1 of 2: floor"):
        Bench(void, print, 2).in_turn([Scenario(Variant.FLOOR, ClosedArrivals(8, 10))])


def test_a_sweep_raises_the_rate_to_the_knee_and_measures_at_half_of_it_beside_the_floor() -> None:
    machine = Machine(floor=1000, process=140)
    series, knees = sweeps(machine.bench(2), [FLOOR, PROCESS], ARRIVALS)
    assert [knee.variant for knee in knees] == ["floor", "process"]
    assert knees[1].rate == 100 * STEP
    assert knees[1].reason == "at 156/s 140/s completed"
    names = [each.name for each in series]
    assert len(set(names)) == len(names)
    assert names[-2:] == [
        "floor, poisson 62/s (half of the knee of process)",
        "process, poisson 62/s (half of the knee of process)",
    ]
    assert [len(each.runs) for each in series[-2:]] == [2, 2]


def test_one_bad_run_of_a_sweep_is_no_knee() -> None:
    calm, hindered = Machine(process=190), Machine(process=190, busy=(2,))
    knees = [sweeps(each.bench(1), [PROCESS], ARRIVALS)[1] for each in (calm, hindered)]
    assert knees[0] == knees[1]
    assert len(hindered.made) == len(calm.made) + 1


def test_a_system_that_serves_no_rate_has_no_knee() -> None:
    series, (knee,) = sweeps(Machine(process=10).bench(5), [PROCESS], ARRIVALS)
    assert knee.rate is None
    assert len(series) == 1


def test_a_rate_is_served_if_it_completes_in_time() -> None:
    assert complaint(run_at(96), ARRIVALS) is None
    assert complaint(run_at(94), ARRIVALS) == "94/s completed"
    slow = run_at(5)
    assert complaint(slow, replace(ARRIVALS, rate=5)) == "the 99th percentile was 200 ms"
