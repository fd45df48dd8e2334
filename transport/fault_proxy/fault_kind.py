"""What a relay can do to a link, and in which direction."""

from enum import Enum, StrEnum, auto


class Direction(Enum):
    """One way through a relay."""

    UP = auto()
    """From the client that connected to the target."""

    DOWN = auto()
    """From the target to the client."""


class FaultKind(StrEnum):
    """What happened to a link; the counts are by these.

    `DELAY`, `SILENCE`, `THROTTLE` and `CUT` last, and count once for each order, when it first
    hits something. The others count each frame, message or connection that was hit.
    """

    DELAY = auto()
    """Bytes were delivered late."""

    SILENCE = auto()
    """Bytes were held in one direction while the connection stayed up."""

    THROTTLE = auto()
    """Bytes had to wait for those before them."""

    CUT = auto()
    """Connections were ended or refused."""

    DROP = auto()
    """A connection was ended at both sides."""

    CORRUPT = auto()
    """A frame was spoiled: it is no message any more."""

    BREAK_FRAMING = auto()
    """The framing between messages was spoiled: the receiver gives the connection up."""

    DUPLICATE = auto()
    """A message was delivered twice."""
