"""Time that stands still until a test or a simulated world moves it."""

SECOND = 1_000_000_000


class VirtualClock:
    """A clock in nanoseconds; it is callable, as `time.monotonic_ns` is.

    Attributes:
        now: the time; whoever runs the world sets it.
    """

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def __call__(self) -> int:
        """Give the time, in nanoseconds."""
        return self.now

    def advance(self, seconds: float) -> int:
        """Let time pass, and give the time then, in nanoseconds.

        Raises:
            ValueError: time does not run backwards.
        """
        if seconds < 0:
            msg = f"time does not run backwards: {seconds} seconds"
            raise ValueError(msg)
        self.now += round(seconds * SECOND)
        return self.now
