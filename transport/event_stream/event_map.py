"""An event as the map that it is on the wire."""

from typing import Any

from transport.codec import as_map
from transport.messages import OpaqueEvent, Recorded


def event_map(event: Recorded) -> dict[str, Any]:
    """Give an event's map; an opaque event's is the one it came as."""
    return event.fields if isinstance(event, OpaqueEvent) else as_map(event)
