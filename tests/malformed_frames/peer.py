"""One end of a connection to the launcher or to a host, over raw ZeroMQ."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import msgpack
import zmq

from tests.malformed_frames.bad_frame import BadFrame

Message = dict[str, Any]

FRAMES_IN_ONE_MESSAGE = 6
SEND_MILLISECONDS = 20_000
READ_SECONDS = 20.0


class Peer:
    """A socket that keeps all that it is told, and counts what it must be refused.

    Attributes:
        told: every message that came and is no `Refused`.
        refused: how often which fault came with which sequence.
        due: how often it should.
    """

    def __init__(self, context: zmq.Context[Any], endpoint: str) -> None:
        self.told: list[Message] = []
        self.refused: Counter[tuple[str, int | None]] = Counter()
        self.due: Counter[tuple[str, int | None]] = Counter()
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDTIMEO, SEND_MILLISECONDS)
        self.socket.connect(endpoint)

    @property
    def answered(self) -> bool:
        """Whether every bad frame was refused."""
        return self.refused.total() >= self.due.total()

    def say(self, message: Message | bytes) -> None:
        """Send one good message."""
        self.socket.send(message if isinstance(message, bytes) else msgpack.packb(message))

    def say_bad(self, random: Random, frames: list[BadFrame]) -> None:
        """Send bad frames in order, some of them as neighbours in one ZeroMQ message."""
        self.due.update((frame.fault, frame.sequence) for frame in frames)
        rest = [frame.frame for frame in frames]
        while rest:
            number = random.randint(1, FRAMES_IN_ONE_MESSAGE)
            self.socket.send_multipart(rest[:number])
            del rest[:number]

    def read(self) -> None:
        """Take all that waits."""
        while self.socket.poll(0):
            for frame in self.socket.recv_multipart():
                message = msgpack.unpackb(frame)
                if message["type"] == "Refused":
                    assert set(message) == {"type", "fault", "detail", "sequence"}
                    self.refused[message["fault"], message["sequence"]] += 1
                else:
                    self.told.append(message)

    def read_until(self, condition: Callable[[], bool]) -> None:
        """Take what comes until the condition holds."""
        deadline = time.monotonic() + READ_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.told
            self.socket.poll(100)
            self.read()

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def told_of(self, name: str) -> list[Message]:
        """Give the messages of one type that came."""
        return [message for message in self.told if message["type"] == name]

    def due_by_fault(self) -> Counter[str]:
        """Give how many bad frames of each kind were sent."""
        return faults_of(self.due)


def faults_of(counts: Counter[tuple[str, int | None]]) -> Counter[str]:
    """Give the counts without the sequences."""
    return sum_of(Counter({fault: number}) for (fault, _), number in counts.items())


def sum_of(counts: Iterable[Counter[str]]) -> Counter[str]:
    """Give all counts together."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total
