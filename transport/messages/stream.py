"""What the launcher publishes: blobs of events, and the stream's heartbeat."""

from typing import Annotated, Any

from msgspec import Meta

from transport.messages.base import LogId, Message, Text, Version


class Events(Message, frozen=True, kw_only=True, gc=True):
    """A blob: one pass's events, encoded once. It is the journal's row and the replay's frame too.

    Each element of `events` is an event's map; their versions run from `first` without gaps.
    `Codec.decode_events` makes the objects.
    """

    log: LogId
    first: Annotated[int, Meta(ge=1, le=2**62)]
    events: Annotated[list[Any], Meta(min_length=1)]


class StreamHeartbeat(Message, frozen=True, kw_only=True):
    """Published once a heartbeat interval: how far the stream is.

    Attributes:
        last: version of the last event published; 0 before the first.
        status: `ok`, or `log unavailable: ` and why.
    """

    log: LogId
    last: Version
    status: Text = "ok"
