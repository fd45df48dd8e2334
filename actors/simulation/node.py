"""A simulated process: it is woken when something came or a time has come, and can stand still."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from actors.simulation.machine_clock import MachineClock
from transport.memory_network import MemoryNetwork

LATEST_ROUND = 30_000_000
"""For how long a process may be held up by others on its machine, in nanoseconds."""


class Laziness(NamedTuple):
    """How often a process hears late that something came: a share from 0 to 1, and its chance."""

    share: float
    generator: Random


class Node:
    """One life of one process.

    Args:
        network: has the true time.
        clock: of the machine that it runs on.
        laziness: how often it hears late that something came.
        act: one round of its loop.

    Attributes:
        alive: it was not killed, and did not end.
        standing: it is stopped, as SIGSTOP stops a process.
    """

    def __init__(
        self,
        network: MemoryNetwork,
        clock: MachineClock,
        laziness: Laziness,
        act: Callable[[], None],
    ) -> None:
        self.alive = True
        self.standing = False
        self.network = network
        self.clock = clock
        self._laziness = laziness
        self._act = act
        self._wake_at: int | None = None

    @property
    def now(self) -> int:
        """What its machine's clock shows, in nanoseconds."""
        return self.clock.shown(self.network.clock.now)

    def hear(self) -> None:
        """Hear that something came: go a round as soon as possible, or a little later."""
        share, generator = self._laziness
        if generator.random() < share:
            pause = generator.randrange(LATEST_ROUND)
            self.network.at(self.network.clock.now + pause, self.wake)
        else:
            self.wake()

    def wake(self) -> None:
        """Go a round as soon as possible."""
        self._wake(self.network.clock.now)

    def wake_at(self, shown: int) -> None:
        """Go a round when its clock shows a time, or earlier."""
        self._wake(max(self.clock.true(shown), self.network.clock.now))

    def stand(self) -> None:
        """Stand still: what comes has to wait."""
        self.standing = True

    def go_on(self) -> None:
        """End a stand-still."""
        self.standing = False
        self.wake()

    def die(self) -> None:
        """Never go a round again."""
        self.alive = False

    def _wake(self, time: int) -> None:
        if self._wake_at is not None and self._wake_at <= time:
            return
        self._wake_at = time
        self.network.at(time, lambda: self._woken(time))

    def _woken(self, time: int) -> None:
        if self._wake_at != time:
            return
        self._wake_at = None
        if self.alive and not self.standing:
            self._act()
