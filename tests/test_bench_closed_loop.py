from collections import deque

import pytest

from bench.closed_loop import ClosedLoop, Completion, Plan, Taken, VoidRunError, percentile
from bench.driver import drive

MILLISECOND = 1_000_000
PLAN = Plan(hosts=2, concurrency=3, measured=5, warm_up=4)


class FakeScene:
    """Completes promotes in order, each `latency_ns` after it was taken, one every millisecond."""

    def __init__(self, *, latency_ns: int = 7 * MILLISECOND, lost: int | None = None) -> None:
        self.hosts: list[int] = []
        self._latency_ns = latency_ns
        self._lost = lost
        self._open: deque[Completion] = deque()
        self._taken: list[Taken] = []

    def is_ready(self, wait_seconds: float) -> bool:
        return wait_seconds > 0

    def promote(self, host: int) -> None:
        number = len(self.hosts)
        self.hosts.append(host)
        at_ns = number * MILLISECOND
        self._taken.append(Taken(number, at_ns))
        if number != self._lost:
            self._open.append(Completion(number, host, at_ns + self._latency_ns))

    def answers(self) -> list[Taken]:
        taken, self._taken = self._taken, []
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        assert wait_seconds > 0
        return [self._open.popleft()] if self._open else []

    def close(self) -> None:
        pass


def never() -> None:
    return None


def after(rounds: int) -> str | None:
    return "the time was up" if rounds <= 0 else None


def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed() -> None:
    values = list(range(1, 101))
    assert [percentile(values, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7], 50) == 7
    assert percentile([1, 2, 3], 50) == 2
    assert percentile([1, 2], 50) == 1


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1], 0), ([1], 101)])
def test_there_is_no_percentile_of_nothing(values: list[int], percent: float) -> None:
    with pytest.raises(ValueError, match="no "):
        percentile(values, percent)


def test_the_warm_up_fits_the_concurrency_and_what_is_measured() -> None:
    assert Plan.of(hosts=1, concurrency=64, measured=4000).warm_up == 512
    assert Plan.of(hosts=1, concurrency=1, measured=4000).warm_up == 500
    assert Plan.of(hosts=1, concurrency=2, measured=20).warm_up == 16


def test_the_loop_stays_full_until_the_last_measured_completion() -> None:
    loop = ClosedLoop(PLAN)
    started = len(loop.first_hosts())
    for number in range(PLAN.warm_up + PLAN.measured):
        assert started - number == PLAN.concurrency
        started += loop.completed(Completion(number, 0, number))
    assert started == PLAN.total


def test_a_loop_measures_what_comes_after_the_warm_up() -> None:
    scene = FakeScene()
    figures = drive(scene, PLAN, never)
    assert len(scene.hosts) == PLAN.total == 11
    assert figures.promotes == 5
    assert figures.rate == pytest.approx(1000)
    assert figures.seconds == pytest.approx(0.005)
    assert figures.p50_us == figures.p99_us == figures.max_us == pytest.approx(7000)


def test_promotes_are_spread_over_the_hosts_and_stay_where_they_began() -> None:
    scene = FakeScene()
    drive(scene, PLAN, never)
    assert scene.hosts[:3] == [0, 1, 0]
    assert scene.hosts[3:] == [0, 1, 0, 0, 1, 0, 0, 1]


def test_a_lost_promote_voids_the_run_at_its_deadline() -> None:
    rounds = iter(range(20, -1, -1))
    with pytest.raises(VoidRunError, match=r"time was up: 11 promotes due, 11 started.*10 compl"):
        drive(FakeScene(lost=6), PLAN, lambda: after(next(rounds)))


def test_a_clock_that_runs_backwards_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="clocks"):
        drive(FakeScene(latency_ns=-1), PLAN, never)


def test_a_cold_promote_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="empty pool"):
        ClosedLoop(PLAN).taken(Taken("a", 1, cold=True))


def test_an_answer_that_comes_twice_voids_the_run() -> None:
    loop = ClosedLoop(PLAN)
    loop.taken(Taken("a", 1))
    with pytest.raises(VoidRunError, match="answered twice"):
        loop.taken(Taken("a", 2))


def test_a_completion_that_comes_twice_voids_the_run() -> None:
    loop = ClosedLoop(PLAN)
    loop.first_hosts()
    loop.completed(Completion("a", 0, 1))
    with pytest.raises(VoidRunError, match="completed twice"):
        loop.completed(Completion("a", 0, 2))


def test_a_completion_that_nobody_started_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="nobody started"):
        ClosedLoop(PLAN).completed(Completion("a", 0, 1))


def test_completions_of_other_promotes_than_those_taken_void_the_run() -> None:
    plan = Plan(hosts=1, concurrency=1, measured=1, warm_up=1)
    loop = ClosedLoop(plan)
    loop.first_hosts()
    for number in range(plan.total):
        loop.taken(Taken(number, number))
        loop.completed(Completion(number + 1, 0, number + 1))
    with pytest.raises(VoidRunError, match="lost"):
        loop.figures()
