import threading
from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.supervision.actor_supervise import supervise
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import Backoff, ChildSpec, Restart, SupervisorSpec
from actors.supervision.dead_letters import DeadLetter, DeadLetterCause
from actors.supervision.fan_out import fan_out
from actors.supervision.mailbox_options import Mail, MailOptions
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
LATER = Backoff(first=1000.0, cap=1000.0)


@each_kind
def test_a_handle_reaches_the_next_incarnation_after_a_crash(kind: type[Any]) -> None:
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        assert (handle.name, handle.incarnation) == ("a", 1)
        handle.tell(ValueError("bad"))
        assert handle.ask("hello", timeout=PATIENCE) == "hello"
        assert handle.incarnation == 2


@each_kind
def test_the_failing_message_is_dropped_and_the_rest_is_kept_in_order(kind: type[Any]) -> None:
    seen = list[Any]()
    with tree_of(ChildSpec("a", Worker(kind, seen)), kind=kind) as tree:
        handle = tree.child("a")
        for message in (1, ValueError("bad"), 2, 3):
            handle.tell(message)
        handle.ask(4, timeout=PATIENCE)
        assert seen == [1, 2, 3, 4]
        assert tree.dead_letters.count == 0


@each_kind
def test_a_child_that_drops_its_mail_leaves_dead_letters_and_answers_asks(kind: type[Any]) -> None:
    seen, probe = list[Any](), Probe()
    worker = Worker(kind, seen).with_mail(MailOptions(mail=Mail.DROP))
    spec = SupervisorSpec((ChildSpec("a", worker),), backoff=LATER)
    with tree_of(kind=kind, spec=spec) as tree:
        tree.dead_letters.subscribe(probe)
        handle, hold = tree.child("a"), Hold()
        if kind is Threaded:
            handle.tell(hold)
            assert hold.entered.wait(PATIENCE)
        handle.tell(ValueError("bad"))
        handle.tell("waits")
        answer = handle.ask("asked", block=False)
        hold.released.set()
        with pytest.raises(pykka.ActorDeadError):
            answer.get(timeout=PATIENCE)
        handle.tell("comes later")
        letters = [probe.get() for _ in range(3)]
        assert [each.message for each in letters] == ["waits", "asked", "comes later"]
        assert {each.cause for each in letters} == {DeadLetterCause.RESTARTING}


@each_kind
def test_an_ask_that_waits_for_a_restart_that_never_comes_is_answered(kind: type[Any]) -> None:
    spec = SupervisorSpec((ChildSpec("a", Worker(kind)),), backoff=LATER)
    with tree_of(kind=kind, spec=spec) as tree:
        handle = tree.child("a")
        handle.tell(ValueError("bad"))
        settle(tree, lambda: not handle.is_alive())
        answer = handle.ask("asked", block=False)
        tree.stop(timeout=PATIENCE)
        with pytest.raises(pykka.ActorDeadError):
            answer.get(timeout=PATIENCE)


@each_kind
def test_a_tell_to_a_child_that_is_over_is_a_dead_letter_and_does_not_raise(
    kind: type[Any],
) -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(kind), Restart.TEMPORARY), kind=kind) as tree:
        tree.dead_letters.subscribe(probe)
        handle = tree.child("a")
        tree.terminate_child("a", timeout=PATIENCE)
        handle.tell("too late")
        assert probe.get() == DeadLetter("too late", "a", DeadLetterCause.GONE)
        with pytest.raises(pykka.ActorDeadError):
            handle.ask("too late", timeout=PATIENCE)


@each_kind
def test_a_child_that_was_terminated_and_restarted_is_reached_by_its_old_handle(
    kind: type[Any],
) -> None:
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        tree.terminate_child("a", timeout=PATIENCE)
        tree.restart_child("a", timeout=PATIENCE)
        assert handle.ask("again", timeout=PATIENCE) == "again"
        assert handle == tree.child("a")


@each_kind
def test_a_handle_outlives_the_restart_of_the_supervisor_above_it(kind: type[Any]) -> None:
    inner = SupervisorSpec((ChildSpec("b", Worker(kind)),))
    with tree_of(ChildSpec("group", inner), kind=kind) as tree:
        handle = tree.supervisor("group").child("b")
        for _ in range(2):
            handle.tell(ValueError("bad"))
        assert handle.ask("hello", timeout=PATIENCE) == "hello"
        assert handle.incarnation == 3


@each_kind
def test_a_proxy_made_once_calls_whichever_incarnation_is_up(kind: type[Any]) -> None:
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        proxy: Any = handle.proxy()
        handle.ask("counted", timeout=PATIENCE)
        assert proxy.handled.get(timeout=PATIENCE) == 1
        handle.tell(ValueError("bad"))
        assert proxy.handled.get(timeout=PATIENCE) == 0
        assert proxy.on_receive("called").get(timeout=PATIENCE) == "called"


def test_there_is_no_proxy_of_a_child_that_is_down() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        handle = tree.child("a")
        tree.terminate_child("a", timeout=PATIENCE)
        with pytest.raises(pykka.ActorDeadError):
            handle.proxy()


@each_kind
def test_an_exception_in_an_ask_goes_to_the_asker_and_the_actor_lives_on(kind: type[Any]) -> None:
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        with pytest.raises(ValueError, match="bad"):
            handle.ask(ValueError("bad"), timeout=PATIENCE)
        assert handle.ask("hello", timeout=PATIENCE) == "hello"
        assert handle.incarnation == 1


@each_kind
def test_a_stop_told_before_a_crash_does_not_stop_the_next_incarnation(kind: type[Any]) -> None:
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle, hold = tree.child("a"), Hold()
        ref = handle.post.ref
        assert ref is not None
        if kind is Threaded:
            handle.tell(hold)
            assert hold.entered.wait(PATIENCE)
        handle.tell(ValueError("bad"))
        stopped = ref.stop(block=False)
        hold.released.set()
        assert handle.ask("hello", timeout=PATIENCE) == "hello"
        assert handle.incarnation == 2
        assert stopped.get(timeout=PATIENCE) is True


def test_a_fan_out_reaches_the_living_and_names_the_dead() -> None:
    seen = list[Any]()
    alive, dead = Threaded.start(seen), Threaded.start()
    dead.stop(timeout=PATIENCE)
    outcome = fan_out([dead, alive], "news")
    alive.stop(timeout=PATIENCE)
    assert seen == ["news"]
    assert outcome.told == 1
    assert outcome.missed == (dead,)


def test_a_fan_out_counts_the_mail_of_dead_children_as_dead_letters() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded)), ChildSpec("b", Worker(Threaded))) as tree:
        handles = [tree.child("a"), tree.child("b")]
        tree.terminate_child("a", timeout=PATIENCE)
        assert fan_out(handles, "news").told == 2
        assert handles[1].ask("last", timeout=PATIENCE) == "last"
        assert tree.dead_letters.count == 1


def test_a_subscriber_that_dies_is_told_no_more_dead_letters() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        subscriber = Threaded.start()
        tree.dead_letters.subscribe(subscriber)
        subscriber.stop(timeout=PATIENCE)
        tree.terminate_child("a", timeout=PATIENCE)
        tree.child("a").tell("one")
        tree.child("a").tell("two")
        assert tree.dead_letters.count == 2


def test_a_subscriber_that_left_is_told_no_more_dead_letters() -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        tree.dead_letters.subscribe(probe)
        tree.dead_letters.unsubscribe(probe)
        tree.terminate_child("a", timeout=PATIENCE)
        tree.child("a").tell("one")
        assert probe.is_empty()


def test_mail_waits_for_the_end_of_a_backoff_in_virtual_time() -> None:
    clock = VirtualClock()
    dispatcher = Dispatcher(clock=clock)
    spec = SupervisorSpec((ChildSpec("a", Worker(Dispatched)),), backoff=LATER)
    with tree_of(kind=Dispatched, spec=spec, dispatcher=dispatcher) as tree:
        handle = tree.child("a")
        handle.tell(ValueError("bad"))
        answer = handle.ask("waits", block=False)
        dispatcher.run_until_idle()
        assert not handle.is_alive()
        clock.advance(1000)
        assert answer.get(timeout=PATIENCE) == "waits"


def test_mail_for_a_child_whose_dispatcher_is_closed_is_a_dead_letter() -> None:
    dispatcher = Dispatcher()
    child = ChildSpec("a", Worker(Dispatched))
    tree = supervise(SupervisorSpec((child,)), dispatcher=dispatcher)
    handle, answers = tree.child("a"), list[Any]()
    dispatcher.close()

    def send() -> None:
        handle.tell("too late")
        answers.append(handle.ask("too late", block=False))

    sender = threading.Thread(target=send)
    sender.start()
    sender.join(PATIENCE)
    assert tree.dead_letters.count == 2
    with pytest.raises(pykka.ActorDeadError):
        answers[0].get(timeout=PATIENCE)
