"""A saga's events out of the journal, by its id: they have no index of their own."""

from collections.abc import Iterable
from typing import Any

import msgpack

EVENTS_BYTES = 512 * 1024
"""About how many bytes of events one saga's story has; the rest is counted."""


def id_pattern(saga_id: int) -> bytes:
    """Give the bytes that are in every blob which has an event of a saga."""
    packed: bytes = msgpack.packb({"saga_id": saga_id})
    return packed[1:]


def with_events(
    saga: dict[str, Any],
    *,
    blobs: Iterable[bytes],
    delivered: Iterable[dict[str, Any]],
    journal_first: int,
) -> dict[str, Any]:
    """Give a saga's values with its trigger and its events, in the order of their versions.

    Args:
        saga: as `actors.saga_values.saga_values` gives it.
        blobs: those of the journal that may have an event of it.
        delivered: the maps of events that it was fed, where the log keeps them.
        journal_first: the first version that the journal still has.
    """
    saga_id, cause = saga["saga_id"], saga["cause"]
    trigger = None
    found = {each["version"]: each for each in delivered}
    for blob in blobs:
        for event in msgpack.unpackb(blob)["events"]:
            if event["saga_id"] == saga_id:
                found[event["version"]] = event
            if event["version"] == cause:
                trigger = event
    events = [found[version] for version in sorted(found)]
    shown = _bounded(events)
    return {
        **saga,
        "trigger": trigger,
        "events": shown,
        "events_left_out": len(events) - len(shown),
        "journal_first": journal_first,
    }


def _bounded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    size = 0
    for index, event in enumerate(events):
        size += len(msgpack.packb(event))
        if size > EVENTS_BYTES:
            return events[:index]
    return events
