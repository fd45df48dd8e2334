"""A machine's clock: it begins anywhere, and goes a little too fast or too slow."""

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class MachineClock:
    """How one machine's clock goes against the true time; all values are nanoseconds.

    Attributes:
        offset: what it showed when the true time was 0.
        drift: how many millionths it goes too fast; below 0, too slow.
    """

    offset: int = 0
    drift: int = 0

    def shown(self, true: int) -> int:
        """Give what it shows at a true time."""
        return self.offset + true * (MILLION + self.drift) // MILLION

    def true(self, shown: int) -> int:
        """Give the first true time at which it shows this, or more."""
        return -(-(shown - self.offset) * MILLION // (MILLION + self.drift))
