"""The in-memory network: what the sockets are in production, in one thread under virtual time.

A wire is one direction of one connection. Every message takes a delay, and a wire keeps its order,
as ZeroMQ does. Nothing here decides anything: whoever runs the world cuts, holds or slows a wire.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from transport.virtual_clock import VirtualClock

Delay = Callable[[], int]
"""Gives how long the next message takes, in nanoseconds."""

Frames = Sequence[bytes]
"""One ZeroMQ message."""


class MemoryNetwork:
    """An agenda in virtual time, and the wires that live by it.

    Args:
        clock: moved forward by `run`.
        delay: how long each message takes.
    """

    def __init__(self, clock: VirtualClock, delay: Delay) -> None:
        self.clock = clock
        self.delay = delay
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, time: int, action: Callable[[], None]) -> None:
        """Let something happen at a time; what happens at one time keeps its order."""
        self._count += 1
        heappush(self._queue, (max(time, self.clock.now), self._count, action))

    def run(self, until: Callable[[], bool], deadline: int) -> bool:
        """Let time pass until something holds; say whether it did by the deadline."""
        while not until():
            if not self._queue or self._queue[0][0] > deadline:
                self.clock.now = max(self.clock.now, deadline)
                return False
            time, _, action = heappop(self._queue)
            self.clock.now = max(self.clock.now, time)
            action()
        return True


@dataclass(slots=True)
class WireFault:
    """What is wrong with a wire for a while; one object may be shared by many wires.

    Attributes:
        held: nothing arrives, and nothing is lost.
        limit: how many messages wait at most; None for the wire's own.
    """

    held: bool = False
    limit: int | None = None


class Wire:
    """One direction of one connection: a bounded queue that the receiver reads when it likes.

    Args:
        network: has the time and the delays.
        notify: called when something can be read.
        limit: how many messages wait at most, under way and arrived, as a high-water mark does.
        faults: what may be wrong with it for a while.
    """

    def __init__(
        self,
        network: MemoryNetwork,
        notify: Callable[[], None],
        limit: int,
        faults: Sequence[WireFault] = (),
    ) -> None:
        self._network = network
        self._notify = notify
        self._limit = limit
        self._faults = faults
        self._queue: deque[tuple[int, Frames]] = deque()
        self._last_arrival = 0
        self._open = True

    def send(self, frames: Frames) -> bool:
        """Put one message on its way; say whether there was room. On a cut wire it is lost."""
        if not self._open:
            return True
        limits = (fault.limit for fault in self._faults if fault.limit is not None)
        if len(self._queue) >= min((self._limit, *limits)):
            return False
        arrival = max(self._network.clock.now + self._network.delay(), self._last_arrival)
        self._last_arrival = arrival
        self._queue.append((arrival, frames))
        self._network.at(arrival, self.look)
        return True

    @property
    def empty(self) -> bool:
        """Whether everything that was sent has been read, or lost."""
        return not self._queue

    @property
    def can_be_read(self) -> bool:
        """Whether a message is there."""
        if not self._queue or any(fault.held for fault in self._faults):
            return False
        return self._queue[0][0] <= self._network.clock.now

    def receive(self) -> Frames | None:
        """Take the next message, or None if none is there."""
        return self._queue.popleft()[1] if self.can_be_read else None

    def look(self) -> None:
        """Notify the receiver if there is something to read."""
        if self.can_be_read:
            self._notify()

    def cut(self) -> None:
        """End it: what is under way is lost; what arrived can still be read."""
        self._open = False
        now = self._network.clock.now
        while self._queue and self._queue[-1][0] > now:
            self._queue.pop()

    def end_late(self, extra: int) -> None:
        """End it: what is under way still arrives, but so many nanoseconds later."""
        self._open = False
        self._queue = deque((arrival + extra, frames) for arrival, frames in self._queue)
        for arrival, _ in self._queue:
            self._network.at(arrival, self.look)

    def close(self) -> None:
        """End it: nothing can be read any more."""
        self._open = False
        self._queue.clear()
