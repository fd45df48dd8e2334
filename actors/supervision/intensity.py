"""How often is too often: a window that slides over restarts, and how long the next one waits."""

import random
from collections import deque

from actors.supervision.child_spec import SECOND, Backoff, Intensity

LARGEST_EXPONENT = 62
"""Where the doubling ends; any cap that a person would write is reached long before."""


class RestartWindow:
    """The restarts of the last `period`; never more of them than decide, and none that is older.

    A restart exactly `period` ago still counts, as in OTP.
    """

    __slots__ = ("_intensity", "_times")

    def __init__(self, intensity: Intensity) -> None:
        self._intensity = intensity
        self._times: deque[int] = deque(maxlen=intensity.restarts + 1)

    def add(self, now: int) -> bool:
        """Count a restart, and tell whether it is one too many."""
        times = self._times
        times.append(now)
        oldest = now - nanoseconds(self._intensity.period)
        while times[0] < oldest:
            times.popleft()
        return len(times) > self._intensity.restarts

    def within(self, now: int) -> int:
        """How many restarts were in the period that ends now."""
        oldest = now - nanoseconds(self._intensity.period)
        return sum(time >= oldest for time in tuple(self._times))


def restart_delay(backoff: Backoff, attempt: int, generator: random.Random) -> int:
    """How long the restart waits that is the `attempt`-th in a row, in nanoseconds."""
    if backoff.first <= 0:
        return 0
    ceiling = min(backoff.cap, backoff.first * 2 ** min(attempt - 1, LARGEST_EXPONENT))
    return int(generator.random() * nanoseconds(ceiling))


def nanoseconds(seconds: float) -> int:
    """The same time in the unit of the machine."""
    return round(seconds * SECOND)


def too_often(intensity: Intensity) -> str:
    """Say what the intensity was exceeded by."""
    return f"more than {intensity.restarts} restarts in {intensity.period:g} s"
