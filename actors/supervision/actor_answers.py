"""The answer to a request, for whoever asks in the thread of the tree's dispatcher.

Whoever answers and whoever waits are in one thread, so it needs no lock; a future's condition would
cost more than all the rest of the request.
"""

from types import TracebackType
from typing import Any

from pykka import Future

from actors.dispatched_actor import run_until
from actors.dispatcher import Dispatcher

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class LocalAnswer:
    """An answer that is given and taken in one dispatcher's thread."""

    __slots__ = ("_dispatcher", "_error", "_is_set", "_value")

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._is_set = False
        self._value: Any = None
        self._error: BaseException | None = None

    def set(self, value: Any) -> None:
        """Give the answer."""
        self._is_set = True
        self._value = value

    def set_exception(self, info: ExceptionInfo) -> None:
        """Give an error for an answer."""
        self._is_set = True
        self._error = info[1]

    def get(self, *, timeout: float | None = None) -> Any:
        """Give the answer, running the dispatcher until it is there.

        Raises:
            DeadlockError: it is not there, and the caller is in an actor's turn.
            pykka.Timeout: it is not there in time.
        """
        if not self._is_set:
            run_until(self._dispatcher, self._has_come, timeout)
        if self._error is not None:
            raise self._error
        return self._value

    def _has_come(self) -> bool:
        return self._is_set


Answer = LocalAnswer | Future[Any]
"""What a request is answered into."""
