"""The real sockets, with a hand-written launcher in a thread."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.event_stream_builders import MemoryJournal, SaidLauncher, added, registered
from transport.codec import Codec
from transport.endpoints import Endpoints
from transport.event_stream import Batch, CaughtUp, Item, QuerySession
from transport.zeromq.observer import Observer, WrongThreadError
from transport.zeromq.query_client import QueryTimeoutError, ask_status

DEADLINE_SECONDS = 20.0


class FakeLauncher(threading.Thread):
    """Publishes a heartbeat and answers questions until it is told to stop."""

    def __init__(self, endpoints: Endpoints, journal: MemoryJournal) -> None:
        super().__init__(daemon=True)
        self.journal = journal
        self.stopped = threading.Event()
        self.to_publish: list[bytes] = []
        self._endpoints = endpoints
        self._session = QuerySession(journal, SaidLauncher({"versions": 2}))
        self._bound = threading.Event()

    def begin(self) -> None:
        self.start()
        assert self._bound.wait(DEADLINE_SECONDS)

    def run(self) -> None:
        with (
            zmq.Context[Any]() as context,
            context.socket(zmq.XPUB) as stream,
            context.socket(zmq.ROUTER) as query,
        ):
            stream.bind(self._endpoints.events)
            query.bind(self._endpoints.query)
            stream.setsockopt(zmq.LINGER, 0)
            query.setsockopt(zmq.LINGER, 0)
            self._bound.set()
            while not self.stopped.is_set():
                while self.to_publish:
                    stream.send(self.to_publish.pop(0))
                stream.send(self.journal.heartbeat())
                if query.poll(20):
                    peer, frame = query.recv_multipart()
                    query.send_multipart([peer, *self._session.answer(frame)])

    def end(self) -> None:
        self.stopped.set()
        self.join(DEADLINE_SECONDS)
        assert not self.is_alive()


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    return Endpoints.in_directory(tmp_path)


@pytest.fixture
def launcher(endpoints: Endpoints) -> Iterator[FakeLauncher]:
    journal = MemoryJournal()
    journal.record(registered(), added(1))
    launcher = FakeLauncher(endpoints, journal)
    launcher.begin()
    yield launcher
    launcher.end()


def versions(items: list[Item]) -> list[int]:
    return [event.version for item in items if isinstance(item, Batch) for event in item.events]


def poll_until(observer: Observer, enough: Callable[[list[Item]], bool]) -> list[Item]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    items: list[Item] = []
    while not enough(items):
        assert time.monotonic() < deadline, items
        items.extend(observer.poll(0.5))
    return items


def test_an_observer_catches_up_and_then_follows(
    endpoints: Endpoints, launcher: FakeLauncher
) -> None:
    before = time.monotonic_ns()
    with Observer(endpoints, codec=Codec()) as observer:
        items = poll_until(observer, lambda items: CaughtUp(2) in items)
        assert versions(items) == [1, 2]
        launcher.to_publish.append(launcher.journal.record(added(2)))
        items = poll_until(observer, lambda items: versions(items) == [3])
    at_ns = [item.at_ns for item in items if isinstance(item, Batch)]
    assert before < at_ns[0] < time.monotonic_ns()


def test_an_observer_can_be_iterated(endpoints: Endpoints, launcher: FakeLauncher) -> None:
    assert launcher.journal.last == 2
    with Observer(endpoints) as observer:
        seen: list[Item] = []
        for item in observer:
            seen.append(item)
            if isinstance(item, CaughtUp):
                break
        assert versions(seen) == [1, 2]


def test_an_observer_goes_on_with_a_launcher_that_came_back(endpoints: Endpoints) -> None:
    journal = MemoryJournal()
    journal.record(registered())
    with zmq.Context[Any]() as context, Observer(endpoints, context=context) as observer:
        for expected in (1, 2):
            launcher = FakeLauncher(endpoints, journal)
            launcher.begin()
            poll_until(observer, lambda _: observer.session.next_version == journal.last + 1)
            launcher.end()
            journal.record(added(expected))


def test_a_poll_without_a_launcher_ends_in_time_with_nothing(endpoints: Endpoints) -> None:
    with Observer(endpoints) as observer:
        assert observer.poll(0.05) == []


def test_a_second_thread_gets_a_clear_error(endpoints: Endpoints) -> None:
    errors: list[Exception] = []

    def use(observer: Observer) -> None:
        try:
            observer.poll(0)
        except WrongThreadError as error:
            errors.append(error)

    with Observer(endpoints) as observer:
        thread = threading.Thread(target=use, args=(observer,), name="intruder")
        thread.start()
        thread.join()
    assert "'intruder'" in str(errors[0])


def test_a_closed_observer_cannot_be_polled(endpoints: Endpoints) -> None:
    observer = Observer(endpoints)
    observer.close()
    observer.close()
    with pytest.raises(ValueError, match="is closed"):
        observer.poll(0)


def test_the_status_can_be_asked(endpoints: Endpoints, launcher: FakeLauncher) -> None:
    assert launcher.journal.last == 2
    assert ask_status(endpoints.query, DEADLINE_SECONDS)["versions"] == 2


def test_a_launcher_that_does_not_answer_is_named(endpoints: Endpoints) -> None:
    with pytest.raises(QueryTimeoutError, match=endpoints.query):
        ask_status(endpoints.query, 0.05)
