"""How reports become events: pure, total, deterministic.

`update(state, frame)` reads the state and gives events, or a `Contradiction`; it changes nothing.
The reports of one frame are judged one after another, each knowing what those before it did, and
the whole frame is refused if one of them contradicts what is true.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from actors.state import OpenSaga, State
from transport.codec import encode
from transport.frame_fault import FrameFault
from transport.labels import window_number
from transport.messages import (
    ActionFailed,
    Command,
    Event,
    Origin,
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
    Role,
    WindowClosed,
    WindowOpened,
)
from transport.mirror import HostMirror

_SETTLING = (ReportActionFailed, ReportPanesReaped, ReportPoolDrained, ReportPoolNotLast)
"""Reports that only ever settle a command."""

EVENT_LIMIT = 64 * 1024
"""How large an extension's event may be, in bytes; the core's own are smaller by their fields."""


class ReportFrame(Struct, frozen=True):
    """The reports of one frame, and who sent them. `sequence`: of the first one."""

    host: str
    epoch: str
    role: Role
    sequence: int
    reports: Sequence[Report]


class SettledStep(Struct, frozen=True):
    """A report that settles a saga's step. `failure`: the reason, if it reports one."""

    saga_id: int
    failure: str | None


class Reduced(Struct, frozen=True):
    """What a frame means: its events, and the steps that it settles."""

    events: list[Event]
    settled: list[SettledStep]


class Contradiction(Exception):  # noqa: N818 - it is what the report does, not what fails here
    """A report says what cannot be, so its frame is refused.

    Attributes:
        fault: the kind it is counted as.
    """

    def __init__(self, detail: str, fault: FrameFault = FrameFault.CONTRADICTION) -> None:
        super().__init__(detail)
        self.fault = fault


class ReportContext(Struct, frozen=True):
    """What an arm of the reducer may know beside the state.

    Attributes:
        origin: of the events it makes.
        saga_id: the open saga whose pending step this report settles, or None.
    """

    origin: Origin
    saga_id: int | None


ReportArm = Callable[[State, Report, ReportContext], Sequence[Event]]
"""An extension's arm: gives the events of its report, or raises `Contradiction`. Pure."""

SelfHandler = Callable[[State, Command], Sequence[Event]]
"""An extension's handler of a command to `LAUNCHER_SELF`: gives its events. Pure."""


class Reducer:
    """The core's arms, and those of extensions.

    Args:
        arms: by report type.
        self_handlers: by command type.
    """

    def __init__(
        self,
        arms: Mapping[type[Report], ReportArm] | None = None,
        self_handlers: Mapping[type[Command], SelfHandler] | None = None,
    ) -> None:
        self._arms = dict(arms or {})
        self._self_handlers = dict(self_handlers or {})

    def extended(
        self,
        arms: Mapping[type[Report], ReportArm],
        self_handlers: Mapping[type[Command], SelfHandler],
    ) -> "Reducer":
        """Give a reducer with an extension's arms and handlers too."""
        return Reducer({**self._arms, **arms}, {**self._self_handlers, **self_handlers})

    def update(self, state: State, frame: ReportFrame) -> Reduced | Contradiction:
        """Give what a frame means, or how it contradicts what is true."""
        reduced = Reduced([], [])
        view = _FrameView(state.mirror.hosts.get(frame.host), frame)
        try:
            for sequence, report in enumerate(frame.reports, frame.sequence):
                saga = _settled_saga(state, frame, report)
                if saga is not None:
                    if any(saga.saga_id == each.saga_id for each in reduced.settled):
                        detail = f"step {len(saga.issued) - 1} of saga {saga.saga_id} settled twice"
                        raise Contradiction(detail)  # noqa: TRY301
                    failure = report.reason if isinstance(report, ReportActionFailed) else None
                    reduced.settled.append(SettledStep(saga.saga_id, failure))
                context = ReportContext(
                    Origin(frame.host, frame.epoch, sequence), saga.saga_id if saga else None
                )
                reduced.events.extend(self._events_of(state, view, report, context))
            view.require_whole_promotes()
        except Contradiction as contradiction:
            return contradiction
        return reduced

    def awaiting(self, state: State, frame: ReportFrame) -> list[int]:
        """Give the sagas that wait for a report of this frame."""
        found = []
        for report in frame.reports:
            with suppress(Contradiction):
                saga = _settled_saga(state, frame, report)
                if saga is not None:
                    found.append(saga.saga_id)
        return found

    def update_self(self, state: State, command: Command) -> Sequence[Event]:
        """Give the events of a command to `LAUNCHER_SELF`.

        Raises:
            LookupError: no extension handles this command type; names it.
        """
        handler = self._self_handlers.get(type(command))
        if handler is None:
            msg = f"no handler for {type(command).__name__} in the launcher"
            raise LookupError(msg)
        return _publishable(handler(state, command))

    def _events_of(
        self, state: State, view: "_FrameView", report: Report, context: ReportContext
    ) -> Sequence[Event]:
        if isinstance(report, _SETTLING) and report.identity is None:
            detail = f"{type(report).__name__} settles nothing without an identity"
            raise Contradiction(detail)
        if isinstance(report, ReportActionFailed):
            return (
                ActionFailed(reason=report.reason, saga_id=context.saga_id, origin=context.origin),
            )
        arm = self._arms.get(type(report))
        if view.frame.role == "service" and arm is None:
            detail = f"a service may not send {type(report).__name__}"
            raise Contradiction(detail, FrameFault.WRONG_ROLE)
        if arm is not None:
            return _publishable(arm(state, report, context))
        return (_window_event(view, report, context),)


def _publishable(events: Sequence[Event]) -> Sequence[Event]:
    for event in events:
        size = len(encode(event))
        if size > EVENT_LIMIT:
            detail = f"{type(event).__name__} is {size} bytes; an event has at most {EVENT_LIMIT}"
            raise Contradiction(detail, FrameFault.TOO_LARGE)
    return events


def _settled_saga(state: State, frame: ReportFrame, report: Report) -> OpenSaga | None:
    identity = report.identity
    if identity is None or identity.log != state.log_id:
        return None
    saga = state.sagas.get(identity.saga_id)
    if saga is None:
        if identity.saga_id >= state.next_saga_id:
            detail = f"saga {identity.saga_id} was never started"
            raise Contradiction(detail, FrameFault.FOREIGN_SAGA)
        return None
    step = saga.step
    if step is None or step.index != identity.step:
        if identity.step >= len(saga.issued):
            detail = f"saga {saga.saga_id} never issued step {identity.step}"
            raise Contradiction(detail, FrameFault.FOREIGN_SAGA)
        return None
    if not _is_destination(state, saga, frame):
        detail = f"step {step.index} of saga {saga.saga_id} was not sent to {frame.host}"
        raise Contradiction(detail, FrameFault.FOREIGN_SAGA)
    name = type(report).__name__
    if name not in step.outcomes and not isinstance(report, ReportActionFailed):
        detail = f"{step.command_type} is settled by {', '.join(step.outcomes)}, not by {name}"
        raise Contradiction(detail)
    return saga


def _is_destination(state: State, saga: OpenSaga, frame: ReportFrame) -> bool:
    if len(saga.destination) == 1:
        return state.services.get(saga.destination[0]) == (frame.host, frame.epoch)
    return saga.destination == (frame.host, frame.epoch)


class _FrameView:
    """A host's windows as this frame's reports so far leave them."""

    def __init__(self, mirror: HostMirror | None, frame: ReportFrame) -> None:
        self.frame = frame
        self.removed_by: dict[str, str] = {}
        self.promoted: set[str] = set()
        self._mirror = mirror
        self._moved: dict[str, Place | None] = {}
        self._closed: set[str] = set()

    def place_of(self, label: str) -> Place | None:
        if label in self._moved:
            return self._moved[label]
        return self._mirror.place_of(label) if self._mirror is not None else None

    def move(self, label: str, place: Place | None) -> None:
        self._moved[label] = place

    def close(self, label: str) -> None:
        self._moved[label] = None
        self._closed.add(label)

    def require(self, label: str, place: Place, what: str) -> None:
        if self.place_of(label) != place:
            where = self.place_of(label) or "nowhere"
            detail = f"{what} of {label!r}, which is {where}, not in place {place!r}"
            raise Contradiction(detail)

    def require_empty_pool(self) -> None:
        pool = self._mirror.pool if self._mirror is not None else {}
        left = next((each for each in (*pool, *self._moved) if self.place_of(each) == "pool"), None)
        if left is not None:
            detail = f"a drained pool that still has {left!r}"
            raise Contradiction(detail)

    def require_whole_promotes(self) -> None:
        for label, promote_id in self.removed_by.items():
            if label not in self.promoted or self.place_of(label) != "open":
                detail = f"promote {promote_id!r} of {label!r} without its three reports"
                raise Contradiction(detail)

    def require_new(self, label: str, what: str) -> None:
        number = window_number(label, self.frame.epoch)
        if number is None:
            detail = f"{what} of {label!r}, which is no label of this epoch"
            raise Contradiction(detail)
        gone = self._mirror is not None and number in self._mirror.closed
        if gone or label in self._closed:
            detail = f"{what} of {label!r}, which is closed for ever"
            raise Contradiction(detail)


def _window_event(view: _FrameView, report: Report, context: ReportContext) -> Event:
    saga_id, origin = context.saga_id, context.origin
    match report:
        case ReportPoolWindowAdded(label=label):
            view.require_new(label, "an add")
            if view.place_of(label) == "pool":
                detail = f"an add of {label!r}, which is in the pool"
                raise Contradiction(detail)
            if report.identity is None and view.place_of(label) != "open":
                detail = f"an organic add of {label!r}, which no user had"
                raise Contradiction(detail)
            view.move(label, "pool")
            return PoolWindowAdded(label=label, saga_id=saga_id, origin=origin)
        case ReportPoolWindowRemoved(label=label, reason=reason, promote_id=promote_id):
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
                label=label, reason=reason, promote_id=promote_id, origin=origin
            )
        case ReportPoolWindowPromoted(label=label, promote_id=promote_id):
            if view.removed_by.get(label) != promote_id or label in view.promoted:
                detail = f"a promote of {label!r} that this frame did not remove as {promote_id!r}"
                raise Contradiction(detail)
            view.promoted.add(label)
            return PoolWindowPromoted(label=label, promote_id=promote_id, origin=origin)
        case _:
            return _user_window_event(view, report, context)


def _user_window_event(view: _FrameView, report: Report, context: ReportContext) -> Event:
    saga_id, origin = context.saga_id, context.origin
    match report:
        case ReportWindowOpened(label=label, promote_id=promote_id, cold=cold):
            view.require_new(label, "an opening")
            expected = None if cold else promote_id
            if view.place_of(label) is not None or view.removed_by.get(label) != expected:
                detail = f"an opening of {label!r} (cold: {cold}), which is not on its way there"
                raise Contradiction(detail)
            view.move(label, "open")
            return WindowOpened(label=label, promote_id=promote_id, cold=cold, origin=origin)
        case ReportWindowClosed(label=label, crash_detected=crash_detected):
            view.require(label, "open", "a close")
            view.close(label)
            return WindowClosed(label=label, crash_detected=crash_detected, origin=origin)
        case ReportPanesReaped(label=label):
            return PanesReaped(label=label, saga_id=saga_id, origin=origin)
        case ReportPoolDrained(label=label):
            view.require_empty_pool()
            return PoolDrained(label=label, saga_id=saga_id, origin=origin)
        case ReportPoolNotLast(label=label):
            return PoolNotLast(label=label, saga_id=saga_id, origin=origin)
        case ReportPoolDrift(at_sequence=at_sequence, missing=missing, surplus=surplus):
            return PoolDriftReported(
                at_sequence=at_sequence, missing=missing, surplus=surplus, origin=origin
            )
        case _:
            detail = f"no reducer arm for {type(report).__name__}"
            raise Contradiction(detail)
