"""In which order a host's or service's loop does what there is to do."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import zmq

from host_sim.host import HostOutcome
from host_sim.peer_loop import PeerLoop, receive_waiting
from transport.endpoints import Endpoints
from transport.zeromq import sockets

DEADLINE_MS = 10_000


class NoStops:
    """Nobody asks the loop to stop."""

    orphaned = False

    def filenos(self) -> list[int]:
        return []

    def look(self) -> int:
        return 0

    def beat(self) -> None:
        """Nobody listens."""


class NotingCore:
    """Notes what it is asked to do; says hello, then has one answer to what the launcher says."""

    fenced_by: str | None = None
    launcher_stopping = False
    not_allowed: str | None = None

    def __init__(self, course: list[str]) -> None:
        self.course = course
        self.outcome: HostOutcome | None = None
        self.needs_connection = True
        self.registered = False
        self._unsent = [b"hello"]

    def connected(self, now: int) -> None:
        del now
        self.needs_connection = False

    def receive_link(self, frames: Sequence[bytes], now: int) -> None:
        del now
        self.course.append("reads the launcher")
        self._unsent.extend(frames)

    def next_due(self) -> int | None:
        return None

    def advance(self, now: int) -> None:
        del now
        self.course.append("acts")

    def stop(self, now: int) -> None:
        """Nobody asks for it."""

    def link_outgoing(self) -> list[bytes]:
        frames, self._unsent = self._unsent, []
        if frames and frames != [b"hello"]:
            self.course.append("answers the launcher")
        return frames

    def link_not_sent(self) -> None:
        """Never happens here."""


class UserSide:
    """A socket on which a user asks for something; the loop ends when it has answered."""

    rest = 0

    def __init__(self, socket: sockets.ZmqSocket, core: NotingCore) -> None:
        self.socket = socket
        self._core = core

    def read(self, now: int) -> bool:
        del now
        assert self.socket.recv(zmq.NOBLOCK) == b"promote"
        self._core.course.append("reads the user")
        return True

    def write(self) -> None:
        if "reads the user" in self._core.course:
            self._core.course.append("answers the user")
            self._core.outcome = HostOutcome.LEFT


class LoopWithBothWaiting(PeerLoop):
    """A loop that finds a message of the launcher and one of a user, both there, in one round."""

    router: sockets.ZmqSocket
    user: sockets.ZmqSocket

    def _wait(self, halt_at: int | None) -> dict[Any, int]:
        if self._link is not None and self.router.poll(0):
            connection, hello = self.router.recv_multipart()
            assert hello == b"hello"
            self.router.send_multipart([connection, b"a command"])
            self.user.send(b"promote")
            assert self._link.poll(DEADLINE_MS)
        return super()._wait(halt_at)


def test_what_the_launcher_asked_for_is_answered_before_users_are_served(tmp_path: Path) -> None:
    endpoints = Endpoints.in_directory(tmp_path)
    course: list[str] = []
    core = NotingCore(course)
    with zmq.Context() as context:
        router = sockets.router(context, endpoints.link)
        control, user = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        control.bind("inproc://control")
        user.connect("inproc://control")
        loop = LoopWithBothWaiting(
            name="host h",
            core=core,
            context=context,
            endpoints=endpoints,
            stops=NoStops(),
            generator=random.Random(1),
            sides=(UserSide(control, core),),
        )
        loop.router, loop.user = router, user
        assert loop.run() == 0
        for socket in (router, control, user):
            socket.close(linger=0)
    begin = course.index("reads the launcher")
    assert course[begin:] == [
        "reads the launcher",
        "acts",
        "answers the launcher",
        "reads the user",
        "acts",
        "answers the user",
    ]


def test_a_socket_is_read_until_nothing_waits_or_the_limit_is_reached() -> None:
    with zmq.Context() as context:
        there, here = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        there.bind("inproc://there")
        here.connect("inproc://there")
        taken: list[list[bytes]] = []
        assert receive_waiting(there, taken.append) == 0
        for number in range(5):
            here.send_multipart([b"%d" % number, b"more"])
        assert receive_waiting(there, taken.append, 3) == 3
        assert taken == [[b"0", b"more"], [b"1", b"more"], [b"2", b"more"]]
        assert receive_waiting(there, taken.append) == 2
        assert len(taken) == 5
        there.close(linger=0)
        here.close(linger=0)


class BlobSide:
    """A socket with much to read, of which it takes one a time; the loop ends after the last."""

    rest = 3_600_000_000_000

    def __init__(self, socket: sockets.ZmqSocket, core: NotingCore) -> None:
        self.socket = socket
        self._core = core

    def read(self, now: int) -> bool:
        del now
        blob = self.socket.recv(zmq.NOBLOCK)
        self._core.course.append(f"reads blob {blob.decode()}")
        if blob == b"3":
            self._core.outcome = HostOutcome.LEFT
        return blob == b"3"

    def write(self) -> None:
        """There is nothing to say."""


def test_a_resting_socket_is_read_in_parts_and_rests_only_when_all_is_read(tmp_path: Path) -> None:
    course: list[str] = []
    core = NotingCore(course)
    with zmq.Context() as context:
        here, there = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        here.bind("inproc://stream")
        there.connect("inproc://stream")
        for blob in (b"1", b"2", b"3"):
            there.send(blob)
        loop = PeerLoop(
            name="host h",
            core=core,
            context=context,
            endpoints=Endpoints.in_directory(tmp_path),
            stops=NoStops(),
            generator=random.Random(1),
            sides=(BlobSide(here, core),),
        )
        assert loop.run() == 0
        for socket in (here, there):
            socket.close(linger=0)
    # Between two of them the loop goes round, so that the launcher and users are not kept waiting.
    assert course == ["acts", "reads blob 1", "acts", "reads blob 2", "acts", "reads blob 3"]
