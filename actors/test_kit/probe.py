"""A probe: an actor that keeps what it is told, so that a test can expect it."""

import queue
from collections.abc import Callable
from typing import Any, TypeVar, overload

import pykka
from pykka import ActorRef

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.supervision.handle import Handle
from actors.supervision.watch import Terminated, watch

PATIENCE_SECONDS = 5.0

Message = TypeVar("Message")


class _ThreadingProbe(pykka.ThreadingActor):
    use_daemon_thread = True

    def __init__(self, told: "queue.SimpleQueue[Any]") -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: Any) -> None:
        self._told.put(message)


class _DispatchedProbe(DispatchedActor):
    def __init__(self, told: "queue.SimpleQueue[Any]") -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: Any) -> None:
        self._told.put(message)


class Probe:
    """Takes messages for a test.

    Args:
        dispatcher: where the probe runs; a test that expects something lets it run until idle.
            None for a probe with a thread of its own, which is waited for.

    Attributes:
        ref: to be given to whoever is to tell the probe something.
    """

    def __init__(self, dispatcher: Dispatcher | None = None) -> None:
        self._dispatcher = dispatcher
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.ref: ActorRef[Any] = (
            _ThreadingProbe.start(self._told)
            if dispatcher is None
            else _DispatchedProbe.start(self._told, dispatcher=dispatcher)
        )

    @overload
    def expect(self, expected: type[Message], timeout: float = ...) -> Message: ...

    @overload
    def expect(self, expected: Callable[[Any], bool], timeout: float = ...) -> Any: ...

    @overload
    def expect(self, expected: object, timeout: float = ...) -> Any: ...

    def expect(self, expected: Any, timeout: float = PATIENCE_SECONDS) -> Any:
        """Give the next message, if it is the expected one.

        Args:
            expected: a class, a function that says whether a message is right, or the message.
            timeout: seconds to wait for it; a dispatched probe does not wait.

        Raises:
            AssertionError: no message came, or another one; says which was expected and came.
        """
        message = self._next(timeout, f"expected {expected!r}")
        if isinstance(expected, type):
            right = isinstance(message, expected)
        elif callable(expected):
            right = bool(expected(message))
        else:
            right = message == expected
        if not right:
            msg = f"expected {expected!r}, got {message!r}"
            raise AssertionError(msg)
        return message

    def expect_no_message(self, within: float = 0.0) -> None:
        """Make sure that nothing comes.

        Args:
            within: seconds that a probe with a thread waits; a dispatched one lets everything run.

        Raises:
            AssertionError: something came; says what.
        """
        try:
            message = self._take(within)
        except queue.Empty:
            return
        msg = f"expected no message, got {message!r}"
        raise AssertionError(msg)

    def watch(self, child: Handle) -> None:
        """Be told when the child's incarnation ends; see `expect_terminated`."""
        watch(child, self.ref)

    def expect_terminated(self, child: Handle, timeout: float = PATIENCE_SECONDS) -> Terminated:
        """Give the end of a child that is watched, if it is the next message.

        Raises:
            AssertionError: no message came, or another one; says which.
        """
        message = self._next(timeout, f"expected the end of {child.name!r}")
        if not isinstance(message, Terminated) or message.name != child.name:
            msg = f"expected the end of {child.name!r}, got {message!r}"
            raise AssertionError(msg)
        return message

    def stop(self) -> None:
        """End the probe."""
        if self._dispatcher is None:
            self.ref.stop()
        else:
            self._dispatcher.stop(self.ref)

    def _next(self, timeout: float, what: str) -> Any:
        try:
            return self._take(timeout)
        except queue.Empty:
            msg = f"{what}, but no message came"
            raise AssertionError(msg) from None

    def _take(self, timeout: float) -> Any:
        if self._dispatcher is not None:
            self._dispatcher.run_until_idle()
            return self._told.get_nowait()
        return self._told.get(timeout=timeout) if timeout > 0 else self._told.get_nowait()
