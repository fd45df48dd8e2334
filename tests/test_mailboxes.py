import threading
from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.pykka_internals import Envelope
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import Backoff, ChildSpec, SupervisorSpec
from actors.supervision.dead_letters import DeadLetter, DeadLetterCause
from actors.supervision.handle import Handle
from actors.supervision.mailbox_bounded import BoundedMailbox
from actors.supervision.mailbox_options import Bound, MailboxFullError, MailOptions, Overflow
from tests.supervised_actors import (
    KINDS,
    PATIENCE,
    Dispatched,
    Hold,
    Probe,
    Threaded,
    settle,
    tree_of,
)

each_kind = pytest.mark.parametrize("kind", KINDS)


def bounded(kind: type[Any], seen: list[Any], overflow: Overflow, limit: int = 2) -> ChildSpec:
    worker = Worker(kind, seen).with_mail(MailOptions(bound=Bound(limit, overflow)))
    return ChildSpec("a", worker)


def occupy(handle: Handle, kind: type[Any]) -> Hold:
    """Keep a threading actor at work, so that its mail waits; a dispatched one's waits anyway."""
    hold = Hold()
    if kind is Threaded:
        handle.tell(hold)
        assert hold.entered.wait(PATIENCE)
    return hold


@each_kind
def test_a_full_mailbox_that_rejects_tells_its_sender(kind: type[Any]) -> None:
    seen = list[Any]()
    with tree_of(bounded(kind, seen, Overflow.REJECT), kind=kind) as tree:
        handle = tree.child("a")
        hold = occupy(handle, kind)
        handle.tell(1)
        handle.tell(2)
        with pytest.raises(MailboxFullError):
            handle.tell(3)
        with pytest.raises(MailboxFullError):
            handle.ask(4, block=False).get(timeout=PATIENCE)
        hold.released.set()
        settle(tree, lambda: seen == [1, 2])
        handle.ask(5, timeout=PATIENCE)
        assert seen == [1, 2, 5]


@each_kind
def test_a_full_mailbox_that_drops_the_oldest_makes_it_a_dead_letter(kind: type[Any]) -> None:
    seen, probe = list[Any](), Probe()
    with tree_of(bounded(kind, seen, Overflow.DROP_OLDEST), kind=kind) as tree:
        tree.dead_letters.subscribe(probe)
        handle = tree.child("a")
        hold = occupy(handle, kind)
        oldest = handle.ask(1, block=False)
        for number in (2, 3):
            handle.tell(number)
        with pytest.raises(MailboxFullError):
            oldest.get(timeout=PATIENCE)
        assert probe.get() == DeadLetter(1, "a", DeadLetterCause.OVERFLOW)
        hold.released.set()
        settle(tree, lambda: seen == [2, 3])


@each_kind
def test_a_stop_comes_into_a_full_mailbox_and_before_what_waits(kind: type[Any]) -> None:
    seen = list[Any]()
    with tree_of(bounded(kind, seen, Overflow.REJECT), kind=kind) as tree:
        handle = tree.child("a")
        hold = occupy(handle, kind)
        handle.tell(1)
        handle.tell(2)
        terminated = threading.Thread(target=hold.released.set)
        terminated.start()
        tree.terminate_child("a", timeout=PATIENCE)
        terminated.join()
        assert [each for each in seen if each in {1, 2}] in ([], [1], [1, 2])
        assert tree.dead_letters.count == 2 - len(seen)


def test_the_supervisors_stop_goes_before_the_messages_that_wait() -> None:
    seen = list[Any]()
    with tree_of(ChildSpec("a", Worker(Dispatched, seen)), kind=Dispatched) as tree:
        tree.child("a").tell("waits")
        tree.terminate_child("a", timeout=PATIENCE)
        assert seen == []
        assert tree.dead_letters.count == 1


@each_kind
def test_pykkas_own_stop_comes_into_a_full_mailbox_behind_what_waits(kind: type[Any]) -> None:
    seen = list[Any]()
    with tree_of(bounded(kind, seen, Overflow.REJECT), kind=kind) as tree:
        handle = tree.child("a")
        hold = occupy(handle, kind)
        handle.tell(1)
        handle.tell(2)
        assert handle.post.ref is not None
        stopped = handle.post.ref.stop(block=False)
        hold.released.set()
        assert stopped.get(timeout=PATIENCE) is True
        assert seen == [1, 2]


@each_kind
def test_the_bound_holds_while_the_child_restarts(kind: type[Any]) -> None:
    seen = list[Any]()
    spec = SupervisorSpec(
        (bounded(kind, seen, Overflow.REJECT),), backoff=Backoff(first=1000.0, cap=1000.0)
    )
    with tree_of(kind=kind, spec=spec) as tree:
        handle = tree.child("a")
        handle.tell(ValueError("bad"))
        settle(tree, lambda: not handle.is_alive())
        handle.tell(1)
        handle.tell(2)
        with pytest.raises(MailboxFullError):
            handle.tell(3)


def test_a_sender_waits_for_room_where_the_policy_is_to_block() -> None:
    seen = list[Any]()
    with tree_of(bounded(Threaded, seen, Overflow.BLOCK, limit=1)) as tree:
        handle = tree.child("a")
        hold = occupy(handle, Threaded)
        handle.tell(1)
        sender = threading.Thread(target=handle.tell, args=(2,))
        sender.start()
        assert handle.post.depth() == 1
        hold.released.set()
        sender.join(PATIENCE)
        settle(tree, lambda: seen == [1, 2])


def test_a_sender_that_waits_for_room_gets_on_when_the_child_ends() -> None:
    seen = list[Any]()
    with tree_of(bounded(Threaded, seen, Overflow.BLOCK, limit=1)) as tree:
        handle = tree.child("a")
        hold = occupy(handle, Threaded)
        handle.tell(1)
        sender = threading.Thread(target=handle.tell, args=(2,))
        sender.start()
        stopper = threading.Thread(target=tree.terminate_child, args=("a", PATIENCE))
        stopper.start()
        hold.released.set()
        sender.join(PATIENCE)
        stopper.join(PATIENCE)
        assert not sender.is_alive()
        assert len(seen) + tree.dead_letters.count == 2


def test_an_actor_that_fills_its_own_mailbox_does_not_wait_for_itself() -> None:
    with tree_of(bounded(Threaded, [], Overflow.BLOCK, limit=1)) as tree:
        handle = tree.child("a")

        def fill(_: Any) -> None:
            handle.tell(1)
            handle.tell(2)

        with pytest.raises(MailboxFullError):
            handle.ask(fill, timeout=PATIENCE)


def test_a_dispatched_actor_may_not_block_its_senders() -> None:
    with pytest.raises(ValueError, match="would wait for itself"):
        bounded(Dispatched, [], Overflow.BLOCK)


def test_a_limit_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Bound(0)


def test_another_threads_message_to_a_full_dispatched_mailbox_is_a_dead_letter() -> None:
    seen = list[Any]()
    dispatcher = Dispatcher()
    child = bounded(Dispatched, seen, Overflow.REJECT)
    with tree_of(child, kind=Dispatched, dispatcher=dispatcher) as tree:
        handle = tree.child("a")
        answers = list[pykka.Future[Any]]()

        def send() -> None:
            for number in (1, 2, 3):
                handle.tell(number)
            answers.append(handle.ask(4, block=False))

        sender = threading.Thread(target=send)
        sender.start()
        sender.join(PATIENCE)
        dispatcher.run_until_idle()
        assert seen == [1, 2]
        assert tree.dead_letters.count == 2
        with pytest.raises(MailboxFullError):
            answers[0].get(timeout=PATIENCE)


class Incomparable:
    """A message that cannot be asked whether it is equal to another, as arrays cannot."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = None  # type: ignore[assignment]


def test_a_full_mailbox_drops_the_oldest_of_what_its_actors_ref_was_told() -> None:
    class Owner:
        def __init__(self) -> None:
            self.dropped = list[Any]()

        def overflowed(self, envelope: Envelope[Any]) -> None:
            self.dropped.append(envelope.message)

    owner, seen, dispatcher = Owner(), list[Any](), Dispatcher()
    mailbox = BoundedMailbox(dispatcher, Bound(2, Overflow.DROP_OLDEST), owner)
    ref = Dispatched.start_with(mailbox, seen).actor_ref
    told = [Incomparable() for _ in range(3)]
    for each in told:
        ref.tell(each)
    dispatcher.run_until_idle()
    assert list(map(id, owner.dropped)) == list(map(id, told[:1]))
    assert list(map(id, seen)) == list(map(id, told[1:]))
