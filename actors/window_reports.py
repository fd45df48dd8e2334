"""What a host's reports of its windows mean: the core's arms of the reducer."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.report_context import Contradiction, ReportContext
from transport.labels import window_number
from transport.messages import (
    ActionFailed,
    Event,
    PanesReaped,
    Place,
    PoolDrained,
    PoolDriftReported,
    PoolNotLast,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    Report,
    ReportActionFailed,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolDrift,
    ReportPoolNotLast,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    ReportWindowClosed,
    ReportWindowOpened,
    WindowClosed,
    WindowOpened,
)
from transport.mirror import HostMirror


class FrameView:
    """A host's windows as one frame's reports so far leave them.

    Args:
        mirror: the windows before the frame; None for a host that is not known.
        epoch: of the frame's sender.

    Attributes:
        removed_by: the promote's id, by label of the window that it took out of the pool.
        promoted: labels of those that were reported as promoted.

    Raises (every `require`):
        Contradiction: it is not so; says how it is.
    """

    def __init__(self, mirror: HostMirror | None, epoch: str) -> None:
        self.epoch = epoch
        self.removed_by: dict[str, str] = {}
        self.promoted: set[str] = set()
        self._mirror = mirror
        self._moved: dict[str, Place | None] = {}
        self._closed: set[str] = set()

    def place_of(self, label: str) -> Place | None:
        """Say where a window is, or None if it is not there."""
        if label in self._moved:
            return self._moved[label]
        return self._mirror.place_of(label) if self._mirror is not None else None

    def move(self, label: str, place: Place | None) -> None:
        """Put a window somewhere."""
        self._moved[label] = place

    def close(self, label: str) -> None:
        """Take a window away for ever."""
        self._moved[label] = None
        self._closed.add(label)

    def require(self, label: str, place: Place, what: str) -> None:
        """Make sure that a window is in a place; `what` needs it there."""
        if self.place_of(label) != place:
            where = self.place_of(label) or "nowhere"
            detail = f"{what} of {label!r}, which is {where}, not in place {place!r}"
            raise Contradiction(detail)

    def require_empty_pool(self) -> None:
        """Make sure that no window is in the pool."""
        pool = self._mirror.pool if self._mirror is not None else {}
        left = next((each for each in (*pool, *self._moved) if self.place_of(each) == "pool"), None)
        if left is not None:
            detail = f"a drained pool that still has {left!r}"
            raise Contradiction(detail)

    def require_whole_promotes(self) -> None:
        """Make sure that each promote of the frame has all its reports in it."""
        for label, promote_id in self.removed_by.items():
            if label not in self.promoted or self.place_of(label) != "open":
                detail = f"promote {promote_id!r} of {label!r} without its three reports"
                raise Contradiction(detail)

    def require_new(self, label: str, what: str) -> None:
        """Make sure that a label is of this epoch, and of no window that is closed for ever."""
        number = window_number(label, self.epoch)
        if number is None:
            detail = f"{what} of {label!r}, which is no label of this epoch"
            raise Contradiction(detail)
        gone = self._mirror is not None and number in self._mirror.closed
        if gone or label in self._closed:
            detail = f"{what} of {label!r}, which is closed for ever"
            raise Contradiction(detail)


def _added(view: FrameView, report: Any, context: ReportContext) -> Event:
    label = report.label
    view.require_new(label, "an add")
    place = view.place_of(label)
    if place == "pool":
        detail = f"an add of {label!r}, which is in the pool"
        raise Contradiction(detail)
    if report.identity is None and place != "open":
        detail = f"an organic add of {label!r}, which no user had"
        raise Contradiction(detail)
    view.move(label, "pool")
    return PoolWindowAdded(label=label, saga_id=context.saga_id, origin=context.origin)


def _removed(view: FrameView, report: Any, context: ReportContext) -> Event:
    label, reason, promote_id = report.label, report.reason, report.promote_id
    view.require(label, "pool", "a removal")
    if (reason == "promoted") != (promote_id is not None):
        detail = f"a removal of {label!r} as {reason!r} with promote id {promote_id!r}"
        raise Contradiction(detail)
    if promote_id is None:
        view.close(label)
    else:
        view.move(label, None)
        view.removed_by[label] = promote_id
    return PoolWindowRemoved(
        label=label, reason=reason, promote_id=promote_id, origin=context.origin
    )


def _promoted(view: FrameView, report: Any, context: ReportContext) -> Event:
    label, promote_id = report.label, report.promote_id
    if view.removed_by.get(label) != promote_id or label in view.promoted:
        detail = f"a promote of {label!r} that this frame did not remove as {promote_id!r}"
        raise Contradiction(detail)
    view.promoted.add(label)
    return PoolWindowPromoted(label=label, promote_id=promote_id, origin=context.origin)


def _opened(view: FrameView, report: Any, context: ReportContext) -> Event:
    label, promote_id, cold = report.label, report.promote_id, report.cold
    view.require_new(label, "an opening")
    expected = None if cold else promote_id
    if view.place_of(label) is not None or view.removed_by.get(label) != expected:
        detail = f"an opening of {label!r} (cold: {cold}), which is not on its way there"
        raise Contradiction(detail)
    view.move(label, "open")
    return WindowOpened(label=label, promote_id=promote_id, cold=cold, origin=context.origin)


def _closed(view: FrameView, report: Any, context: ReportContext) -> Event:
    view.require(report.label, "open", "a close")
    view.close(report.label)
    return WindowClosed(
        label=report.label, crash_detected=report.crash_detected, origin=context.origin
    )


def _reaped(view: FrameView, report: Any, context: ReportContext) -> Event:
    del view
    return PanesReaped(label=report.label, saga_id=context.saga_id, origin=context.origin)


def _drained(view: FrameView, report: Any, context: ReportContext) -> Event:
    view.require_empty_pool()
    return PoolDrained(label=report.label, saga_id=context.saga_id, origin=context.origin)


def _not_last(view: FrameView, report: Any, context: ReportContext) -> Event:
    del view
    return PoolNotLast(label=report.label, saga_id=context.saga_id, origin=context.origin)


def _drifted(view: FrameView, report: Any, context: ReportContext) -> Event:
    del view
    return PoolDriftReported(
        at_sequence=report.at_sequence,
        missing=report.missing,
        surplus=report.surplus,
        origin=context.origin,
    )


def _action_failed(view: FrameView, report: Any, context: ReportContext) -> Event:
    del view
    return ActionFailed(reason=report.reason, saga_id=context.saga_id, origin=context.origin)


WindowArm = Callable[[FrameView, Any, ReportContext], Event]

WINDOW_ARMS: Mapping[type[Report], WindowArm] = {
    ReportPoolWindowAdded: _added,
    ReportPoolWindowRemoved: _removed,
    ReportPoolWindowPromoted: _promoted,
    ReportWindowOpened: _opened,
    ReportWindowClosed: _closed,
    ReportPanesReaped: _reaped,
    ReportPoolDrained: _drained,
    ReportPoolNotLast: _not_last,
    ReportPoolDrift: _drifted,
    ReportActionFailed: _action_failed,
}
"""The core's arms: the event of each report, or a `Contradiction`."""
