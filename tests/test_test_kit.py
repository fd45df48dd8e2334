from typing import Any

import pykka
import pytest

from actors.dispatched_actor import DispatchedActor
from actors.supervision.actor_timers import ActorTimers
from actors.test_kit import Probe, ShuffledDispatcher, SteppedDispatcher, VirtualClock


class Echo(DispatchedActor):
    def __init__(self, receiver: pykka.ActorRef[Any]) -> None:
        super().__init__()
        self._receiver = receiver

    def on_receive(self, message: Any) -> None:
        self._receiver.tell(message)


class Ticking(DispatchedActor):
    def __init__(self, receiver: pykka.ActorRef[Any]) -> None:
        super().__init__()
        self._receiver = receiver

    def on_start(self) -> None:
        ActorTimers(self).set_periodic("tick", 1.0, "tick")

    def on_receive(self, message: Any) -> None:
        self._receiver.tell(message)


@pytest.mark.parametrize("dispatched", [True, False])
def test_a_probe_gives_what_it_was_told_in_order(dispatched: bool) -> None:  # noqa: FBT001
    probe = Probe(SteppedDispatcher() if dispatched else None)
    for message in ("one", 2, 3.5):
        probe.ref.tell(message)
    assert probe.expect("one") == "one"
    assert probe.expect(int) == 2
    assert probe.expect(lambda message: message > 3) == 3.5
    probe.expect_no_message()
    probe.stop()
    assert not probe.ref.is_alive()


def test_a_probe_says_what_was_expected_and_what_came() -> None:
    probe = Probe(SteppedDispatcher())
    probe.ref.tell("left")
    with pytest.raises(AssertionError, match="expected 'right', got 'left'"):
        probe.expect("right")
    with pytest.raises(AssertionError, match="expected 'right', but no message came"):
        probe.expect("right")
    probe.ref.tell("something")
    with pytest.raises(AssertionError, match="expected no message, got 'something'"):
        probe.expect_no_message()


def test_a_stepped_dispatcher_takes_one_message_a_step() -> None:
    dispatcher = SteppedDispatcher()
    probe = Probe(dispatcher)
    echo = Echo.start(probe.ref, dispatcher=dispatcher)
    echo.tell("hello")
    assert [dispatcher.step(), dispatcher.step(), dispatcher.step()] == [True, True, False]
    probe.expect("hello")


def test_timers_fire_on_the_way_each_at_its_own_time() -> None:
    dispatcher = SteppedDispatcher(VirtualClock(5))
    probe = Probe(dispatcher)
    Ticking.start(probe.ref, dispatcher=dispatcher)
    dispatcher.advance(3.5)
    for _ in range(3):
        probe.expect("tick")
    probe.expect_no_message()
    assert dispatcher.virtual.now == 5 + 3_500_000_000


def order_of(seed: int) -> list[Any]:
    dispatcher = ShuffledDispatcher(seed)
    probe = Probe(dispatcher)
    echoes = [Echo.start(probe.ref, dispatcher=dispatcher) for _ in range(5)]
    for number, echo in enumerate(echoes):
        echo.tell((number, "first"))
        echo.tell((number, "second"))
    return [probe.expect(tuple) for _ in range(10)]


def test_a_shuffled_dispatcher_gives_one_order_a_seed_and_keeps_each_senders_own() -> None:
    assert order_of(1) == order_of(1)
    assert len({tuple(order_of(seed)) for seed in range(10)}) > 1
    for seed in range(10):
        order = order_of(seed)
        for number in range(5):
            assert order.index((number, "first")) < order.index((number, "second"))


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="time does not run backwards: -1"):
        VirtualClock().advance(-1)
