"""The in-memory network: what the sockets are in production, in one thread under virtual time.

Every message takes a delay; one direction of one connection keeps its order, as ZeroMQ does.
Nothing here decides anything: nodes are plain callables, and `run` calls them in order of time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from transport.virtual_clock import VirtualClock

Delay = Callable[[], int]
"""Gives how long the next message takes, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One direction of one connection."""

    name: tuple[str, ...]


class MemoryNetwork:
    """Delivers messages and wakes nodes, in order of virtual time.

    Args:
        clock: moved forward by `run`.
        delay: how long each message takes.
    """

    def __init__(self, clock: VirtualClock, delay: Delay) -> None:
        self.clock = clock
        self.delivered = 0
        self._delay = delay
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._last_arrival: dict[Wire, int] = {}

    def at(self, time: int, action: Callable[[], None]) -> None:
        """Let something happen at a time; what happens at one time keeps its order."""
        self._count += 1
        heappush(self._queue, (max(time, self.clock.now), self._count, action))

    def send(
        self, wire: Wire, frames: Sequence[bytes], receive: Callable[[Sequence[bytes]], None]
    ) -> None:
        """Deliver one ZeroMQ message after a delay, never before one sent earlier on its wire."""
        arrival = max(self.clock.now + self._delay(), self._last_arrival.get(wire, 0))
        self._last_arrival[wire] = arrival

        def deliver() -> None:
            self.delivered += 1
            receive(frames)

        self.at(arrival, deliver)

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
