"""Actors and trees for the tests of supervised actors."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pykka

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.supervision.actor_supervise import SupervisorHandle, supervise
from actors.supervision.child_spec import ChildSpec, SupervisorSpec

PATIENCE = 10.0
"""Seconds that a test waits for what must come."""


class Behaviour:
    """Answers what it is asked; is told to crash, stop, wait, or call."""

    def __init__(self, seen: list[Any] | None = None) -> None:
        super().__init__()
        self.seen = [] if seen is None else seen
        self.handled = 0

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, Hold):
            message.entered.set()
            assert message.released.wait(PATIENCE)
            return "released"
        if callable(message):
            return message(self)
        self.handled += 1
        self.seen.append(message)
        return message


class Threaded(Behaviour, pykka.ThreadingActor):
    pass


class Dispatched(Behaviour, DispatchedActor):
    pass


KINDS = (Threaded, Dispatched)


class Hold:
    """A message that is in work until it is released."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()


class Probe:
    """Is told things, and gives them one by one."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def tell(self, message: Any) -> None:
        self._told.put(message)

    def get(self) -> Any:
        return self._told.get(timeout=PATIENCE)

    def is_empty(self) -> bool:
        return self._told.empty()


class VirtualClock:
    def __init__(self) -> None:
        self.now = 1

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000_000)


@contextmanager
def tree_of(
    *children: ChildSpec, kind: type[Behaviour] = Threaded, **options: Any
) -> Iterator[SupervisorHandle]:
    """A tree in a thread or on a dispatcher, as its children's kind needs; stopped at the end."""
    spec = options.pop("spec", None) or SupervisorSpec(children)
    if issubclass(kind, DispatchedActor):
        options.setdefault("dispatcher", Dispatcher())
    tree = supervise(spec, timeout=PATIENCE, **options)
    try:
        yield tree
    finally:
        tree.stop(timeout=PATIENCE)


def settle(tree: SupervisorHandle, until: Callable[[], bool]) -> None:
    """Let a tree, and its dispatcher if it has one, get on until something is so."""
    dispatcher = tree._root.options.dispatcher  # noqa: SLF001
    if dispatcher is not None:
        dispatcher.run_until_idle()
        assert until()
        return
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.002)):
        if until():
            return
        pause.wait(0.002)
    message = "it did not come to be so"
    raise AssertionError(message)
