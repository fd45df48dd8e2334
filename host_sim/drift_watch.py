"""Compares the launcher's view of a host's pool with the host's own, event by event.

The event stream tells what the launcher believes; each event names the host's report that it came
of, and so the moment of the host's own history to compare with. Both pools are kept as of the same
report: the launcher's by applying its events to a mirror, the host's by replaying what its pool did
up to that report. Only labels that just changed on one side can begin or cease to differ, so an
event costs the same however large the pool is.

The comparison stands on a base. When the host registers with an inventory as of report N, the
launcher makes its view equal to that before it takes report N + 1. So at the first event of a
report after N, the launcher's view is the host's pool as of N, and goes on from there by events
alone. That holds while none of those events is missed: the stream has no hole, or had its last one
before the host made report N + 1. After any other hole nothing can be compared until the host
registers anew.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from transport.codec import Codec, decode
from transport.frame_fault import FaultCounts, FrameError
from transport.message_types import STREAM
from transport.messages import Events, Recorded, StreamHeartbeat
from transport.messages.reports import DRIFT_LABELS_LIMIT
from transport.mirror import HostMirror, Mirror

PENDING_LIMIT = 10_000
"""How many report frames wait for their events before the comparison is given up."""


class Drift(Struct, frozen=True):
    """The launcher's view and the pool differ, as of a report.

    Attributes:
        missing: labels in the pool that the launcher does not have there.
        surplus: labels that only the launcher has there.
    """

    at_sequence: int
    missing: tuple[str, ...]
    surplus: tuple[str, ...]


class _PoolChanges(Struct, frozen=True):
    """What the pool did until the end of one report frame: labels, and whether they are in it."""

    end: int
    changes: tuple[tuple[str, bool], ...]


class DriftWatch:
    """One epoch's comparison.

    Args:
        host, epoch: whose events count.
        codec: knows the event types.

    Attributes:
        comparing: it has a base, and has missed nothing since.
        wants_registration: it missed something, and needs a new base.
        compared: at how many events the pools were compared.
        faults: bad frames of the stream, by kind.
    """

    def __init__(self, host: str, epoch: str, codec: Codec) -> None:
        self.comparing = False
        self.wants_registration = False
        self.compared = 0
        self.faults = FaultCounts()
        self._host = host
        self._epoch = epoch
        self._codec = codec
        self._stream = codec.family(STREAM)
        self._position: tuple[str, int] | None = None
        self._base = 0
        self._made = 0
        self._mirror = Mirror()
        self._view: dict[str, None] = {}
        self._own: set[str] = set()
        self._differing: set[str] = set()
        self._told: set[str] = set()
        self._unstamped: list[tuple[str, bool]] = []
        self._pending: deque[_PoolChanges] = deque()

    # --- the host's side ------------------------------------------------------------------------

    def rebase(self, sequence: int, pool: Iterable[str]) -> None:
        """Begin anew: the host registers, with this pool as of this report."""
        mirror = HostMirror(self._host, self._epoch, 0, pool=dict.fromkeys(pool))
        self._mirror.hosts = {self._host: mirror}
        self._view = mirror.pool
        self._own = set(mirror.pool)
        self._forget_pending()
        self._base = self._made = sequence
        self.comparing = True
        self.wants_registration = False

    def pool_changed(self, label: str, in_pool: bool) -> None:  # noqa: FBT001 - a label's place
        """Note that a window came into the pool, or left it."""
        if self.comparing:
            self._unstamped.append((label, in_pool))

    def frame_ended(self, sequence: int) -> None:
        """Note that a report frame ends here, which tells of all changes up to now."""
        self._made = sequence
        if not self.comparing:
            return
        if len(self._pending) >= PENDING_LIMIT:
            self._give_up()
            return
        self._pending.append(_PoolChanges(sequence, tuple(self._unstamped)))
        self._unstamped.clear()

    # --- the launcher's side --------------------------------------------------------------------

    def receive(self, frame: bytes) -> list[Drift]:
        """Take one frame of the event stream; give what differs and was not told before."""
        try:
            message = decode(frame, self._stream)
            if isinstance(message, StreamHeartbeat):
                self._follow(message.log, message.last + 1, 0)
                return self._take_unreported()
            if isinstance(message, Events):
                self._follow(message.log, message.first, len(message.events))
                return self._take_all(message.events)
        except FrameError as error:
            self.faults[error.fault] += 1
            self._give_up()
        return []

    def _follow(self, log: str, first: int, count: int) -> None:
        # Whatever was missed came of reports up to the last one made: none after the base, no harm.
        if (log, first) != self._position and self._made > self._base:
            self._give_up()
        self._position = (log, first + count)

    def _take_all(self, events: list[Any]) -> list[Drift]:
        drifts: list[Drift] = []
        for raw in events:
            sequence = self._own_sequence(raw) if self.comparing else 0
            if sequence > self._base and self._take(self._codec.decode_event(raw), sequence):
                drifts.extend(self._compare(sequence))
        return drifts

    def _take_unreported(self) -> list[Drift]:
        """Compare while nothing happens: what the pool did without a report never gets an event."""
        if self._pending or not self._unstamped:
            return []
        self._apply(self._unstamped)
        self._unstamped.clear()
        return list(self._compare(self._made))

    def _own_sequence(self, raw: Any) -> int:
        """Give the number of the report that an event came of; 0 if it was none of this epoch."""
        if type(raw) is dict:
            match raw.get("origin"):
                case [self._host, self._epoch, int(sequence)]:
                    return sequence
            return 0
        origin = getattr(raw, "origin", None)
        if origin is None or origin.epoch != self._epoch or origin.host != self._host:
            return 0
        number: int = origin.sequence
        return number

    def _take(self, event: Recorded, sequence: int) -> bool:
        """Apply an event; say whether its report ends a frame, where the pools can be compared."""
        self._mirror.apply(event)
        label = getattr(event, "label", None)
        if label is not None:
            self._look_at(label)
        end = 0
        while self._pending and self._pending[0].end <= sequence:
            changed = self._pending.popleft()
            end = changed.end
            self._apply(changed.changes)
        return end == sequence

    def _apply(self, changes: Iterable[tuple[str, bool]]) -> None:
        for label, in_pool in changes:
            (self._own.add if in_pool else self._own.discard)(label)
            self._look_at(label)

    def _compare(self, sequence: int) -> Iterator[Drift]:
        self.compared += 1
        untold = self._differing - self._told if self._differing else None
        if not untold:
            return
        self._told |= untold
        missing = sorted(label for label in self._differing if label in self._own)
        surplus = sorted(label for label in self._differing if label in self._view)
        yield Drift(
            sequence, tuple(missing[:DRIFT_LABELS_LIMIT]), tuple(surplus[:DRIFT_LABELS_LIMIT])
        )

    def _look_at(self, label: str) -> None:
        if (label in self._view) != (label in self._own):
            self._differing.add(label)
        else:
            self._differing.discard(label)

    def _give_up(self) -> None:
        self.comparing = False
        self.wants_registration = True
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._differing.clear()
        self._told.clear()
        self._unstamped.clear()
        self._pending.clear()
