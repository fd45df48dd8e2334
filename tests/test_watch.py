from typing import Any

import pytest

from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import (
    SHUTDOWN,
    Backoff,
    ChildSpec,
    ExitKind,
    ExitReason,
    Restart,
    SupervisorSpec,
)
from actors.supervision.mailbox_options import Bound, MailOptions
from actors.supervision.watch import Terminated, unwatch, watch
from tests.supervised_actors import KINDS, PATIENCE, Hold, Probe, Threaded, settle, tree_of

each_kind = pytest.mark.parametrize("kind", KINDS)
CRASH = ExitReason(ExitKind.CRASHED, "ValueError: bad")


@each_kind
def test_a_watcher_is_told_once_how_the_incarnation_ended(kind: type[Any]) -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        watch(handle, probe)
        handle.tell(ValueError("bad"))
        handle.ask("the next incarnation is up", timeout=PATIENCE)
        assert probe.get() == Terminated("a", 1, CRASH)
        assert probe.is_empty()


@each_kind
def test_a_watcher_of_a_child_that_is_stopped_is_told_that(kind: type[Any]) -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        watch(tree.child("a"), probe)
        tree.terminate_child("a", timeout=PATIENCE)
        assert probe.get() == Terminated("a", 1, SHUTDOWN)


@each_kind
def test_a_watcher_of_a_child_that_stops_itself_is_told_a_normal_end(kind: type[Any]) -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(kind), Restart.TRANSIENT), kind=kind) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        handle.tell(lambda actor: actor.stop())
        settle(tree, lambda: not handle.is_alive())
        assert probe.get().reason.kind is ExitKind.NORMAL


@each_kind
def test_whoever_watches_a_child_that_is_dead_already_is_told_at_once(kind: type[Any]) -> None:
    probe = Probe()
    spec = SupervisorSpec((ChildSpec("a", Worker(kind)),), backoff=Backoff(1000.0, 1000.0))
    with tree_of(kind=kind, spec=spec) as tree:
        handle = tree.child("a")
        handle.tell(ValueError("bad"))
        settle(tree, lambda: handle.post.last_exit is not None)
        watch(handle, probe)
        assert probe.get() == Terminated("a", 1, CRASH)
        tree.stop(timeout=PATIENCE)
        watch(handle, probe)
        assert probe.get() == Terminated("a", 1, CRASH)
        assert probe.is_empty()


@each_kind
def test_whoever_unwatches_is_told_nothing(kind: type[Any]) -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(kind)), kind=kind) as tree:
        watch(tree.child("a"), probe)
        unwatch(tree.child("a"), probe)
        tree.terminate_child("a", timeout=PATIENCE)
        assert probe.is_empty()


def test_a_watcher_may_be_a_child_and_is_told_although_its_mailbox_is_full() -> None:
    seen, hold = list[Any](), Hold()
    full = Worker(Threaded, seen).with_mail(MailOptions(bound=Bound(1)))
    with tree_of(ChildSpec("watcher", full), ChildSpec("a", Worker(Threaded))) as tree:
        watcher = tree.child("watcher")
        watcher.tell(hold)
        assert hold.entered.wait(PATIENCE)
        watcher.tell("fills the mailbox")
        watch(tree.child("a"), watcher)
        tree.terminate_child("a", timeout=PATIENCE)
        hold.released.set()
        settle(tree, lambda: len(seen) == 2)
        assert seen == ["fills the mailbox", Terminated("a", 1, SHUTDOWN)]


def test_a_watcher_that_is_dead_harms_nobody() -> None:
    watcher = Threaded.start()
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        watch(tree.child("a"), watcher)
        watcher.stop(timeout=PATIENCE)
        tree.child("a").tell(ValueError("bad"))
        assert tree.child("a").ask("hello", timeout=PATIENCE) == "hello"


def test_a_watcher_learns_the_reason_that_on_stop_raised() -> None:
    class Sulking(Threaded):
        def on_stop(self) -> None:
            message = "will not"
            raise OSError(message)

    probe = Probe()
    with tree_of(ChildSpec("a", Worker(Sulking))) as tree:
        watch(tree.child("a"), probe)
        tree.terminate_child("a", timeout=PATIENCE)
        assert str(probe.get().reason) == "crashed: OSError: will not"
