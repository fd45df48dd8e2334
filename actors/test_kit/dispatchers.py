"""Dispatchers for tests: one that a test steps by hand, one that shuffles by a seed."""

from random import Random

from actors.dispatcher import Choice, Dispatcher
from transport.virtual_clock import VirtualClock


class SteppedDispatcher(Dispatcher):
    """A dispatcher under virtual time, stepped by hand.

    Args:
        clock: the time of the actors' timers; moved by `advance`.
        choose: picks the next actor among the ready ones; by default the one ready longest.
    """

    def __init__(self, clock: VirtualClock | None = None, choose: Choice | None = None) -> None:
        self.virtual = clock or VirtualClock()
        super().__init__(choose, clock=self.virtual)

    def step(self) -> bool:
        """Let one actor handle one message; say whether there was one."""
        return self.run_until_idle(1) == 1

    def advance(self, seconds: float) -> int:
        """Let time pass; every timer that is due on the way fires at its own time.

        Returns:
            how many turns there were.
        """
        end = self.virtual.now + round(seconds * 1_000_000_000)
        turns = self.run_until_idle()
        while (due := self.timers.next_due()) is not None and due <= end:
            self.virtual.now = max(self.virtual.now, due)
            turns += self.run_until_idle()
        self.virtual.now = end
        return turns + self.run_until_idle()


class ShuffledDispatcher(SteppedDispatcher):
    """A stepped dispatcher in which any ready actor may be next; one seed gives one order.

    Two messages of one sender to one receiver keep their order, as everywhere.
    """

    def __init__(self, seed: int, clock: VirtualClock | None = None) -> None:
        super().__init__(clock, Random(seed).randrange)  # noqa: S311 - a seed is the point
