import threading
from typing import Any

import pykka
import pytest

from actors.dispatched_actor import DeadlockError, DispatchedActor
from actors.dispatcher import ActorDied, Dispatcher
from actors.pykka_internals import Envelope


class Recording(DispatchedActor):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.seen = seen

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        self.seen.append(message)
        return message

    def double(self, number: int) -> int:
        return 2 * number


class Asking(DispatchedActor):
    def on_receive(self, message: Any) -> Any:
        return message.ask("a question")


def test_messages_are_handled_in_the_order_of_their_telling() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    actor = Recording.start(seen, dispatcher=dispatcher)
    for number in range(5):
        actor.tell(number)
    assert seen == []
    assert dispatcher.run_until_idle() == 5
    assert seen == [0, 1, 2, 3, 4]


def test_an_envelope_that_is_told_is_a_message_like_any_other() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    told = Envelope("a message")
    Recording.start(seen, dispatcher=dispatcher).tell(told)
    dispatcher.run_until_idle()
    assert seen == [told]


def test_an_actor_has_one_ref_and_one_urn() -> None:
    dispatcher = Dispatcher()
    ref, other = (Recording.start([], dispatcher=dispatcher) for _ in range(2))
    actor = ref._actor_weakref()  # noqa: SLF001
    assert actor is not None
    assert actor.actor_ref is ref
    assert actor.actor_urn == ref.actor_urn != other.actor_urn


def test_two_ready_actors_take_turns() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    one = Recording.start(seen, dispatcher=dispatcher)
    two = Recording.start(seen, dispatcher=dispatcher)
    for number in range(2):
        one.tell(("one", number))
        two.tell(("two", number))
    dispatcher.run_until_idle()
    assert seen == [("one", 0), ("two", 0), ("one", 1), ("two", 1)]


def test_a_seeded_choice_decides_who_goes_next() -> None:
    dispatcher, seen = Dispatcher(choose=lambda ready: ready - 1), list[Any]()
    actors = [Recording.start(seen, dispatcher=dispatcher) for _ in range(3)]
    for number, actor in enumerate(actors):
        actor.tell(number)
    dispatcher.run_until_idle()
    assert seen == [2, 1, 0]


def test_an_ask_from_the_owner_runs_the_dispatcher_until_the_answer_is_there() -> None:
    dispatcher = Dispatcher()
    actor = Recording.start([], dispatcher=dispatcher)
    assert actor.ask("hello", timeout=1) == "hello"
    assert actor.proxy().double(21).get(timeout=1) == 42


def test_a_blocking_ask_between_two_actors_of_one_dispatcher_raises_at_once() -> None:
    dispatcher = Dispatcher()
    asked = Recording.start([], dispatcher=dispatcher)
    asking = Asking.start(dispatcher=dispatcher)
    with pytest.raises(DeadlockError):
        asking.ask(asked, timeout=1)


def test_an_ask_from_another_thread_is_answered_by_the_owner() -> None:
    woken = threading.Event()
    dispatcher = Dispatcher(wake=woken.set)
    actor = Recording.start([], dispatcher=dispatcher)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(actor.ask("from afar", timeout=5)))
    thread.start()
    assert woken.wait(5)
    dispatcher.run_until_idle()
    thread.join(5)
    assert answers == ["from afar"]


def test_a_crash_is_told_to_the_watcher_under_the_childs_name() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    watcher = Recording.start(seen, dispatcher=dispatcher)
    child = Recording.start([], dispatcher=dispatcher, watcher=watcher, name="child")
    child.tell(ValueError("bad"))
    dispatcher.run_until_idle()
    [died] = seen
    assert isinstance(died, ActorDied)
    assert died.name == "child"
    assert str(died.error) == "bad"
    assert not child.is_alive()


def test_messages_left_in_a_stopped_actors_mailbox_are_dead_letters_and_asks_get_an_error() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    actor = Recording.start(seen, dispatcher=dispatcher)
    actor.tell("before")
    answer = actor.ask("never handled", block=False)
    dispatcher.stop(actor)
    dispatcher.run_until_idle()
    assert seen == []
    assert dispatcher.statistics.dead_letters == 2
    with pytest.raises(pykka.ActorDeadError):
        answer.get(timeout=1)
    with pytest.raises(pykka.ActorDeadError):
        actor.tell("after")


def test_a_stop_message_lets_earlier_messages_be_handled_first() -> None:
    dispatcher, seen = Dispatcher(), list[Any]()
    actor = Recording.start(seen, dispatcher=dispatcher)
    actor.tell("before")
    assert actor.stop(timeout=1) is True
    assert seen == ["before"]
    assert actor.stop(timeout=1) is False


def test_a_tell_to_a_closed_dispatcher_from_another_thread_is_a_dead_letter() -> None:
    dispatcher = Dispatcher()
    actor = Recording.start([], dispatcher=dispatcher)
    dispatcher.close()
    thread = threading.Thread(target=actor.tell, args=("too late",))
    thread.start()
    thread.join(5)
    assert dispatcher.statistics.dead_letters == 1


def test_a_failing_start_reaches_the_starter_and_leaves_no_actor() -> None:
    class Failing(DispatchedActor):
        def on_start(self) -> None:
            msg = "cannot start"
            raise OSError(msg)

    dispatcher = Dispatcher()
    with pytest.raises(OSError, match="cannot start"):
        Failing.start(dispatcher=dispatcher)
    assert dispatcher.statistics.started == 0


def test_a_dispatched_actor_is_not_in_pykkas_global_registry() -> None:
    Recording.start([], dispatcher=Dispatcher())
    assert pykka.ActorRegistry.get_by_class(Recording) == []


def test_an_actor_made_without_start_says_how_to_start_it() -> None:
    with pytest.raises(TypeError, match=r"Recording\.start\(dispatcher="):
        Recording([])
