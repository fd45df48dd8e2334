"""What one direction of a relay is ordered to suffer; shared by its connections."""

from asyncio import Event
from random import Random

from transport.fault_proxy.fault_kind import FaultKind
from transport.fault_proxy.fault_tally import FaultTally

_AT_MESSAGES = (FaultKind.CORRUPT, FaultKind.BREAK_FRAMING, FaultKind.DUPLICATE)


class DirectionFaults:
    """The orders in force; belongs to the proxy's thread.

    Args:
        generator: draws the jitter.
        tally: counts what is carried out.
    """

    def __init__(self, generator: Random, tally: FaultTally) -> None:
        self._generator = generator
        self._tally = tally
        self._delay: tuple[float, float] | None = None
        self._silent = False
        self._bytes_per_second: float | None = None
        self._to_count: dict[FaultKind, bool] = {}
        self._ordered = dict.fromkeys(_AT_MESSAGES, 0)
        self._flows: list[Event] = []

    def heal(self) -> None:
        """Take back every order."""
        self._delay = self._bytes_per_second = None
        self._silent = False
        self._to_count.clear()
        self._ordered = dict.fromkeys(_AT_MESSAGES, 0)
        self._wake()

    def delay(self, seconds: float, jitter: float) -> None:
        """Deliver what arrives from now on later, by `seconds` and up to `jitter` more."""
        self._delay = (seconds, jitter)
        self._lasting(FaultKind.DELAY)

    def silence(self) -> None:
        """Deliver nothing."""
        self._silent = True
        self._lasting(FaultKind.SILENCE)

    def throttle(self, bytes_per_second: float) -> None:
        """Deliver no more than this."""
        self._bytes_per_second = bytes_per_second
        self._lasting(FaultKind.THROTTLE)

    def order(self, kind: FaultKind, count: int) -> None:
        """Do something to the next `count` frames or messages, beside those ordered before."""
        self._ordered[kind] += count

    @property
    def any_at_messages(self) -> bool:
        """Whether something is to be done to the next frame or message."""
        return any(self._ordered.values())

    def is_ordered(self, kind: FaultKind) -> bool:
        """Say whether `use` would do it."""
        return self._ordered[kind] > 0

    def use(self, kind: FaultKind) -> bool:
        """Take one of what was ordered, and count it; say whether there was one."""
        if not self._ordered[kind]:
            return False
        self._ordered[kind] -= 1
        self._tally.add(kind)
        return True

    @property
    def silent(self) -> bool:
        """Whether nothing is delivered."""
        return self._silent

    @property
    def delayed(self) -> bool:
        """Whether what is held has to wait until it is due."""
        return self._delay is not None

    @property
    def bytes_per_second(self) -> float | None:
        """How many bytes are delivered in a second; None where that has no bound."""
        return self._bytes_per_second

    def hit(self, kind: FaultKind) -> None:
        """Be told that a lasting fault held bytes back; the first time for each order counts."""
        if self._to_count.pop(kind, False):
            self._tally.add(kind)

    def lateness(self) -> float:
        """Give how late to deliver what has just come, in seconds."""
        if self._delay is None:
            return 0.0
        seconds, jitter = self._delay
        return seconds + jitter * self._generator.random()

    def attach(self, changed: Event) -> None:
        """Tell a flow of every change from now on."""
        self._flows.append(changed)

    def detach(self, changed: Event) -> None:
        """Tell it no more."""
        self._flows.remove(changed)

    def _lasting(self, kind: FaultKind) -> None:
        self._to_count[kind] = True
        self._wake()

    def _wake(self) -> None:
        for changed in self._flows:
            changed.set()
