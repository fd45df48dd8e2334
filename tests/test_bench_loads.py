from collections import deque
from dataclasses import replace
from itertools import pairwise
from statistics import mean, pstdev

import pytest

from bench.driver import drive
from bench.loads import ClosedLoad, Load, OpenLoad, offsets
from bench.process_usage import UsageMeter
from bench.promote_ledger import Completion, Key, PromoteLedger, Start, Taken, VoidRunError
from bench.result import Run
from bench.scenario import MOST_OUTSTANDING, ClosedArrivals, OpenArrivals

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
CLOSED = ClosedArrivals(concurrency=3, measured=5)
OPEN = OpenArrivals("constant", rate=100, seconds=0.1, seed=1)


class FakeScene:
    """Completes promotes in order, each `latency_ns` after it was taken, one every millisecond."""

    def __init__(self, *, latency_ns: int = 7 * MILLISECOND, lost: int | None = None) -> None:
        self.hosts: list[int] = []
        self.found: list[str] = []
        self._latency_ns = latency_ns
        self._lost = lost
        self._open: deque[Completion] = deque()
        self._taken: list[Taken] = []

    def is_ready(self, wait_seconds: float) -> bool:
        return wait_seconds > 0

    def promote(self, start: Start) -> None:
        self.hosts.append(start.host)
        at_ns = start.number * MILLISECOND
        key = f"promote {start.number}"
        self._taken.append(Taken(start.number, key, at_ns))
        if start.number != self._lost:
            self._open.append(Completion(key, start.host, at_ns + self._latency_ns))

    def answers(self) -> list[Taken]:
        taken, self._taken = self._taken, []
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        assert wait_seconds > 0
        return [self._open.popleft()] if self._open else []

    def violations(self) -> list[str]:
        return self.found

    def events_of(self, key: Key) -> None:
        del key

    def close(self) -> None:
        pass


def driven(scene: FakeScene, rounds: int = 1000) -> Run:
    left = iter(range(rounds, -1, -1))
    return drive(
        scene,
        lambda _: ClosedLoad(CLOSED, hosts=2),
        lambda: "the time was up" if next(left) == 0 else None,
        UsageMeter({}),
    ).run()


def test_the_warm_up_fits_the_load() -> None:
    assert ClosedArrivals(concurrency=64, measured=4000).warm_up == 512
    assert ClosedArrivals(concurrency=1, measured=4000).warm_up == 500
    assert ClosedArrivals(concurrency=2, measured=20).warm_up == 16
    assert OpenArrivals("constant", rate=100, seconds=5, seed=1).warm_up == 100
    assert OpenArrivals("constant", rate=100, seconds=0.2, seed=1).warm_up == 20


def test_a_closed_loop_stays_full_until_the_last_measured_completion() -> None:
    load = ClosedLoad(CLOSED, hosts=2)
    started = len(load.due(0))
    for number in range(CLOSED.warm_up + CLOSED.measured):
        assert started - number == CLOSED.concurrency
        assert load.is_measuring == (number >= CLOSED.warm_up)
        load.completed(Completion(number, 0, number))
        started += len(load.due(0))
    assert load.is_measured
    assert started == load.ledger.total == CLOSED.warm_up + 5 + 2


def test_a_closed_loop_measures_what_comes_after_the_warm_up() -> None:
    scene = FakeScene()
    run = driven(scene)
    assert len(scene.hosts) == CLOSED.warm_up + 7
    assert run.promotes == 5
    assert run.rate == pytest.approx(1000)
    assert run.seconds == pytest.approx(0.005)
    assert run.latency_us.p50 == run.latency_us.max == pytest.approx(7000, rel=1e-3)
    assert sum(moment.completed for moment in run.time_series) == 5


def test_the_promotes_of_a_closed_loop_stay_at_the_hosts_where_they_began() -> None:
    scene = FakeScene()
    driven(scene)
    assert scene.hosts[:9] == [0, 1, 0, 0, 1, 0, 0, 1, 0]


def test_a_lost_promote_voids_the_run_at_its_deadline() -> None:
    with pytest.raises(VoidRunError, match=r"time was up: 31 promotes due, 31 started.*30 compl"):
        driven(FakeScene(lost=6), rounds=60)


def test_a_clock_that_runs_backwards_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="clocks"):
        driven(FakeScene(latency_ns=-1))


def test_a_wrong_history_voids_the_run() -> None:
    scene = FakeScene()
    scene.found = [f"fault {number}" for number in range(7)]
    with pytest.raises(VoidRunError, match=r"history is wrong: fault 0; .*fault 4; and 2 more"):
        driven(scene)


def open_load(arrivals: OpenArrivals, hosts: int = 1) -> OpenLoad:
    return OpenLoad(arrivals, hosts, began=SECOND)


def finish(load: Load, starts: list[Start], at: int) -> None:
    for start in starts:
        load.taken(Taken(start.number, start.number, at))
        load.completed(Completion(start.number, start.host, at))


def test_the_promotes_of_an_open_loop_are_due_by_the_clock_alone() -> None:
    load = open_load(OPEN, hosts=2)
    assert load.due(SECOND) == []
    assert load.next_due() == SECOND + 10 * MILLISECOND
    assert load.due(SECOND + 29 * MILLISECOND) == [Start(0, 0), Start(1, 1)]
    assert [start.number for start in load.due(2 * SECOND)] == list(range(2, 20))
    assert load.next_due() is None


def test_a_latency_of_an_open_loop_runs_from_when_the_promote_was_due() -> None:
    load = open_load(OPEN)
    starts = load.due(SECOND + 500 * MILLISECOND)  # long after the last one was due, at 0.2 s
    finish(load, starts, SECOND + 600 * MILLISECOND)
    part = load.measured()
    assert load.is_measured
    assert len(part.promotes) == OPEN.measured == 10
    assert [promote.latency for promote in part.promotes] == [
        (600 - 10 * number) * MILLISECOND for number in range(11, 21)
    ]
    assert part.seconds == pytest.approx(0.5)


def test_an_open_loop_that_is_full_keeps_its_promotes_until_there_is_room() -> None:
    load = open_load(OpenArrivals("constant", rate=10_000, seconds=0.1, seed=1))
    starts = load.due(10 * SECOND)
    assert len(starts) == MOST_OUTSTANDING
    assert load.next_due() is None
    finish(load, starts[:3], 10 * SECOND)
    assert load.next_due() == SECOND + round((MOST_OUTSTANDING + 1) * 0.1 * MILLISECOND)
    assert len(load.due(10 * SECOND)) == 3


def test_poisson_arrivals_have_their_rate_their_spread_and_their_seed() -> None:
    arrivals = OpenArrivals("poisson", rate=1000, seconds=5, seed=7)
    due = list(offsets(arrivals))
    distances = [after - before for before, after in pairwise(due)]
    assert len(due) == 6000
    assert due[999] == SECOND
    assert due[-1] == 6 * SECOND
    assert pstdev(distances) == pytest.approx(mean(distances), rel=0.1)
    assert list(offsets(arrivals)) == due
    assert list(offsets(replace(arrivals, seed=8))) != due


def test_a_cold_promote_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="empty pool"):
        PromoteLedger(1).taken(Taken(0, "a", 1, cold=True))


def test_an_answer_that_comes_twice_voids_the_run() -> None:
    ledger = PromoteLedger(2)
    ledger.taken(Taken(0, "a", 1))
    with pytest.raises(VoidRunError, match="answered twice"):
        ledger.taken(Taken(1, "a", 2))


def test_a_completion_that_comes_twice_voids_the_run() -> None:
    ledger = PromoteLedger(2)
    ledger.start(0)
    ledger.completed(Completion("a", 0, 1))
    with pytest.raises(VoidRunError, match="completed twice"):
        ledger.completed(Completion("a", 0, 2))


def test_a_completion_that_nobody_started_voids_the_run() -> None:
    with pytest.raises(VoidRunError, match="nobody started"):
        PromoteLedger(1).completed(Completion("a", 0, 1))


@pytest.mark.parametrize(
    ("taken", "completed", "complaint"),
    [
        (["a", "b"], ["a", "c"], "lost"),
        (["a", "b"], ["a"], "lost"),
        (["a"], ["a", "b"], "lost"),
    ],
)
def test_completions_of_other_promotes_than_those_taken_void_the_run(
    taken: list[str], completed: list[str], complaint: str
) -> None:
    ledger = PromoteLedger(2)
    for number, key in enumerate(taken):
        ledger.start(0)
        ledger.taken(Taken(number, key, 1))
    ledger.start(0)
    for key in completed:
        ledger.completed(Completion(key, 0, 2))
    with pytest.raises(VoidRunError, match=complaint):
        ledger.in_order()


def test_two_answers_to_one_promote_void_the_run() -> None:
    ledger = PromoteLedger(2)
    for key in ("a", "b"):
        ledger.start(0)
        ledger.taken(Taken(0, key, 1))
        ledger.completed(Completion(key, 0, 2))
    with pytest.raises(VoidRunError, match="taken twice"):
        ledger.in_order()
