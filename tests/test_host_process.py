import contextlib
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import zmq

from host_sim.host import Host
from host_sim.host_process import (
    ACTIONS_IN_ROUND,
    BLOBS_IN_ROUND,
    FENCED_EXIT,
    ControlSide,
    HostProcessSettings,
    StreamSide,
    control_lock,
    host_loop,
)
from host_sim.peer_loop import HALTED_EXIT
from transport.codec import as_map, decode, encode, family
from transport.endpoints import EndpointError, Endpoints, control_endpoint
from transport.message_types import UP, USER_ANSWERS
from transport.messages import (
    ActionDone,
    CommandIdentity,
    Commands,
    Fenced,
    Goodbye,
    HostState,
    InspectHost,
    Message,
    PromoteWindow,
    Register,
    Registered,
    Reports,
    SpawnPoolWindow,
)
from transport.zeromq import sockets

DEADLINE = 20.0
DEADLINE_MS = 20_000
LOG = "1" * 32


class StopSwitch:
    """Stands in for signals: one byte, one request to stop."""

    def __init__(self) -> None:
        self.orphaned = False
        self._count = 0
        self._read, self._write = socket.socketpair()
        self._read.settimeout(0)

    def request(self) -> None:
        self._write.send(b"x")

    def filenos(self) -> list[int]:
        return [self._read.fileno()]

    def look(self) -> int:
        with contextlib.suppress(BlockingIOError):
            self._count += len(self._read.recv(16))
        return self._count

    def beat(self) -> None:
        """Nobody listens."""

    def close(self) -> None:
        self._read.close()
        self._write.close()


class Scene:
    """A host in a thread, and a launcher's link socket in the test."""

    def __init__(self, directory: Path) -> None:
        self.settings = HostProcessSettings(
            host="h1",
            endpoints=Endpoints.in_directory(directory),
            control=control_endpoint(directory, "h1"),
            spawn_time="0",
            heartbeat=0.1,
            seed=1,
            history=directory / "history",
        )
        self.stops = StopSwitch()
        self.status: int | None = None
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.link = sockets.router(self.context, self.settings.endpoints.link)
        self.events = sockets.publisher(self.context, self.settings.endpoints.events)
        self.connection = b""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(DEADLINE)

    def _run(self) -> None:
        self.status = host_loop(self.settings, self.stops, self._ready.set)

    def hear(self, kind: type[Message]) -> Message:
        """Wait until the host says something of a kind."""
        while True:
            assert self.link.poll(DEADLINE_MS), f"no {kind.__name__}"
            self.connection, *frames = self.link.recv_multipart()
            for frame in frames:
                message = decode(frame, family(UP))
                if isinstance(message, kind):
                    return message

    def tell(self, *messages: Message) -> None:
        self.link.send_multipart([self.connection, *(encode(each) for each in messages)])

    def accept(self) -> None:
        self.tell(Registered(log=LOG, epoch="f" * 32, taken=0, low_water=1, heartbeat_ms=100))

    def ask(self, message: Message) -> Message:
        with sockets.dealer(self.context, self.settings.control) as user:
            user.send(encode(message))
            assert user.poll(DEADLINE_MS)
            return decode(user.recv(), family(USER_ANSWERS))

    def stream_faults(self) -> int:
        """Ask how many frames of the event stream were no message."""
        answer = self.ask(InspectHost(number=1))
        assert isinstance(answer, HostState)
        return sum(answer.state["counters"]["stream_faults"].values())

    def ended(self) -> int | None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        return self.status

    def close(self) -> None:
        self.stops.orphaned = True
        self.stops.request()
        self._thread.join(DEADLINE)
        self.link.close(linger=0)
        self.events.close(linger=0)
        self.context.term()
        self.stops.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as directory:
        scene = Scene(Path(directory))
        try:
            yield scene
        finally:
            scene.close()


def test_a_host_process_registers_serves_a_user_and_leaves_in_order(scene: Scene) -> None:
    scene.hear(Register)
    scene.accept()
    command = SpawnPoolWindow(identity=CommandIdentity(LOG, 1, 0))
    scene.tell(Commands(commands=[as_map(command)]))
    scene.hear(Reports)
    done = scene.ask(PromoteWindow(number=5))
    assert isinstance(done, ActionDone)
    assert not done.cold
    scene.stops.request()
    scene.hear(Goodbye)
    assert scene.ended() == 0
    history = scene.settings.history
    assert history is not None
    kinds = [json.loads(line)["did"] for line in history.read_text().splitlines()]
    assert [each for each in kinds if each != "report"] == [
        "registered",
        "command",
        "ready",
        "promoted",
        "stopping",
    ]


def test_a_host_process_makes_a_new_connection_when_its_launcher_is_silent(scene: Scene) -> None:
    scene.hear(Register)
    first = scene.connection
    while scene.connection == first:
        scene.hear(Register)
    scene.accept()
    state = scene.ask(InspectHost(number=1))
    assert not isinstance(state, Register)


def test_a_fenced_host_process_ends_with_a_status_of_its_own(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.hear(Register)
    scene.tell(Fenced(by="d" * 32))
    assert scene.ended() == FENCED_EXIT
    assert "muxsaga host h1: fenced: a later epoch" in capsys.readouterr().err


def test_a_second_request_to_stop_ends_a_host_process_at_once(scene: Scene) -> None:
    scene.hear(Register)
    scene.accept()
    scene.ask(InspectHost(number=1))
    scene.stops.request()
    scene.stops.request()
    assert scene.ended() in {HALTED_EXIT, 0}


def test_a_second_host_cannot_take_a_control_socket_that_is_in_use(scene: Scene) -> None:
    with pytest.raises(EndpointError, match=r"in use by host h1"):
        control_lock(scene.settings)


def test_the_event_stream_is_looked_at_again_after_its_rest(scene: Scene) -> None:
    scene.hear(Register)
    scene.accept()
    assert scene.events.poll(DEADLINE_MS), "the host does not subscribe"
    scene.events.recv()
    for number in (1, 2, 3):
        scene.events.send(b"no message")
        end = time.monotonic() + DEADLINE
        while scene.stream_faults() < number:
            assert time.monotonic() < end, f"frame {number} is not read"


class CountingHost:
    """Stands in for a host: counts what users ask for."""

    def __init__(self) -> None:
        self.asked = 0

    def receive_control(self, connection: bytes, frame: bytes, now: int) -> None:
        del connection, frame, now
        self.asked += 1


def test_a_round_takes_some_user_actions_and_leaves_the_others_for_the_next() -> None:
    host = CountingHost()
    with zmq.Context() as context, sockets.router(context, "inproc://control") as control:
        side = ControlSide(control, cast("Host", host))
        with sockets.dealer(context, "inproc://control") as user:
            for number in range(2 * ACTIONS_IN_ROUND + 1):
                user.send(encode(PromoteWindow(number=number)))
            taken = []
            for _ in range(4):
                side.read(0)
                taken.append(host.asked)
    assert taken == [16, 32, 33, 33]


class AnsweringHost:
    """Stands in for a host: has answers for two users."""

    def __init__(self, answers: list[tuple[bytes, bytes]]) -> None:
        self.answers = answers

    def control_outgoing(self) -> list[tuple[bytes, bytes]]:
        return self.answers


def test_what_a_user_is_answered_in_one_round_is_one_message_in_order() -> None:
    with (
        zmq.Context() as context,
        sockets.router(context, "inproc://control") as control,
        sockets.dealer(context, "inproc://control") as one,
        sockets.dealer(context, "inproc://control") as other,
    ):
        names = []
        for user in (one, other):
            user.send(b"")
            names.append(sockets.receive_routed(control)[0])
        answers = [(names[0], b"1"), (names[1], b"2"), (b"gone", b"3"), (names[0], b"4")]
        ControlSide(control, cast("Host", AnsweringHost(answers))).write()
        for user, answered in ((one, [b"1", b"4"]), (other, [b"2"])):
            assert user.poll(DEADLINE_MS)
            assert sockets.receive(user) == answered


class ReadingHost:
    """Stands in for a host: keeps what it reads of the event stream."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    def receive_stream(self, frame: bytes, now: int) -> None:
        del now
        self.read.append(frame)


def test_a_round_reads_some_blobs_and_says_whether_that_was_all(tmp_path: Path) -> None:
    endpoints = Endpoints.in_directory(tmp_path)
    host = ReadingHost()
    with zmq.Context() as context, sockets.publisher(context, endpoints.events) as stream:
        side = StreamSide(context, endpoints, cast("Host", host))
        assert stream.poll(DEADLINE_MS)
        stream.recv()  # the subscription
        stream.send(b"1")
        assert side.socket.poll(DEADLINE_MS)
        assert side.read(0) is (BLOBS_IN_ROUND > 1)
        for number in range(2, 2 * BLOBS_IN_ROUND + 2):
            stream.send(b"%d" % number)
        while len(host.read) < 2 * BLOBS_IN_ROUND + 1:
            assert side.socket.poll(DEADLINE_MS)
            before = len(host.read)
            is_all = side.read(0)
            assert is_all is (len(host.read) - before < BLOBS_IN_ROUND)
        side.read(0)
        assert side.read(0) is True
        side.close()
    assert host.read == [b"%d" % number for number in range(1, 2 * BLOBS_IN_ROUND + 2)]
