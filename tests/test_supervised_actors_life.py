import threading
from typing import Any

import pykka
import pytest

from actors.dispatcher import Dispatcher
from actors.supervision.actor_pending import StartFailedError
from actors.supervision.actor_supervise import supervise
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import (
    SHUTDOWN,
    ChildSpec,
    ExitKind,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.supervisor_child import ChildState
from actors.supervision.supervisor_errors import (
    AlreadyStartedError,
    ChildNotFoundError,
    NotRunningError,
)
from actors.supervision.watch import watch
from tests.supervised_actors import (
    KINDS,
    PATIENCE,
    Behaviour,
    Dispatched,
    Hold,
    Probe,
    Threaded,
    settle,
    tree_of,
)

each_kind = pytest.mark.parametrize("kind", KINDS)


def failing_in(kind: type[Any], hook: str, error: BaseException) -> type[Any]:
    def fail(self: Any, *args: Any) -> None:
        raise error

    return type("Failing", (kind,), {hook: fail})


@each_kind
@pytest.mark.parametrize("hook", ["__init__", "on_start"])
def test_what_a_start_raised_reaches_whoever_supervises(kind: type[Any], hook: str) -> None:
    failing = failing_in(kind, hook, OSError("no such device"))
    with (
        pytest.raises(StartFailedError, match="no such device") as raised,
        tree_of(ChildSpec("good", Worker(kind)), ChildSpec("a", Worker(failing)), kind=kind),
    ):
        pass
    assert isinstance(raised.value.__cause__, OSError)


@each_kind
@pytest.mark.parametrize("hook", ["__init__", "on_start"])
def test_what_a_start_raised_reaches_whoever_adds_the_child(kind: type[Any], hook: str) -> None:
    failing = failing_in(kind, hook, OSError("no such device"))
    with tree_of(kind=kind) as tree:
        with pytest.raises(StartFailedError, match="no such device"):
            tree.start_child(ChildSpec("a", Worker(failing)), timeout=PATIENCE)
        assert tree.which_children() == []
        with pytest.raises(ChildNotFoundError):
            tree.child("a")


@each_kind
@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), BaseException("odd")])
def test_an_error_that_is_no_exception_ends_one_actor_and_nothing_else(
    kind: type[Any], error: BaseException
) -> None:
    bystander = Threaded.start()
    with tree_of(ChildSpec("a", Worker(kind)), ChildSpec("b", Worker(kind)), kind=kind) as tree:
        tree.child("a").tell(error)
        assert tree.child("a").ask("next", timeout=PATIENCE) == "next"
        with pytest.raises(pykka.ActorDeadError) as raised:
            tree.child("b").ask(error, timeout=PATIENCE)
        assert raised.value.__cause__ is error
        assert bystander.is_alive()
    bystander.stop(timeout=PATIENCE)


@each_kind
def test_hooks_run_as_pykka_runs_them(kind: type[Any]) -> None:
    hooks = list[Any]()

    class Hooked(kind):  # type: ignore[misc]
        def on_start(self) -> None:
            hooks.append("start")

        def on_stop(self) -> None:
            hooks.append("stop")

        def on_failure(self, exception_type: Any, value: Any, traceback: Any) -> None:
            hooks.append(exception_type)

    with tree_of(ChildSpec("a", Worker(Hooked)), kind=kind) as tree:
        tree.child("a").tell(ValueError("bad"))
        tree.child("a").ask("next", timeout=PATIENCE)
    assert hooks == ["start", ValueError, "start", "stop"]


@each_kind
def test_a_start_may_be_a_class_or_a_callable_that_is_asked_for_each_incarnation(
    kind: type[Any],
) -> None:
    made = list[int]()

    def describe() -> Worker:
        made.append(len(made))
        return Worker(kind)

    with tree_of(ChildSpec("class", kind), ChildSpec("callable", describe), kind=kind) as tree:
        assert tree.child("class").ask(1, timeout=PATIENCE) == 1
        tree.child("callable").tell(ValueError("bad"))
        tree.child("callable").ask("next", timeout=PATIENCE)
    assert made == [0, 1]


@each_kind
@pytest.mark.parametrize("start", [None, 7, lambda: "no worker"])
def test_a_start_that_describes_no_actor_says_what_it_may_be(kind: type[Any], start: Any) -> None:
    with (
        pytest.raises(StartFailedError, match="a Worker, an actor class"),
        tree_of(ChildSpec("a", start), kind=kind),
    ):
        pass


def test_a_constructor_that_forgets_its_base_is_told_so() -> None:
    class Forgetful(pykka.ThreadingActor):
        def __init__(self) -> None:
            pass

    with (
        pytest.raises(StartFailedError, match=r"does not call super\(\).__init__\(\)"),
        tree_of(ChildSpec("a", Worker(Forgetful))),
    ):
        pass


def test_a_supervised_actor_is_found_under_its_own_class_and_gone_afterwards() -> None:
    class Findable(Threaded):
        pass

    with tree_of(ChildSpec("a", Worker(Findable))) as tree:
        [ref] = pykka.ActorRegistry.get_by_class(Findable)
        assert ref is tree.child("a").post.ref
        assert ref.actor_class.__name__ == "Findable"
        assert issubclass(ref.actor_class, Findable)
    assert pykka.ActorRegistry.get_by_class(Findable) == []


@each_kind
def test_children_start_in_order_and_stop_in_reverse(kind: type[Any]) -> None:
    order = list[str]()

    class Ordered(kind):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_start(self) -> None:
            order.append(f"+{self.name}")

        def on_stop(self) -> None:
            order.append(f"-{self.name}")

    inner = SupervisorSpec((ChildSpec("b", Worker(Ordered, "b")),))
    children = [
        ChildSpec("a", Worker(Ordered, "a")),
        ChildSpec("group", inner),
        ChildSpec("c", Worker(Ordered, "c")),
    ]
    with tree_of(*children, kind=kind):
        pass
    assert order == ["+a", "+b", "+c", "-c", "-b", "-a"]


@each_kind
def test_the_tree_that_restarts_too_often_gives_up_and_says_why(kind: type[Any]) -> None:
    spec = SupervisorSpec((ChildSpec("a", Worker(kind)),), intensity=Intensity(0, 5))
    with tree_of(kind=kind, spec=spec) as tree:
        tree.child("a").tell(ValueError("bad"))
        reason = tree.wait_ended(PATIENCE)
        assert reason.kind is ExitKind.GAVE_UP
        assert "ValueError: bad" in reason.detail
        assert tree.stop(timeout=PATIENCE) is reason


@each_kind
def test_one_for_all_gives_every_child_a_new_incarnation(kind: type[Any]) -> None:
    spec = SupervisorSpec(
        tuple(ChildSpec(name, Worker(kind)) for name in "abc"), Strategy.ONE_FOR_ALL
    )
    with tree_of(kind=kind, spec=spec) as tree:
        handles = [tree.child(name) for name in "abc"]
        handles[1].tell(ValueError("bad"))
        for handle in handles:
            handle.ask("next", timeout=PATIENCE)
        settle(tree, lambda: [handle.incarnation for handle in handles] == [2, 2, 2])


@each_kind
def test_a_budget_of_its_own_ends_one_child_only(kind: type[Any]) -> None:
    probe = Probe()
    child = ChildSpec("a", Worker(kind), budget=Intensity(0, 5))
    with tree_of(child, ChildSpec("b", Worker(kind)), kind=kind) as tree:
        handle = tree.child("a")
        watch(handle, probe)
        handle.tell(ValueError("bad"))
        with pytest.raises(pykka.ActorDeadError):
            handle.ask("nobody", timeout=PATIENCE)
        assert probe.get().reason.kind is ExitKind.CRASHED
        assert [each.name for each in tree.which_children()] == ["b"]


@each_kind
def test_children_are_counted_listed_and_described(kind: type[Any]) -> None:
    spec = ChildSpec("a", Worker(kind))
    with tree_of(spec, ChildSpec("group", SupervisorSpec()), kind=kind) as tree:
        counts = tree.count_children()
        assert (counts.specs, counts.active, counts.supervisors, counts.workers) == (2, 2, 1, 1)
        assert [each.name for each in tree.which_children()] == ["a", "group"]
        assert tree.get_childspec("a") is spec
        with pytest.raises(AlreadyStartedError):
            tree.start_child(spec, timeout=PATIENCE)


@each_kind
def test_a_supervisor_may_be_added_and_given_children(kind: type[Any]) -> None:
    with tree_of(kind=kind) as tree:
        group = tree.start_supervisor(ChildSpec("group", SupervisorSpec()), timeout=PATIENCE)
        handle = group.start_child(ChildSpec("a", Worker(kind)), timeout=PATIENCE)
        assert handle.ask("hello", timeout=PATIENCE) == "hello"
        tree.terminate_child("group", timeout=PATIENCE)
        with pytest.raises(pykka.ActorDeadError):
            handle.ask("hello", timeout=PATIENCE)
        with pytest.raises(NotRunningError):
            group.start_child(ChildSpec("b", Worker(kind)), timeout=PATIENCE)


@each_kind
def test_a_tree_that_is_over_refuses_requests(kind: type[Any]) -> None:
    with tree_of(kind=kind) as tree:
        assert tree.stop(timeout=PATIENCE) == SHUTDOWN
        with pytest.raises(NotRunningError):
            tree.start_child(ChildSpec("a", Worker(kind)), timeout=PATIENCE)


@each_kind
def test_the_live_tree_shows_states_incarnations_restarts_and_failures(kind: type[Any]) -> None:
    inner = SupervisorSpec((ChildSpec("b", Worker(kind)),))
    with tree_of(ChildSpec("group", inner), ChildSpec("c", Worker(kind)), kind=kind) as tree:
        handle = tree.supervisor("group").child("b")
        handle.tell(ValueError("bad"))
        handle.ask("next", timeout=PATIENCE)
        settle(tree, lambda: tree.tree()[0].children[0].state is ChildState.RUNNING)
        group, _ = tree.tree()
        assert group.is_supervisor
        [node] = group.children
        assert (node.incarnation, node.restarts, node.depth) == (2, 1, 0)
        assert node.last_failure == "crashed: ValueError: bad"
        text = "\n".join(group.lines())
        assert "group  running" in text
        assert "  b  running  incarnation 2  1 restarts" in text


def test_a_tree_in_a_thread_may_have_dispatched_children() -> None:
    dispatcher = Dispatcher()
    spec = SupervisorSpec((ChildSpec("t", Worker(Threaded)),))
    tree = supervise(spec, timeout=PATIENCE)
    added = list[Any]()
    child = ChildSpec("d", Worker(Dispatched).on(dispatcher))
    adder = threading.Thread(target=lambda: added.append(tree.start_child(child, PATIENCE)))
    adder.start()
    while adder.is_alive():
        dispatcher.wait(0.01)
        dispatcher.run_until_idle()
    [handle] = added
    handle.tell(ValueError("bad"))
    assert handle.ask("next", timeout=PATIENCE) == "next"
    stopper = threading.Thread(target=tree.stop, args=(PATIENCE,))
    stopper.start()
    while stopper.is_alive():
        dispatcher.wait(0.01)
        dispatcher.run_until_idle()
    assert not handle.is_alive()


def test_a_tree_on_a_dispatcher_may_have_children_with_threads() -> None:
    with tree_of(ChildSpec("t", Worker(Threaded)), kind=Dispatched) as tree:
        handle = tree.child("t")
        handle.tell(ValueError("bad"))
        answer = handle.ask("next", block=False)
        tree.start_child(ChildSpec("u", Worker(Threaded)), timeout=PATIENCE)
        dispatcher = tree._root.options.dispatcher  # noqa: SLF001
        assert dispatcher is not None
        while handle.incarnation < 2:
            dispatcher.wait(PATIENCE)
            dispatcher.run_until_idle()
        assert answer.get(timeout=PATIENCE) == "next"


def test_a_dispatched_child_without_a_dispatcher_is_told_how_to_get_one() -> None:
    with (
        pytest.raises(StartFailedError, match="needs a dispatcher"),
        tree_of(ChildSpec("a", Worker(Dispatched))),
    ):
        pass


def test_a_slow_start_keeps_nobody_from_the_supervisor() -> None:
    class Slow(Threaded):
        hold = Hold()

        def on_start(self) -> None:
            self.hold.entered.set()
            assert self.hold.released.wait(PATIENCE)

    with tree_of(ChildSpec("a", Worker(Threaded))) as tree:
        starter = threading.Thread(
            target=tree.start_child, args=(ChildSpec("slow", Worker(Slow)), PATIENCE)
        )
        starter.start()
        assert Slow.hold.entered.wait(PATIENCE)
        tree.child("a").tell(ValueError("bad"))
        assert tree.child("a").ask("next", timeout=PATIENCE) == "next"
        tree.terminate_child("a", timeout=PATIENCE)
        Slow.hold.released.set()
        starter.join(PATIENCE)


def test_pykkas_stop_all_ends_a_tree_in_order() -> None:
    spec = SupervisorSpec((ChildSpec("a", Worker(Threaded), Restart.TRANSIENT),))
    tree = supervise(spec, timeout=PATIENCE)
    pykka.ActorRegistry.stop_all(timeout=PATIENCE)
    assert tree.wait_ended(PATIENCE).kind in {ExitKind.NORMAL, ExitKind.SHUTDOWN}
    assert not tree.child("a").is_alive()


def test_requests_in_a_turn_of_the_dispatcher_are_done_at_once() -> None:
    with tree_of(ChildSpec("a", Worker(Dispatched)), kind=Dispatched) as tree:

        def add(_: Behaviour) -> Any:
            handle = tree.start_child(ChildSpec("b", Worker(Dispatched)))
            tree.terminate_child("b")
            tree.delete_child("b")
            return handle.incarnation

        assert tree.child("a").ask(add, timeout=PATIENCE) == 1
        assert [each.name for each in tree.which_children()] == ["a"]
