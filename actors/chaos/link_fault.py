"""One fault of one link, from the order until it is healed."""

import time
from typing import Literal

from actors.chaos.plan import AT_ONCE, BOTH_ENDS, ChaosKind, PlannedFault
from actors.process_system import ProcessSystem
from actors.process_system.links import LinkName
from transport.event_stream.observer_session import SILENCE_NS
from transport.fault_proxy import Direction, FaultKind
from transport.history_lines import FaultLine

PATIENCE = 2 * SILENCE_NS / 1e9
"""Seconds that a fault is in force beyond its time, while nothing came that it could hit.

In so long an observer asks at least once: were it as long as a silent stream is trusted, each
question might just fall between two attempts.
"""

SHORTEST_DELAY, LONGEST_DELAY = 0.02, 0.5
LONGEST_JITTER = 1.0
SLOWEST, FASTEST = 1_000, 8_000
"""Bytes a second."""

PROVOKE_SECONDS = 1.0
LOST_FRAMES = 3
"""So many frames of the stream in a row are spoiled for an observer to have something to ask."""

MOST_FRAMES = 4
"""How many frames or messages one order spoils or doubles, at most."""

_COUNTED_AS = {ChaosKind.JITTER: FaultKind.DELAY}


class LinkFault:
    """A fault that is in force; it counts once it has hit something.

    Args:
        system: whose link it is. Nothing else is done to that link meanwhile.
        fault: what is done.
    """

    def __init__(self, system: ProcessSystem, fault: PlannedFault) -> None:
        assert isinstance(fault.target, LinkName)  # noqa: S101 - it is a link's fault
        self.fault = fault
        self.link: LinkName = fault.target
        self._system = system
        self._relay = system.relay(*self.link)
        self._kind = _COUNTED_AS.get(fault.kind) or FaultKind(fault.kind.value)
        self._before = self._relay.counts.get(self._kind, 0)
        self._wanted = 1
        self._until = time.monotonic() + fault.lasts
        self._note("began")
        self._order()
        self._provoke_at = 0.0

    def go_on(self) -> None:
        """See to it that there is something to hit."""
        now = time.monotonic()
        if now >= self._provoke_at and not self.has_hit:
            self._provoke_at = now + PROVOKE_SECONDS
            self._provoke()

    @property
    def has_hit(self) -> bool:
        """Whether it did something to the link."""
        return self._hits() > 0

    @property
    def is_over(self) -> bool:
        """Whether it has lasted long enough, or hits nothing."""
        now = time.monotonic()
        if self.fault.kind in AT_ONCE:
            return self._hits() >= self._wanted or now >= self._until + PATIENCE
        return now >= self._until + (0 if self.has_hit else PATIENCE)

    def end(self) -> None:
        """Heal the link."""
        self._relay.heal()
        self._note("ended")

    def _hits(self) -> int:
        return self._relay.counts.get(self._kind, 0) - self._before

    def _note(self, did: Literal["began", "ended"]) -> None:
        client, channel = self.link
        fault, way = self.fault.kind.value, self.fault.direction
        name = f"{fault} of {channel}" if way is None else f"{fault} {way.name.lower()} {channel}"
        line = FaultLine(time.monotonic_ns(), name, f"{client}-launcher", did)
        self._system.note(line)

    def _order(self) -> None:
        relay, share, way = self._relay, self.fault.share, self.fault.direction or Direction.DOWN
        match self.fault.kind:
            case ChaosKind.DELAY:
                relay.delay(way, seconds=SHORTEST_DELAY + share * LONGEST_DELAY)
            case ChaosKind.JITTER:
                relay.delay(way, seconds=SHORTEST_DELAY, jitter=share * LONGEST_JITTER)
            case ChaosKind.SILENCE:
                relay.silence(way)
            case ChaosKind.THROTTLE:
                relay.throttle(way, bytes_per_second=SLOWEST + share * (FASTEST - SLOWEST))
            case ChaosKind.CUT:
                relay.cut()
            case ChaosKind.DROP:
                relay.drop_connections()
            case ChaosKind.CORRUPT:
                self._wanted = 1 + int(share * (MOST_FRAMES - 1))
                relay.corrupt(way, frames=self._wanted)
            case ChaosKind.BREAK_FRAMING:
                relay.break_framing(way)
            case ChaosKind.DUPLICATE:
                self._wanted = 1 + int(share * (MOST_FRAMES - 1))
                relay.duplicate(way, messages=self._wanted)

    def _provoke(self) -> None:
        """Have something pass where nothing does by itself: who lost a part of his stream asks."""
        client, channel = self.link
        if channel == "query" and self.fault.kind not in BOTH_ENDS:
            stream = self._system.relay(client, "events")
            stream.corrupt(Direction.DOWN, frames=LOST_FRAMES)
        elif channel == "events" and self.fault.direction is Direction.UP:
            self._relay.drop_connections()
