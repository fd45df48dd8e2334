import pytest

from actors.command_line.promote_driver import (
    CLOSES_IN_FLIGHT,
    POOL_GRACE,
    PromoteDriver,
    Request,
    RunPlan,
    Stage,
)
from transport.labels import window_label
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    Event,
    HostRegistered,
    HostState,
    InspectHost,
    Origin,
    PoolDrained,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    PromoteWindow,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)

RESPAWN = "pool_respawn_on_promote"
CLEANUP = "window_cleanup_cascade"
SECOND = 1_000_000_000


class World:
    """Hosts and a launcher that do at once what the driver asks, as far as the test lets them."""

    def __init__(self, plan: RunPlan, *, pool_target: int = 2) -> None:
        self.driver = PromoteDriver(plan)
        self.now = 0
        self.version = 0
        self.saga_id = 0
        self.windows = 0
        self.pools: dict[str, list[str]] = {host: [] for host in plan.hosts}
        self.sent: list[Request] = []
        self._target = pool_target

    def requests(self) -> list[Request]:
        requests = self.driver.requests(self.now)
        inspected = [each.host for each in requests if isinstance(each.message, InspectHost)]
        if inspected:
            for host in inspected:
                self.say_registered(host)
            requests = self.driver.requests(self.now)
        self.sent.extend(requests)
        return requests

    def say_registered(self, host: str, *, registered: bool = True) -> None:
        self.driver.answered(host, HostState(number=1, state={"registered": registered}))

    def stage(self) -> Stage:
        return self.driver.stage

    def observe(self, *events: Event) -> None:
        self.driver.observed(events)

    def origin(self, host: str) -> Origin:
        return Origin(host, f"{list(self.pools).index(host) + 1:032x}", 1)

    def next_version(self) -> int:
        self.version += 1
        return self.version

    def register(self, host: str) -> None:
        self.observe(
            HostRegistered(
                pool_target=self._target, version=self.next_version(), origin=self.origin(host)
            )
        )

    def add(self, host: str, saga_id: int | None = None) -> str:
        self.windows += 1
        label = window_label(self.origin(host).epoch, self.windows)
        self.pools[host].append(label)
        self.observe(
            PoolWindowAdded(
                label=label,
                saga_id=saga_id,
                version=self.next_version(),
                origin=self.origin(host),
            )
        )
        return label

    def fill(self) -> None:
        for host in self.pools:
            self.register(host)
            for _ in range(self._target):
                self.add(host)

    def start(self, name: str, cause: int) -> int:
        self.saga_id += 1
        self.observe(
            SagaStarted(name=name, cause=cause, saga_id=self.saga_id, version=self.next_version())
        )
        return self.saga_id

    def complete(self, saga_id: int) -> None:
        self.observe(SagaCompleted(result="x", saga_id=saga_id, version=self.next_version()))

    def fail(self, saga_id: int) -> None:
        self.observe(SagaFailed(reason="x", saga_id=saga_id, version=self.next_version()))

    def promote_events(self, request: Request, promote_id: str) -> int:
        """Observe a promote and its saga's start; give the saga."""
        host, label = request.host, self.pools[request.host].pop(0)
        origin = self.origin(host)
        self.observe(
            PoolWindowRemoved(
                label=label,
                reason="promoted",
                promote_id=promote_id,
                version=self.next_version(),
                origin=origin,
            )
        )
        trigger = self.next_version()
        self.observe(
            PoolWindowPromoted(label=label, promote_id=promote_id, version=trigger, origin=origin)
        )
        self.observe(
            WindowOpened(
                label=label, promote_id=promote_id, version=self.next_version(), origin=origin
            )
        )
        return self.start(RESPAWN, trigger)

    def answer(self, request: Request, promote_id: str | None, *, cold: bool = False) -> None:
        message = request.message
        assert isinstance(message, PromoteWindow | CloseWindow)
        self.driver.answered(
            request.host,
            ActionDone(
                number=message.number, label="x", promote_id=promote_id, cold=cold, at_ns=self.now
            ),
        )

    def refuse(self, request: Request) -> None:
        message = request.message
        assert isinstance(message, PromoteWindow | CloseWindow)
        self.driver.answered(request.host, ActionRefused(number=message.number, reason="no"))

    def promote(self, request: Request) -> None:
        """Do a promote to its end."""
        promote_id = f"p{self.version}"
        self.answer(request, promote_id)
        saga_id = self.promote_events(request, promote_id)
        self.add(request.host, saga_id)
        self.complete(saga_id)

    def close(self, request: Request) -> None:
        """Do a close to its end."""
        assert isinstance(request.message, CloseWindow)
        origin, trigger = self.origin(request.host), self.next_version()
        self.observe(WindowClosed(label=request.message.label, version=trigger, origin=origin))
        self.complete(self.start(CLEANUP, trigger))


def test_nothing_is_promoted_before_every_pool_is_full() -> None:
    world = World(RunPlan(("a", "b"), promotes=4, concurrency=4))
    world.register("a")
    world.add("a")
    world.add("a")
    world.register("b")
    world.add("b")
    assert world.requests() == []
    assert world.stage() is Stage.FILLING
    world.add("b")
    assert len(world.requests()) == 4


def test_concurrency_is_kept_in_all_and_shared_by_the_hosts() -> None:
    world = World(RunPlan(("a", "b"), promotes=20, concurrency=5), pool_target=3)
    world.fill()
    hosts = [request.host for request in world.requests()]
    assert sorted(hosts) == ["a", "a", "a", "b", "b"]
    assert world.requests() == []


def test_a_promote_is_open_until_its_sagas_terminal_event_was_observed() -> None:
    world = World(RunPlan(("a",), promotes=2, concurrency=1))
    world.fill()
    (request,) = world.requests()
    world.answer(request, "p1")
    saga_id = world.promote_events(request, "p1")
    world.add("a", saga_id)
    assert world.requests() == []
    world.complete(saga_id)
    assert len(world.requests()) == 1


def test_a_promote_is_open_until_its_answer_came_even_after_the_terminal_event() -> None:
    world = World(RunPlan(("a",), promotes=2, concurrency=1))
    world.fill()
    (request,) = world.requests()
    world.complete(world.promote_events(request, "p1"))
    assert world.requests() == []
    world.answer(request, "p1")
    assert len(world.requests()) == 1


def test_another_hosts_promote_with_the_same_id_does_not_count() -> None:
    world = World(RunPlan(("a", "b"), promotes=4, concurrency=2))
    world.fill()
    of_a, of_b = world.requests()
    world.answer(of_a, "p1")
    world.complete(world.promote_events(of_b, "p1"))
    assert world.requests() == []


def test_a_failed_saga_ends_its_promote_too() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    (request,) = world.requests()
    world.answer(request, "p1")
    world.fail(world.promote_events(request, "p1"))
    world.requests()
    assert world.driver.settled == 1
    assert world.stage() is Stage.SETTLING


def test_a_cold_promote_ends_when_its_window_was_seen_to_open() -> None:
    world = World(RunPlan(("a",), promotes=2, concurrency=1))
    world.fill()
    (request,) = world.requests()
    world.answer(request, "p1", cold=True)
    assert world.requests() == []
    world.observe(
        WindowOpened(label="w", promote_id="p1", cold=True, version=99, origin=world.origin("a"))
    )
    assert len(world.requests()) == 1


def test_a_refused_promote_is_told_and_not_tried_again() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    world.refuse(world.requests()[0])
    assert world.requests() == []
    assert world.driver.refusals == ["a: PromoteWindow: no"]
    assert world.stage() is Stage.FINISHED


def test_a_rate_sends_at_fixed_times_whatever_is_open() -> None:
    world = World(RunPlan(("a", "b"), promotes=4, concurrency=1, rate=2.0))
    world.fill()
    sent = []
    for _ in range(4):
        sent.append(len(world.requests()))
        assert world.driver.next_due is None or world.driver.next_due > world.now
        world.now = world.driver.next_due or world.now
    assert sent == [1, 1, 1, 1]
    assert world.now == 3 * SECOND // 2
    assert world.driver.next_due is None


def test_a_late_loop_sends_what_a_rate_has_made_due_meanwhile() -> None:
    world = World(RunPlan(("a",), promotes=10, concurrency=1, rate=10.0))
    world.fill()
    world.requests()
    world.now = SECOND // 2
    assert len(world.requests()) == 5


def test_windows_stay_open_until_every_bracket_has_closed_and_the_pools_are_full() -> None:
    world = World(RunPlan(("a",), promotes=2, concurrency=1))
    world.fill()
    world.promote(world.requests()[0])
    (second,) = world.requests()
    assert isinstance(second.message, PromoteWindow)
    world.answer(second, "p2")
    world.fail(world.promote_events(second, "p2"))
    assert world.requests() == []
    assert world.stage() is Stage.SETTLING
    world.add("a")
    closes = world.requests()
    assert all(isinstance(each.message, CloseWindow) for each in closes)
    assert len(closes) == 2


def test_a_pool_that_stays_short_is_not_waited_for_for_ever() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    (request,) = world.requests()
    world.answer(request, "p1")
    world.fail(world.promote_events(request, "p1"))
    world.requests()
    assert world.driver.next_due == POOL_GRACE
    world.now = POOL_GRACE
    assert len(world.requests()) == 1
    assert world.stage() is Stage.CLOSING


def test_a_bounded_number_of_windows_is_closed_at_a_time() -> None:
    world = World(RunPlan(("a",), promotes=40, concurrency=4), pool_target=4)
    world.fill()
    while world.stage() is not Stage.CLOSING:
        requests = world.requests()
        for request in requests:
            if isinstance(request.message, PromoteWindow):
                world.promote(request)
    assert len(requests) == CLOSES_IN_FLIGHT
    closed = 0
    while requests:
        for request in requests:
            world.close(request)
            closed += 1
        requests = world.requests()
    assert closed == 40
    assert world.stage() is Stage.FINISHED


def test_the_run_is_finished_only_when_every_cleanup_has_closed() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    world.promote(world.requests()[0])
    (close,) = world.requests()
    assert isinstance(close.message, CloseWindow)
    origin, trigger = world.origin("a"), world.next_version()
    world.observe(WindowClosed(label=close.message.label, version=trigger, origin=origin))
    saga_id = world.start(CLEANUP, trigger)
    world.observe(PoolDrained(label="x", saga_id=saga_id, version=world.next_version()))
    world.requests()
    assert world.stage() is Stage.CLOSING
    world.complete(saga_id)
    world.requests()
    assert world.stage() is Stage.FINISHED


def test_the_run_waits_for_sagas_that_it_did_not_ask_for() -> None:
    world = World(RunPlan(("a",), promotes=0, concurrency=1))
    world.fill()
    refill = world.start("pool_refill", 0)
    world.requests()
    assert world.stage() is Stage.CLOSING
    world.complete(refill)
    world.requests()
    assert world.stage() is Stage.FINISHED


def test_a_window_that_crashes_while_it_is_closed_is_not_waited_for() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    world.promote(world.requests()[0])
    (close,) = world.requests()
    assert isinstance(close.message, CloseWindow)
    world.refuse(close)
    world.observe(
        WindowClosed(
            label=close.message.label,
            crash_detected=True,
            version=world.next_version(),
            origin=world.origin("a"),
        )
    )
    world.requests()
    assert world.stage() is Stage.FINISHED


def test_a_close_that_a_host_refuses_is_told_while_the_window_is_open() -> None:
    world = World(RunPlan(("a",), promotes=1, concurrency=1))
    world.fill()
    world.promote(world.requests()[0])
    (close,) = world.requests()
    world.refuse(close)
    assert world.requests() == []
    assert world.stage() is Stage.FINISHED
    assert world.driver.refusals == ["a: CloseWindow: no"]
    world.close(close)
    assert world.driver.refusals == []


@pytest.mark.parametrize(
    ("concurrency", "hosts", "expected"), [(4, 2, 2), (5, 2, 3), (1, 3, 1), (32, 2, 16)]
)
def test_concurrency_per_host_is_rounded_up(concurrency: int, hosts: int, expected: int) -> None:
    plan = RunPlan(tuple("abc"[:hosts]), promotes=1, concurrency=concurrency)
    assert plan.concurrency_per_host == expected


def test_no_promote_is_asked_of_a_host_that_does_not_know_that_it_is_registered() -> None:
    world = World(RunPlan(hosts=("left",), promotes=1, concurrency=1), pool_target=0)
    world.register("left")
    [inspect] = world.driver.requests(0)
    assert isinstance(inspect.message, InspectHost)
    assert world.driver.requests(0) == []
    world.say_registered("left", registered=False)
    [again] = world.driver.requests(0)
    assert isinstance(again.message, InspectHost)
    world.say_registered("left")
    [promote] = world.driver.requests(0)
    assert isinstance(promote.message, PromoteWindow)
