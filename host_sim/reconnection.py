"""When a host or service makes its next connection.

After a time that doubles with each vain attempt, and that chance shortens, so that many hosts do
not come back at one moment ("full jitter").
"""

from random import Random

FIRST_PAUSE = 100_000_000
LONGEST_PAUSE = 2_000_000_000
"""The bounds of the time between two connections, in nanoseconds."""


class Reconnection:
    """The time of the next connection.

    Args:
        generator: chance for the times between connections.

    Attributes:
        at: when it may be made, in nanoseconds of the loop's clock.
    """

    def __init__(self, generator: Random) -> None:
        self.at = 0
        self._generator = generator
        self._attempts = 0

    def registered(self) -> None:
        """Hear that the launcher knows the connection: the next pause is short again."""
        self._attempts = 0

    def lost(self, now: int, *, refused: bool) -> None:
        """Hear that there is no connection any more; `refused`: a soon attempt would be vain."""
        if refused:
            pause = self._generator.randint(LONGEST_PAUSE // 2, LONGEST_PAUSE)
        else:
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._attempts, 10))
            pause = self._generator.randint(0, longest)
        self._attempts += 1
        self.at = now + pause
