from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.supervision.actor_timers import ActorTimers
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec
from tests.supervised_actors import (
    KINDS,
    PATIENCE,
    Dispatched,
    Hold,
    Probe,
    Threaded,
    VirtualClock,
    settle,
    tree_of,
)

each_kind = pytest.mark.parametrize("kind", KINDS)
SOON = 0.001


def scene() -> tuple[VirtualClock, Dispatcher, pykka.ActorRef[Any], list[Any]]:
    clock, seen = VirtualClock(), list[Any]()
    dispatcher = Dispatcher(clock=clock)
    return clock, dispatcher, Dispatched.start(seen, dispatcher=dispatcher), seen


def test_a_one_shot_timer_fires_once_at_its_time() -> None:
    clock, dispatcher, actor, seen = scene()
    actor.tell(lambda self: ActorTimers(self).set_once("key", 5.0, "due"))
    dispatcher.run_until_idle()
    clock.advance(4.999)
    dispatcher.run_until_idle()
    assert seen == []
    clock.advance(0.001)
    dispatcher.run_until_idle()
    clock.advance(5)
    dispatcher.run_until_idle()
    assert seen == ["due"]


def test_a_periodic_timer_fires_again_and_does_not_make_up_for_what_it_missed() -> None:
    clock, dispatcher, actor, seen = scene()
    actor.tell(lambda self: ActorTimers(self).set_periodic("key", 1.0, "beat"))
    dispatcher.run_until_idle()
    for _ in range(3):
        clock.advance(1)
        dispatcher.run_until_idle()
    assert seen == ["beat"] * 3
    clock.advance(10)
    dispatcher.run_until_idle()
    assert seen == ["beat"] * 4


def test_a_timer_that_is_set_again_fires_only_as_it_was_set_last() -> None:
    clock, dispatcher, actor, seen = scene()
    actor.tell(lambda self: ActorTimers(self).set_once("key", 1.0, "first"))
    actor.tell(lambda self: ActorTimers(self).set_once("key", 2.0, "second"))
    dispatcher.run_until_idle()
    clock.advance(5)
    dispatcher.run_until_idle()
    assert seen == ["second"]


@each_kind
def test_a_timer_that_is_due_and_then_cancelled_never_fires(kind: type[Any]) -> None:
    seen = list[Any]()

    def cancel_when_due(self: Any) -> None:
        timers = ActorTimers(self)
        timers.set_once("key", 0.0, "cancelled")
        timers.cancel("key")
        timers.set_once("key", 0.0, "replaced")
        timers.set_once("key", 0.0, "kept")

    with tree_of(ChildSpec("a", Worker(kind, seen)), kind=kind) as tree:
        tree.child("a").tell(cancel_when_due)
        settle(tree, lambda: seen != [])
        assert seen == ["kept"]


def test_a_timer_that_is_queued_already_does_not_fire_once_it_is_cancelled() -> None:
    clock, dispatcher, actor, seen = scene()
    actor.tell(lambda self: ActorTimers(self).set_once("key", 1.0, "queued"))
    dispatcher.run_until_idle()
    clock.advance(1)
    actor.tell(lambda self: ActorTimers(self).cancel("key"))
    dispatcher.run_until_idle()
    assert seen == []


def test_a_periodic_timer_of_a_threading_actor_fires_again_and_again() -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:

        def call(self: Any) -> None:
            ActorTimers(self).set_periodic("key", SOON, lambda _: probe.tell("beat"))

        tree.child("a").tell(call)
        assert [probe.get(), probe.get()] == ["beat", "beat"]


def test_messages_get_their_turn_beside_a_timer_that_is_always_due() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        handle = tree.child("a")
        handle.tell(lambda self: ActorTimers(self).set_periodic("key", 1e-9, "always"))
        assert handle.ask("hello", timeout=PATIENCE) == "hello"


@each_kind
def test_the_timers_of_an_incarnation_end_with_it(kind: type[Any]) -> None:
    seen = list[Any]()
    with tree_of(ChildSpec("a", Worker(kind, seen)), kind=kind) as tree:
        handle, hold = tree.child("a"), Hold()

        def set_and_crash(self: Any) -> None:
            ActorTimers(self).set_once("key", 0.0, "of the dead")
            raise ValueError

        handle.tell(set_and_crash)
        hold.released.set()
        handle.ask("next", timeout=PATIENCE)
        assert seen == ["next"]


def test_a_timer_may_carry_a_message_for_a_proxy_method() -> None:
    clock, dispatcher, actor, seen = scene()
    call = pykka.messages.ProxyCall(("on_receive",), ("called",), {})
    actor.tell(lambda self: ActorTimers(self).set_once("key", 1.0, call))
    dispatcher.run_until_idle()
    clock.advance(1)
    dispatcher.run_until_idle()
    assert seen == ["called"]


def test_an_actor_that_pykka_started_is_told_that_it_has_no_timers() -> None:
    ref = Threaded.start()
    with pytest.raises(TypeError, match="start it under a supervisor"):
        ref.ask(ActorTimers, timeout=PATIENCE)
    ref.stop(timeout=PATIENCE)


def test_an_interval_is_longer_than_nothing() -> None:
    _, _, actor, _ = scene()
    with pytest.raises(ValueError, match="longer than 0"):
        actor.ask(lambda self: ActorTimers(self).set_periodic("key", 0.0, "x"), timeout=PATIENCE)
