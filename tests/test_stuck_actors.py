import threading
from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, ExitKind, Intensity, Restart, SupervisorSpec
from actors.supervision.mailbox_options import MailOptions
from actors.supervision.stuck_actors import DispatcherWatchdog, StuckBudget, StuckReport
from actors.supervision.watch import watch
from tests.supervised_actors import PATIENCE, Dispatched, Hold, Probe, Threaded, settle, tree_of

SOON = 0.02


def impatient(name: str, kind: type[Any] = Threaded, *, shutdown: float = SOON) -> ChildSpec:
    worker = Worker(kind).with_mail(MailOptions(message_deadline=SOON))
    return ChildSpec(name, worker, shutdown=shutdown)


def test_the_tree_shows_how_long_a_message_has_been_in_work_while_the_actor_hangs() -> None:
    hold = Hold()
    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        tree.child("a").tell(hold)
        assert hold.entered.wait(PATIENCE)
        tree.child("a").tell("waits")
        [node] = tree.tree()
        assert node.depth == 1
        assert node.message_age is not None
        assert node.message_age >= 0
        hold.released.set()
        tree.child("a").ask("done", timeout=PATIENCE)


def test_an_actor_that_does_not_stop_by_its_deadline_is_abandoned_and_counted() -> None:
    hold, probe = Hold(), Probe()
    with tree_of(ChildSpec("a", Worker(Threaded), shutdown=SOON)) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        in_work = handle.ask(hold, block=False)
        assert hold.entered.wait(PATIENCE)
        tree.terminate_child("a", timeout=PATIENCE)
        assert probe.get().reason.kind is ExitKind.ABANDONED
        with pytest.raises(pykka.ActorDeadError):
            in_work.get(timeout=PATIENCE)
        assert (tree.stuck.hanging, tree.stuck.abandoned) == (1, 1)
        hold.released.set()
        settle(tree, lambda: tree.stuck.hanging == 0)
        assert tree.stuck.abandoned == 1


def test_a_message_over_its_deadline_gets_its_actor_replaced_and_the_rest_is_handled() -> None:
    hold, probe = Hold(), Probe()
    with tree_of(impatient("a")) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        handle.tell(hold)
        assert handle.ask("waits", timeout=PATIENCE) == "waits"
        assert handle.incarnation == 2
        reason = probe.get().reason
        assert reason.kind is ExitKind.ABANDONED
        assert "in work for more than 0.02 s" in reason.detail
        hold.released.set()
        settle(tree, lambda: tree.stuck.hanging == 0)


def test_an_actor_that_comes_back_within_its_deadline_is_replaced_but_not_abandoned() -> None:
    hold, probe = Hold(), Probe()
    with tree_of(impatient("a", shutdown=PATIENCE)) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        handle.tell(hold)
        told_to_stop = handle.post.inbox
        settle(tree, lambda: getattr(told_to_stop, "_stop_requested", False))
        hold.released.set()
        assert probe.get().reason.kind is ExitKind.KILLED
        handle.ask("next", timeout=PATIENCE)
        assert tree.stuck.abandoned == 0


def test_a_constructor_that_hangs_is_noticed_by_the_deadline_too() -> None:
    class Hanging(Threaded):
        hold = Hold()

        def __init__(self) -> None:
            super().__init__()
            self.hold.entered.set()
            assert self.hold.released.wait(PATIENCE)

    with tree_of() as tree:
        with pytest.raises(Exception, match="was not started: abandoned"):
            tree.start_child(impatient("a", Hanging), timeout=PATIENCE)
        assert tree.stuck.hanging == 1
        Hanging.hold.released.set()
        settle(tree, lambda: tree.stuck.hanging == 0)


def test_no_more_threads_hang_than_the_budget_allows_and_the_callback_is_called_once() -> None:
    holds, reports = [Hold() for _ in range(5)], list[StuckReport]()
    stuck = StuckBudget(limit=2, give_up=reports.append)
    spec = SupervisorSpec((impatient("a"),), intensity=Intensity(10, 60))
    with tree_of(spec=spec, stuck=stuck) as tree:
        handle = tree.child("a")
        for hold in holds:
            handle.tell(hold)
        reason = tree.wait_ended(PATIENCE)
        assert reason.kind is ExitKind.GAVE_UP
        assert "2 abandoned threads hang, the limit is 2" in reason.detail
        assert [each.stuck for each in reports] == [2]
        assert tree.stuck.abandoned == 2
        for hold in holds:
            hold.released.set()
        settle(tree, lambda: tree.stuck.hanging == 0)


def test_what_an_abandoned_actor_answers_when_it_comes_back_harms_nobody() -> None:
    hold = Hold()
    with tree_of(ChildSpec("a", Worker(Threaded), Restart.TEMPORARY, shutdown=SOON)) as tree:
        in_work = tree.child("a").ask(hold, block=False)
        assert hold.entered.wait(PATIENCE)
        [thread] = [each for each in threading.enumerate() if each.name == "Threaded-a"]
        tree.terminate_child("a", timeout=PATIENCE)
        hold.released.set()
        thread.join(PATIENCE)
        with pytest.raises(pykka.ActorDeadError):
            in_work.get(timeout=PATIENCE)


def test_an_idle_actor_that_is_killed_ends_at_once_and_its_thread_too() -> None:
    probe = Probe()
    with tree_of(ChildSpec("a", Worker(Threaded), shutdown=0)) as tree:
        tree.child("a").ask("up", timeout=PATIENCE)
        settle(tree, lambda: tree.tree()[0].message_age is None)
        watch(tree.child("a"), probe)
        tree.terminate_child("a", timeout=PATIENCE)
        assert probe.get().reason.kind is ExitKind.KILLED
        settle(tree, lambda: tree.stuck.hanging == 0)


def test_the_tree_of_a_dispatcher_that_hangs_is_seen_from_another_thread() -> None:
    dispatcher, hold, ages = Dispatcher(), Hold(), list[Any]()
    with tree_of(ChildSpec("a", Worker(Dispatched)), kind=Dispatched) as tree:
        dispatcher = tree.child("a").post.dispatcher or dispatcher

        def look() -> None:
            assert hold.entered.wait(PATIENCE)
            ages.append(tree.tree()[0].message_age)
            hold.released.set()

        looker = threading.Thread(target=look)
        looker.start()
        tree.child("a").tell(hold)
        dispatcher.run_until_idle()
        looker.join(PATIENCE)
        assert ages[0] is not None
        assert tree.tree()[0].message_age is None


def test_a_watchdog_gives_up_when_a_dispatcher_is_in_one_turn_for_too_long() -> None:
    dispatcher, hold, reports = Dispatcher(), Hold(), list[StuckReport]()

    def give_up(report: StuckReport) -> None:
        reports.append(report)
        hold.released.set()

    watchdog = DispatcherWatchdog(dispatcher, SOON, give_up)
    Dispatched.start(dispatcher=dispatcher).tell(hold)
    dispatcher.run_until_idle()
    watchdog.stop()
    assert [each.stuck for each in reports] == [1]


def test_a_watchdog_is_content_with_a_dispatcher_that_is_idle() -> None:
    reports = list[StuckReport]()
    watchdog = DispatcherWatchdog(Dispatcher(), SOON, reports.append)
    watchdog.stop()
    assert reports == []
