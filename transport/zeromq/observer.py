"""An observer over ZeroMQ: `ObserverSession` with a SUB, a DEALER and the monotonic clock."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from types import TracebackType
from typing import Any, Self

import zmq

from transport.codec import Codec
from transport.endpoints import Endpoints
from transport.event_stream.items import Item
from transport.event_stream.observer_session import ObserverSession
from transport.zeromq.link_watch import LinkWatch
from transport.zeromq.sockets import ZmqSocket, question_socket, receive, subscriber

DRAIN_LIMIT = 1_000
"""How many ZeroMQ messages of each socket are taken before their items are handed over."""

TICK_SECONDS = 0.1
"""The session is given the time at least this often while nothing comes."""

ITERATION_SECONDS = 1.0


class WrongThreadError(RuntimeError):
    """An observer was used from a thread that did not make it; names both."""


class Observer:
    """Follows a launcher's event stream. All of it belongs to the thread that made it.

    Use it as a context manager, and take items with `poll` or by iterating.

    Args:
        endpoints: the launcher's.
        codec: knows the event types; by default the core's.
        first: the first version that is wanted.
        log: the log that `first` belongs to, for an observer that resumes.
        from_now: only what comes from now on is wanted.
        context: the ZeroMQ context to use; without one, one is made, and ended by `close`.

    Attributes:
        session: its counters and state are there.
        endpoints: as given.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        codec: Codec | None = None,
        first: int = 1,
        log: str | None = None,
        from_now: bool = False,
        context: zmq.Context[Any] | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.session = ObserverSession(codec or Codec(), first=first, log=log, from_now=from_now)
        self._owner = threading.current_thread()
        self._own_context = zmq.Context[Any]() if context is None else None
        sockets = self._own_context or context
        assert sockets is not None  # noqa: S101 - one of the two is there
        keys = endpoints.keys
        self._watches = [LinkWatch(each, keys) for each in (endpoints.events, endpoints.query)]
        watch_stream, watch_query = self._watches
        self._stream = subscriber(sockets, endpoints.events, keys=keys, watch=watch_stream)
        self._query = question_socket(sockets, endpoints.query, keys=keys, watch=watch_query)
        self._poller = zmq.Poller()
        self._poller.register(self._stream, zmq.POLLIN)
        self._poller.register(self._query, zmq.POLLIN)
        self._unsent: bytes | None = None
        self._closed = False

    @property
    def sockets(self) -> tuple[ZmqSocket, ...]:
        """What a loop of one's own polls for reading before it takes items with `poll(0)`."""
        return (self._stream, self._query)

    @property
    def complaint(self) -> str | None:
        """Why the launcher does not let this observer in; None while nothing is known of that.

        It goes on trying.
        """
        return next((watch.complaint for watch in self._watches if watch.complaint), None)

    def poll(self, timeout_seconds: float) -> list[Item]:
        """Give what is new, waiting for it at most so long; an empty list if nothing is.

        Raises:
            WrongThreadError: another thread made this observer.
            ValueError: it is closed.
        """
        self._check_owner()
        if self._closed:
            msg = f"the observer of {self.endpoints.events} is closed"
            raise ValueError(msg)
        deadline = time.monotonic() + timeout_seconds
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            self._exchange(min(remaining, TICK_SECONDS))
            items = self.session.items()
            if items or time.monotonic() >= deadline:
                return items

    def __iter__(self) -> Iterator[Item]:
        """Give items for as long as the observer is open."""
        while not self._closed:
            yield from self.poll(ITERATION_SECONDS)

    def close(self) -> None:
        """Close the sockets; a second time does nothing.

        Raises:
            WrongThreadError: another thread made this observer.
        """
        self._check_owner()
        if self._closed:
            return
        self._closed = True
        for watch in self._watches:
            watch.close()
        self._stream.close(linger=0)
        self._query.close(linger=0)
        if self._own_context is not None:
            self._own_context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_owner(self) -> None:
        current = threading.current_thread()
        if current is not self._owner:
            msg = (
                f"an Observer made in thread {self._owner.name!r} was used from "
                f"{current.name!r}: a ZeroMQ socket belongs to one thread; make one each"
            )
            raise WrongThreadError(msg)

    def _exchange(self, wait_seconds: float) -> None:
        session = self.session
        for watch in self._watches:
            watch.look(time.monotonic_ns())
        ready = dict(self._poller.poll(ceil(wait_seconds * 1000)))
        if self._stream in ready:
            for frames in _drained(self._stream):
                now = time.monotonic_ns()
                for frame in frames:
                    session.receive_stream(frame, now)
        if self._query in ready:
            for frames in _drained(self._query):
                session.receive_answer(frames, time.monotonic_ns())
        session.tick(time.monotonic_ns())
        self._ask()

    def _ask(self) -> None:
        questions = self.session.questions()
        if questions:
            self._unsent = questions[-1]  # a later one takes the place of those before
        if self._unsent is not None:
            with suppress(zmq.Again):  # no launcher is connected yet
                self._query.send(self._unsent, zmq.DONTWAIT)
                self._unsent = None


def _drained(socket: ZmqSocket) -> Iterator[list[bytes]]:
    for _ in range(DRAIN_LIMIT):
        try:
            yield receive(socket)
        except zmq.Again:
            return
