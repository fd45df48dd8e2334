"""Starting a supervision tree of Pykka actors, and the handle of one.

def main() -> None:
    tree = supervise(SupervisorSpec((ChildSpec("cache", Worker(Cache, size=100)),)))
    cache = tree.child("cache")
    cache.tell("whatever becomes of its incarnations")
    tree.stop(timeout=10)
"""

import random
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from actors.dispatcher import Dispatcher
from actors.supervision.actor_child import ChildSlot
from actors.supervision.actor_supervision import ActorSupervision
from actors.supervision.actor_supervisor import SupervisorRoot
from actors.supervision.actor_tasks import SupervisionOptions
from actors.supervision.actor_tree import TreeNode, tree_of
from actors.supervision.child_spec import ChildSpec, ExitReason, SupervisorSpec
from actors.supervision.dead_letters import DeadLetters
from actors.supervision.handle import Handle
from actors.supervision.stuck_actors import StuckBudget
from actors.supervision.supervisor_child import ChildCounts, ChildInfo
from actors.supervision.supervisor_errors import ChildNotFoundError, NotRunningError


class SupervisorHandle:
    """A supervisor's address: the tree's own, or a nested one's, whose restarts it outlives.

    It may be used from any thread. On the tree's dispatcher, in an actor's turn too, a request is
    done at once; elsewhere the caller waits for it, at most `timeout` seconds, and then
    `pykka.Timeout` is raised and the request stays.
    """

    def __init__(self, root: SupervisorRoot, path: tuple[Hashable, ...] = ()) -> None:
        self._root = root
        self._path = path

    def __repr__(self) -> str:
        return f"<SupervisorHandle {'/'.join(map(str, (self._root.name, *self._path)))}>"

    # -- children

    def child(self, name: Hashable) -> Handle:
        """Give the handle of a child that is an actor.

        Raises:
            ChildNotFoundError: there is none of that name.
        """
        return _handle_of(self._supervision().slots.get(name), name)

    def supervisor(self, name: Hashable) -> "SupervisorHandle":
        """Give the handle of a child that is a supervisor.

        Raises:
            ChildNotFoundError: there is none of that name.
        """
        slot = self._supervision().slots.get(name)
        if slot is None or slot.inner is None:
            raise ChildNotFoundError(name)
        return SupervisorHandle(self._root, (*self._path, name))

    def start_child(self, spec: ChildSpec, timeout: float | None = None) -> Handle:
        """Add a child, start it, and give its handle; of a supervisor, see `start_supervisor`.

        Raises:
            StartFailedError: its constructor or `on_start` raised.
            SupervisionError: see `actors.supervision.supervisor.Supervisor.start_child`.
        """
        slot = self._ask("start_child", spec, timeout)
        return _handle_of(slot, spec.name)

    def start_supervisor(self, spec: ChildSpec, timeout: float | None = None) -> "SupervisorHandle":
        """Add a child whose `start` is a `SupervisorSpec`, start it, and give its handle."""
        if not isinstance(spec.start, SupervisorSpec):
            msg = f"{spec.name!r} is no supervisor: its start is no SupervisorSpec"
            raise TypeError(msg)
        self._ask("start_child", spec, timeout)
        return SupervisorHandle(self._root, (*self._path, spec.name))

    def terminate_child(self, name: Hashable, timeout: float | None = None) -> None:
        """Stop a child, and wait until it is down; it is not restarted, and its spec stays."""
        self._ask("terminate_child", name, timeout)

    def restart_child(self, name: Hashable, timeout: float | None = None) -> None:
        """Start a child that is down; raise `StartFailedError` if that fails."""
        self._ask("restart_child", name, timeout)

    def delete_child(self, name: Hashable, timeout: float | None = None) -> None:
        """Forget a child that is down."""
        self._ask("delete_child", name, timeout)

    # -- questions; none of them asks an actor

    def which_children(self) -> list[ChildInfo]:
        """Every child, in the order of start."""
        return self._supervision().machine.which_children()

    def count_children(self) -> ChildCounts:
        """How many there are."""
        return self._supervision().machine.count_children()

    def get_childspec(self, name: Hashable) -> ChildSpec:
        """The child's spec; raise `ChildNotFoundError` if there is none of that name."""
        return self._supervision().machine.get_childspec(name)

    def tree(self) -> tuple[TreeNode, ...]:
        """What is to be seen of every child, and of all under them."""
        return tree_of(self._supervision())

    @property
    def dead_letters(self) -> DeadLetters:
        """The whole tree's dead letters."""
        return self._root.options.dead_letters

    @property
    def stuck(self) -> StuckBudget:
        """The threads that the whole tree abandoned."""
        return self._root.options.stuck

    # -- the end of the whole tree

    def stop(self, timeout: float | None = None) -> ExitReason:
        """Stop the whole tree in order, wait until it is over, and say how it ended."""
        if self._root.reason is None:
            self._root.request(self._root.supervision.stop)
        return self.wait_ended(timeout)

    def wait_ended(self, timeout: float | None = None) -> ExitReason:
        """Wait until the whole tree is over, and say how it ended.

        Raises:
            pykka.Timeout: it is not, after `timeout` seconds.
        """
        reason: ExitReason = self._root.has_ended.get(timeout=timeout)
        return reason

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until every child of the spec was started.

        Raises:
            StartFailedError: one could not be; those that were are stopped again.
        """
        self._root.is_ready.get(timeout=timeout)

    def _supervision(self) -> ActorSupervision:
        supervision = self._root.supervision
        for name in self._path:
            slot = supervision.slots.get(name)
            nested = None if slot is None or slot.life is None else slot.life.nested
            if nested is None:
                raise NotRunningError
            supervision = nested
        return supervision

    def _ask(self, request: str, about: Any, timeout: float | None) -> Any:
        answer = self._root.new_local_answer()
        method = getattr(self._supervision(), request)
        self._root.request(partial(method, about, answer), answer)
        return answer.get(timeout=timeout)


def supervise(
    spec: SupervisorSpec,
    *,
    name: Hashable = "root",
    dispatcher: Dispatcher | None = None,
    dead_letters: DeadLetters | None = None,
    stuck: StuckBudget | None = None,
    generator: random.Random | None = None,
    clock: Callable[[], int] = time.monotonic_ns,
    is_daemon: bool = False,
    timeout: float | None = None,
) -> SupervisorHandle:
    """Start a supervision tree, and give its handle when every child of the spec was started.

    Args:
        spec: the outermost supervisor.
        name: for people.
        dispatcher: where the tree runs, and its dispatched children that name no other; its clock
            is the tree's. Without one the tree has a thread of its own. In a turn of the
            dispatcher, the handle is given at once; see `SupervisorHandle.wait_ready`.
        dead_letters: counts them; by default the tree has its own.
        stuck: how many threads may hang; by default 8.
        generator: for the jitter of the backoff.
        clock: of a tree in a thread.
        is_daemon: let the process end although the tree did not.
        timeout: seconds to wait for the start.

    Raises:
        StartFailedError: a child could not be started; those that were are stopped again.
        SpecError: the spec contradicts itself.
        pykka.Timeout: the start is not over; it goes on.
    """
    options = SupervisionOptions(
        dead_letters=dead_letters or DeadLetters(),
        stuck=stuck or StuckBudget(),
        generator=generator or random.Random(),  # noqa: S311 - jitter, no secret
        dispatcher=dispatcher,
        clock=clock if dispatcher is None else dispatcher.clock,
    )
    root = SupervisorRoot(spec, options, name=name, is_daemon=is_daemon)
    root.start()
    handle = SupervisorHandle(root)
    if dispatcher is None or dispatcher.current is None:
        handle.wait_ready(timeout)
    return handle


def _handle_of(slot: ChildSlot | None, name: Hashable) -> Handle:
    if slot is None or slot.post is None:
        raise ChildNotFoundError(name)
    return Handle(slot.post)
