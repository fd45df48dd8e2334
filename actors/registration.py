"""What a host's registration and inventory mean: the events that make the mirror true again."""

from collections.abc import Iterator, Sequence
from itertools import islice

from actors.launcher_link import COMPARED_LABELS, Comparison, Inventory
from actors.reducer import SettledStep
from actors.state import State
from transport.labels import window_number
from transport.messages import (
    CommandIdentity,
    Event,
    InventoryWindow,
    Origin,
    Place,
    PoolWindowAdded,
    PoolWindowRemoved,
    WindowClosed,
    WindowOpened,
)
from transport.mirror import HostMirror


def inventory_events(
    state: State, mirror: HostMirror, inventory: Inventory
) -> tuple[list[Event], list[SettledStep]]:
    """Give the differences between the mirror and what the host has, as `reconciled` events.

    A window that a pending step asked for, and whose report never came, settles that step, also if
    a user has it by now: it was in the pool before. A label that is not of the host's epoch, or
    that is closed for ever, is no window.
    """
    origin = Origin(mirror.host, mirror.epoch, inventory.as_of)
    events = list(_gone(mirror, {window.label for window in inventory.windows}, origin))
    settled: dict[int, SettledStep] = {}
    for window in inventory.windows:
        label, place = window.label, mirror.place_of(window.label)
        foreign = window_number(label, mirror.epoch) is None
        if place == window.place or foreign or mirror.was_closed(label):
            continue
        saga_id = _asked_by(state, mirror, window.identity) if place is None else None
        if saga_id in settled:
            saga_id = None
        if saga_id is not None:
            settled[saga_id] = SettledStep(saga_id, None)
        events.extend(_moved(window, place, saga_id, origin))
    return events, list(settled.values())


def _moved(
    window: InventoryWindow, place: Place | None, saga_id: int | None, origin: Origin
) -> Iterator[Event]:
    """Give what brings a window from where the mirror has it to where it is."""
    label = window.label
    if window.place == "pool" or saga_id is not None:
        yield PoolWindowAdded(label=label, saga_id=saga_id, origin=origin, reconciled=True)
    if window.place == "open":
        if place == "pool" or saga_id is not None:
            yield PoolWindowRemoved(label=label, reason="promoted", origin=origin, reconciled=True)
        yield WindowOpened(label=label, origin=origin, reconciled=True)


def comparison(events: Sequence[Event], as_of: int, at: int) -> Comparison:
    """Give what a comparison found, from the events that make the mirror right."""
    labels = dict.fromkeys(str(getattr(event, "label", "")) for event in events)
    return Comparison(as_of, at, len(labels), tuple(islice(labels, COMPARED_LABELS)))


def _asked_by(state: State, mirror: HostMirror, identity: CommandIdentity | None) -> int | None:
    if identity is None or identity.log != state.log_id:
        return None
    saga = state.sagas.get(identity.saga_id)
    if saga is None or saga.step is None or saga.step.index != identity.step:
        return None
    asked = saga.destination == (mirror.host, mirror.epoch)
    return saga.saga_id if asked and "ReportPoolWindowAdded" in saga.step.outcomes else None


def _gone(mirror: HostMirror, present: set[str], origin: Origin) -> Iterator[Event]:
    for label in mirror.pool:
        if label not in present:
            yield PoolWindowRemoved(label=label, reason="died", origin=origin, reconciled=True)
    for label in mirror.opened:
        if label not in present:
            yield WindowClosed(label=label, crash_detected=True, origin=origin, reconciled=True)


def farewell_events(mirror: HostMirror, *, crash_detected: bool) -> list[Event]:
    """Give the ends of all windows of an epoch that is over."""
    origin = Origin(mirror.host, mirror.epoch, mirror.sequence)
    events: list[Event] = [
        PoolWindowRemoved(
            label=label,
            reason="died" if crash_detected else "drained",
            origin=origin,
            reconciled=True,
        )
        for label in mirror.pool
    ]
    events.extend(
        WindowClosed(label=label, crash_detected=crash_detected, origin=origin, reconciled=True)
        for label in mirror.opened
    )
    return events
