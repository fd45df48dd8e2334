"""A launcher's sockets: when they sleep, and when they do not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.engine import Pass
from actors.launcher_link import Outgoing
from actors.launcher_sockets import AWAKE, LauncherSockets
from transport.endpoints import Endpoints
from transport.zeromq import sockets as zeromq_sockets

SECOND = 1_000_000_000
SAID = Pass(rows=[], blobs=[b"a blob"], messages=[], last_version=1)


class WaitsOfPoller(zmq.Poller):
    """A poller that keeps how long it was to wait, in milliseconds, and never does."""

    waits: list[Any]

    def poll(self, timeout: int | None = None) -> list[Any]:
        self.waits.append(timeout)
        return super().poll(0)


class Clock:
    """The monotonic clock, as so many looks see it."""

    def __init__(self) -> None:
        self.time = 0
        self.step = AWAKE // 100

    def monotonic_ns(self) -> int:
        self.time += self.step
        return self.time


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    waits: list[Any] = []
    monkeypatch.setattr(WaitsOfPoller, "waits", waits, raising=False)
    monkeypatch.setattr("actors.launcher_sockets.zmq.Poller", WaitsOfPoller)
    return waits


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("actors.launcher_sockets.time", clock)
    return clock


@pytest.fixture
def link(tmp_path: Path, waits: list[Any], clock: Clock) -> Iterator[LauncherSockets]:
    with zmq.Context() as context:
        made = LauncherSockets(context, Endpoints.in_directory(tmp_path), None, ())
        yield made
        made.close()


def say_hello(link: LauncherSockets, tmp_path: Path) -> None:
    """Have a host's message wait in the link."""
    endpoint = Endpoints.in_directory(tmp_path).link
    with zmq.Context() as context, closing(zeromq_sockets.dealer(context, endpoint)) as host:
        host.send(b"hello")
        assert link._link.poll(10_000)  # noqa: SLF001 - the event that is waited for


def test_a_launcher_that_said_nothing_sleeps_at_once(
    link: LauncherSockets, waits: list[Any], clock: Clock
) -> None:
    link.poll(SECOND)
    assert waits == [1000]
    assert clock.time == 0


def test_a_launcher_looks_for_an_answer_for_a_while_and_then_sleeps(
    link: LauncherSockets, waits: list[Any], clock: Clock
) -> None:
    link.publish(SAID)
    link.poll(SECOND)
    assert waits == [1000]
    assert AWAKE <= clock.time <= AWAKE + 5 * clock.step
    before = clock.time
    link.poll(SECOND)
    assert (waits, clock.time) == ([1000, 1000], before)


def test_a_launcher_that_is_answered_does_not_sleep(
    link: LauncherSockets, waits: list[Any], tmp_path: Path
) -> None:
    say_hello(link, tmp_path)
    link.publish(SAID)
    link.poll(SECOND)
    assert waits == [0]
    arrival = link.receive()
    assert arrival is not None
    assert arrival[1] == [b"hello"]


def test_a_launcher_whose_pass_said_nothing_sleeps_at_once(
    link: LauncherSockets, waits: list[Any], clock: Clock
) -> None:
    link.publish(SAID)
    link.publish(replace(SAID, blobs=[]))
    link.poll(SECOND)
    assert waits == [1000]
    assert clock.time == 0


def test_a_launcher_that_wrote_to_a_host_alone_looks_for_its_answer(
    link: LauncherSockets, waits: list[Any], clock: Clock
) -> None:
    link.publish(replace(SAID, blobs=[], messages=[Outgoing(b"host", [b"a command"])]))
    link.poll(SECOND)
    assert waits == [1000]
    assert clock.time >= AWAKE


def test_a_launcher_that_is_to_wait_for_less_looks_for_no_longer(
    link: LauncherSockets, waits: list[Any], clock: Clock
) -> None:
    link.publish(SAID)
    link.poll(10 * clock.step)
    assert waits == [1]
    assert clock.time <= 15 * clock.step
    link.publish(SAID)
    before = clock.time
    link.poll(0)
    assert waits == [1, 0]
    assert clock.time - before <= 5 * clock.step
