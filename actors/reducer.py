"""How reports become events: pure, total, deterministic.

`update(state, frame)` reads the state and gives events, or a `Contradiction`; it changes nothing.
The reports of one frame are judged one after another, each knowing what those before it did, and
the whole frame is refused if one of them contradicts what is true.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from actors.report_context import Contradiction, ReportContext
from actors.state import OpenSaga, State
from actors.window_reports import WINDOW_ARMS, FrameView, WindowArm
from transport.codec import encode
from transport.frame_fault import FrameFault
from transport.messages import (
    Command,
    Event,
    Origin,
    Report,
    ReportActionFailed,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolNotLast,
    Role,
)

_SETTLING: frozenset[type[Report]] = frozenset(
    (ReportActionFailed, ReportPanesReaped, ReportPoolDrained, ReportPoolNotLast)
)
"""Reports that only ever settle a command."""

__all__ = [
    "Contradiction",
    "Reduced",
    "Reducer",
    "ReportArm",
    "ReportContext",
    "ReportFrame",
    "SelfHandler",
    "SettledStep",
]

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
        taken_over = self._arms.keys() - {ReportActionFailed}
        core = {kind: arm for kind, arm in WINDOW_ARMS.items() if kind not in taken_over}
        self._core_arms: dict[Role, dict[type[Report], WindowArm]] = {
            "host": core,
            "service": {ReportActionFailed: core[ReportActionFailed]},
        }
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
        events: list[Event] = []
        settled: list[SettledStep] = []
        view = FrameView(state.mirror.hosts.get(frame.host), frame.epoch)
        arms = self._core_arms[frame.role]
        try:
            for sequence, report in enumerate(frame.reports, frame.sequence):
                kind = type(report)
                saga_id = None
                if report.identity is not None:
                    saga_id = _settle(state, frame, report, settled)
                elif kind in _SETTLING:
                    detail = f"{kind.__name__} settles nothing without an identity"
                    raise Contradiction(detail)  # noqa: TRY301 - as its arm would
                context = ReportContext(Origin(frame.host, frame.epoch, sequence), saga_id)
                arm = arms.get(kind)
                if arm is not None:
                    events.append(arm(view, report, context))
                else:
                    events.extend(self._extension_events(state, frame.role, report, context))
            if view.removed_by:
                view.require_whole_promotes()
        except Contradiction as contradiction:
            return contradiction
        return Reduced(events, settled)

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

    def _extension_events(
        self, state: State, role: Role, report: Report, context: ReportContext
    ) -> Sequence[Event]:
        kind = type(report)
        arm = self._arms.get(kind)
        if arm is not None:
            return _publishable(arm(state, report, context))
        if role == "service":
            detail = f"a service may not send {kind.__name__}"
            raise Contradiction(detail, FrameFault.WRONG_ROLE)
        detail = f"no reducer arm for {kind.__name__}"
        raise Contradiction(detail)


def _publishable(events: Sequence[Event]) -> Sequence[Event]:
    for event in events:
        size = len(encode(event))
        if size > EVENT_LIMIT:
            detail = f"{type(event).__name__} is {size} bytes; an event has at most {EVENT_LIMIT}"
            raise Contradiction(detail, FrameFault.TOO_LARGE)
    return events


def _settle(
    state: State, frame: ReportFrame, report: Report, settled: list[SettledStep]
) -> int | None:
    """Note that a report settles a step, if it does; give the id of the step's saga."""
    saga = _settled_saga(state, frame, report)
    if saga is None:
        return None
    if settled and any(saga.saga_id == each.saga_id for each in settled):
        detail = f"step {len(saga.issued) - 1} of saga {saga.saga_id} settled twice"
        raise Contradiction(detail)
    failure = report.reason if isinstance(report, ReportActionFailed) else None
    settled.append(SettledStep(saga.saga_id, failure))
    return saga.saga_id


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
