"""What an observer is handed, in order."""

from msgspec import Struct

from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded


class Batch(Struct, frozen=True):
    """The events of one blob that are new, their versions rising by one.

    Attributes:
        at_ns: when the frame that brought them was received, on the observer's clock.
    """

    events: tuple[Recorded, ...]
    at_ns: int = 0


class Truncated(Struct, frozen=True):
    """History before version `before` cannot be had; the snapshot is what it led to.

    It takes the place of everything handed over so far, and the next event is `before`.

    Attributes:
        at_ns: when its last page was received, on the observer's clock.
    """

    before: int
    snapshot: Snapshot
    at_ns: int = 0


class NewHistory(Struct, frozen=True):
    """The launcher has another log: versions and saga ids begin anew. `log`: the new log's id."""

    log: str


class CaughtUp(Struct, frozen=True):
    """Everything up to `version` was handed over; what comes now is live."""

    version: int


Item = Batch | Truncated | NewHistory | CaughtUp
"""Anything that an observer is handed."""
