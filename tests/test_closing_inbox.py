import threading
from collections import deque
from typing import Any

import pykka
import pytest

from actors.pykka_internals import Envelope, StopMessage
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, Restart
from actors.supervision.closing_inbox import ClosingInbox
from tests.closing_inbox_soak import soak
from tests.supervised_actors import PATIENCE, Threaded, tree_of


class LosingRace:
    """An inbox seen by a sender that is overtaken, between its look and its put, by the stop."""

    def __init__(self, ref: pykka.ActorRef[Any]) -> None:
        self._inbox = ref.actor_inbox
        self._ref = ref
        self._thread: Any = ref.ask(lambda _: threading.current_thread())

    def put(self, envelope: Envelope[Any]) -> None:
        self._ref.actor_inbox = self._inbox
        self._ref.stop(timeout=PATIENCE)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._inbox.put(envelope)


class Owner:
    def __init__(self) -> None:
        self.late = list[Any]()
        self.over = list[Any]()

    def undelivered(self, envelope: Envelope[Any]) -> None:
        self.late.append(envelope.message)

    def overflowed(self, envelope: Envelope[Any]) -> None:
        self.over.append(envelope.message)


def overtake(ref: pykka.ActorRef[Any]) -> None:
    ref.actor_inbox = LosingRace(ref)  # type: ignore[assignment]


def test_plain_pykka_never_answers_an_ask_that_the_stop_overtakes() -> None:
    ref = Threaded.start()
    overtake(ref)
    answer = ref.ask("a question", block=False)
    assert not ref.is_alive()
    assert not ref.actor_inbox.empty()
    with pytest.raises(pykka.Timeout):
        answer.get(timeout=0.1)


def test_plain_pykka_loses_a_tell_that_the_stop_overtakes_without_a_trace() -> None:
    seen = list[Any]()
    ref = Threaded.start(seen)
    overtake(ref)
    ref.tell("lost")
    assert not ref.is_alive()
    assert seen == []
    assert not ref.actor_inbox.empty()


def test_an_ask_that_the_stop_overtakes_is_answered_that_the_actor_is_dead() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded), Restart.TEMPORARY)) as tree:
        ref = tree.child("a").post.ref
        assert ref is not None
        overtake(ref)
        with pytest.raises(pykka.ActorDeadError):
            ref.ask("a question", timeout=PATIENCE)


def test_a_tell_that_the_stop_overtakes_is_a_dead_letter() -> None:
    with tree_of(ChildSpec("a", Worker(Threaded), Restart.TEMPORARY)) as tree:
        ref = tree.child("a").post.ref
        assert ref is not None
        overtake(ref)
        ref.tell("late")
        tree.stop(timeout=PATIENCE)
        assert tree.dead_letters.count == 1


def test_a_tell_that_a_crash_overtakes_is_handled_by_the_next_incarnation() -> None:
    seen = list[Any]()
    with tree_of(ChildSpec("a", Worker(Threaded, seen))) as tree:
        handle = tree.child("a")
        ref = handle.post.ref
        assert ref is not None
        overtake(ref)
        ref.tell("late")
        assert handle.ask("next", timeout=PATIENCE) == "next"
        assert seen == ["late", "next"]


def test_no_ask_is_unanswered_and_no_tell_lost_while_actors_are_stopped_and_restarted() -> None:
    outcome = soak(20_000)
    assert outcome.asks == outcome.answered + outcome.dead == 20_000
    assert outcome.is_good
    assert outcome.incarnations > 100


def test_what_is_put_before_the_close_is_given_to_whoever_closes() -> None:
    inbox = ClosingInbox(Owner())
    inbox.put(Envelope("one"))
    assert [each.message for each in inbox.close()] == ["one"]
    assert inbox.close() == deque()


def test_what_is_put_after_the_close_goes_to_the_owner() -> None:
    owner = Owner()
    inbox = ClosingInbox(owner)
    inbox.close()
    inbox.put(Envelope("late"))
    assert owner.late == ["late"]
    assert len(inbox) == 0


def test_a_requested_stop_comes_before_the_messages_that_wait() -> None:
    inbox = ClosingInbox(Owner())
    inbox.put(Envelope("one"))
    inbox.request_stop()
    assert isinstance(inbox.get().message, StopMessage)
    assert inbox.get().message == "one"


def test_whoever_waits_at_an_inbox_that_closes_is_told_to_stop() -> None:
    inbox = ClosingInbox(Owner())
    got = list[Any]()
    thread = threading.Thread(target=lambda: got.append(inbox.get().message))
    thread.start()
    inbox.close()
    thread.join(PATIENCE)
    assert isinstance(got[0], StopMessage)


def test_the_age_of_the_message_in_work_begins_when_it_is_taken_and_ends_with_the_next() -> None:
    times = iter([10, 20])
    inbox = ClosingInbox(Owner(), clock=lambda: next(times))
    inbox.put(Envelope("one"))
    inbox.put(Envelope("two"))
    assert inbox.busy_since == 0
    inbox.get()
    assert inbox.busy_since == 10
    inbox.get()
    assert inbox.busy_since == 20
