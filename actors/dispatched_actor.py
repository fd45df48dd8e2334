"""The Pykka actor type that runs on a dispatcher.

It behaves as a `pykka.ThreadingActor` does, to itself and to others (tell, ask, proxy, stop), with
these differences: it has no thread; it is not in Pykka's global registry (a list, so leaving it
costs more with every actor); its URN is a counter; `on_start` runs before `start` returns, so that
a failing one reaches the starter; and a blocking `ask` from one actor of a dispatcher to another
of the same raises `DeadlockError` instead of waiting for ever.
"""

import time
from collections.abc import Callable, Hashable
from threading import get_ident
from typing import Any, Self, TypeVar

import pykka
from pykka import ActorRef, Future, ThreadingFuture, Timeout

from actors.dispatcher import Dispatcher
from actors.mailbox import Mailbox

A = TypeVar("A", bound=pykka.Actor)


class DeadlockError(RuntimeError):
    """An actor waits for an answer that only its own thread could give."""


class DispatchedFuture(ThreadingFuture[Any]):
    """The answer of a dispatched actor."""

    dispatcher: Dispatcher | None = None

    def get(self, *, timeout: float | None = None) -> Any:
        """Give the answer; wait for it at most `timeout` seconds.

        Raises:
            DeadlockError: the caller is in the thread that would have to make the answer.
            pykka.Timeout: no answer in time.
        """
        dispatcher = self.dispatcher
        if dispatcher is not None and dispatcher.owner == get_ident() and self._result is None:
            run_until(dispatcher, self._has_result, timeout)
        return super().get(timeout=timeout)

    def _has_result(self) -> bool:
        return self._result is not None


def run_until(dispatcher: Dispatcher, is_done: Callable[[], bool], timeout: float | None) -> None:
    """Run a dispatcher until something is done, at most `timeout` seconds. Only for its owner.

    Raises:
        DeadlockError: the caller is in an actor's turn, so nobody else will get one.
        pykka.Timeout: it is not done in time.
    """
    if dispatcher.current is not None:
        msg = (
            "a blocking ask between two actors of one dispatcher can never be answered: "
            "tell, and let the other tell back"
        )
        raise DeadlockError(msg)
    end = None if timeout is None else time.monotonic() + timeout
    dispatcher.run_until_idle()
    while not is_done():
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            msg = f"{timeout} seconds"
            raise Timeout(msg)
        dispatcher.wait(left)
        dispatcher.run_until_idle()


class DispatchedRef(ActorRef[A]):
    """Tells a dispatched actor: what `ActorRef` does, with half the calls."""

    def tell(self, message: Any) -> None:
        """Send a message; see `ActorRef.tell`."""
        if not self.actor_inbox.tell(message):  # type: ignore[attr-defined] # by start(), a Mailbox
            super().tell(message)


class DispatchedActor(pykka.Actor):
    """An actor that shares its dispatcher's thread with the dispatcher's other actors.

    Its ref and its URN are made when somebody asks for them, which of most sagas nobody does.
    """

    _muxsaga_number: int
    _muxsaga_ref: "DispatchedRef[Self] | None" = None

    @property
    def actor_ref(self) -> ActorRef[Self]:
        """Its ref; see `pykka.Actor.actor_ref`."""
        if self._muxsaga_ref is None:
            self._muxsaga_ref = DispatchedRef(self)
        return self._muxsaga_ref

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        """What tells it from others; see `pykka.Actor.actor_urn`."""
        return f"dispatched:{self._muxsaga_number}"

    @classmethod
    def start(
        cls,
        *args: Any,
        dispatcher: Dispatcher,
        watcher: ActorRef[Any] | None = None,
        name: Hashable = None,
        **kwargs: Any,
    ) -> ActorRef[Self]:
        """Start an actor on a dispatcher. Only for the dispatcher's thread.

        Args:
            *args: for the constructor.
            dispatcher: where it runs.
            watcher: is told `ActorDied` if the actor ends by an exception.
            name: repeated in `ActorDied`.
            **kwargs: for the constructor.

        Raises:
            Exception: whatever the constructor or `on_start` raised; then there is no actor.
        """
        mailbox = Mailbox(dispatcher)
        try:
            actor = cls.start_with(mailbox, *args, **kwargs)
        except BaseException:
            mailbox.set()
            raise
        mailbox.watcher = watcher
        mailbox.name = name
        return actor.actor_ref

    @classmethod
    def start_with(cls, mailbox: Mailbox, /, *args: Any, **kwargs: Any) -> Self:
        """Start an actor that handles what a mailbox holds. Only for the dispatcher's thread.

        Raises:
            Exception: whatever the constructor or `on_start` raised; the mailbox is as before.
        """
        actor = cls.__new__(cls)
        dispatcher = mailbox.dispatcher
        actor._muxsaga_number = dispatcher.next_number()  # noqa: SLF001 - its own
        actor.actor_inbox = mailbox
        actor.actor_stopped = mailbox  # type: ignore[assignment]
        mailbox.run(actor)
        try:
            actor.__init__(*args, **kwargs)  # type: ignore[misc]
            actor.on_start()
        except BaseException:
            mailbox.unrun()
            raise
        dispatcher.statistics.started += 1
        return actor

    def __init__(self) -> None:
        if not hasattr(self, "actor_inbox"):
            msg = f"start {type(self).__name__} with {type(self).__name__}.start(dispatcher=...)"
            raise TypeError(msg)

    @staticmethod
    def _create_actor_inbox() -> Any:
        msg = "a dispatched actor gets its mailbox from start()"
        raise TypeError(msg)

    @staticmethod
    def _create_future() -> Future[Any]:
        return DispatchedFuture()

    def _start_actor_loop(self) -> None:
        msg = "a dispatched actor is run by its dispatcher"
        raise TypeError(msg)

    def stop_requested(self) -> None:
        """End, because the stop message's turn came."""
        mailbox = self.actor_inbox
        assert isinstance(mailbox, Mailbox)  # noqa: S101 - set by start()
        mailbox.end()

    def _stop(self) -> None:
        self.stop_requested()
