"""Holds a bracket's events back until it closes: an observer shows one consistent change."""

from transport.event_stream.items import Batch
from transport.event_stream.open_groups import BracketGroup, OpenGroup, OpenGroups
from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded


class BracketBuffer:
    """Turns batches into bracket groups and single events.

    An event of no open bracket is released at once and in order: also one whose bracket began
    before the observer joined.
    """

    def __init__(self) -> None:
        self._groups = OpenGroups()

    @property
    def open_groups(self) -> tuple[OpenGroup, ...]:
        """The groups that wait for their terminal, oldest first."""
        return self._groups.groups()

    def feed(self, batch: Batch) -> list[BracketGroup | Recorded]:
        """Take a batch; give what is complete, a group at the place of its terminal."""
        return self._groups.take(batch.events)

    def feed_snapshot(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot: its open groups wait; what waited before is in its mirror."""
        self._groups = OpenGroups(snapshot.groups.groups())

    def reset(self) -> None:
        """Begin anew, as a new history does."""
        self._groups = OpenGroups()
