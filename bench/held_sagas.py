"""An extension whose sagas stay open: what is in flight while something else is measured.

A host named `holder-N` makes N of them start, a few at a time, as soon as it is registered. Each
has a step carried out by that host and then waits, for longer than any benchmark takes.
"""

from collections.abc import Sequence
from typing import ClassVar, Self

from actors.launcher_extension import LauncherExtension
from actors.reducer import ReportContext
from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from actors.state import State
from host_sim.extension import HostExtension
from transport.message_types import MessageTypes
from transport.messages import Command, Event, HostRegistered, Report
from transport.messages.base import Count

HOLDER = "holder-"
AT_ONCE = 32
"""How many are started in one pass: a host's queue takes 64 new steps."""

LONG = 7 * 24 * 3600.0


def holder(count: int) -> str:
    """Give the name of the host that has so many sagas started."""
    return f"{HOLDER}{count}"


class HoldSagas(Command, frozen=True, kw_only=True):
    """To the holder: report that so many sagas are to start."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportSagasHeld",)
    count: Count


class HoldStep(Command, frozen=True, kw_only=True):
    """To the holder: the one step of a saga that stays open."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportStepHeld",)


class ReportSagaHeld(Report, frozen=True, kw_only=True):
    """A saga is to start."""


class ReportSagasHeld(Report, frozen=True, kw_only=True):
    """That were all of one command."""


class ReportStepHeld(Report, frozen=True, kw_only=True):
    """The step was carried out."""


class SagaHeld(Event, frozen=True, kw_only=True):
    """A saga is to start that stays open. Triggers `held`."""


class SagasHeld(Event, frozen=True, kw_only=True):
    """That were all of one command."""


class StepHeld(Event, frozen=True, kw_only=True):
    """The step was carried out."""


class HoldingSaga(Saga):
    """Has sagas started until there are enough. `left`: how many are missing."""

    name: ClassVar[str] = "holding"
    timeout: ClassVar[float] = LONG
    triggers: ClassVar[tuple[type[Event], ...]] = (HostRegistered,)

    def __init__(self, left: int) -> None:
        self.left = left

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start when a holder registers."""
        host = event.origin.host if event.origin is not None else ""
        return cls(int(host.removeprefix(HOLDER))) if host.startswith(HOLDER) else None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give how many are missing."""
        return {"left": self.left}

    def start(self, context: SagaContext) -> SagaAction:
        """Have the first ones started."""
        del context
        return IssueCmd(Target.HOST, HoldSagas(count=min(AT_ONCE, self.left)))

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Have the next ones started, or be done."""
        if not isinstance(event, SagasHeld):
            return Wait()
        self.left -= min(AT_ONCE, self.left)
        return self.start(context) if self.left else Done("held")


class HeldSaga(Saga):
    """Has its one step carried out, and waits."""

    name: ClassVar[str] = "held"
    timeout: ClassVar[float] = LONG
    triggers: ClassVar[tuple[type[Event], ...]] = (SagaHeld,)

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start one for each report."""
        return cls() if isinstance(event, SagaHeld) else None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give nothing."""
        return {}

    def start(self, context: SagaContext) -> SagaAction:
        """Have the step carried out."""
        del context
        return IssueCmd(Target.HOST, HoldStep())

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Wait for ever."""
        del event, context
        return Wait()


def _saga_held(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    del state, report
    return (SagaHeld(origin=context.origin),)


def _sagas_held(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    del state, report
    return (SagasHeld(saga_id=context.saga_id, origin=context.origin),)


def _step_held(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    del state, report
    return (StepHeld(saga_id=context.saga_id, origin=context.origin),)


def _hold_sagas(command: Command) -> Sequence[Report]:
    assert isinstance(command, HoldSagas)  # noqa: S101 - the handler of this command
    return (*(ReportSagaHeld() for _ in range(command.count)), ReportSagasHeld())


def _hold_step(command: Command) -> Sequence[Report]:
    del command
    return (ReportStepHeld(),)


MESSAGES = MessageTypes(
    commands=(HoldSagas, HoldStep),
    reports=(ReportSagaHeld, ReportSagasHeld, ReportStepHeld),
    events=(SagaHeld, SagasHeld, StepHeld),
)
LAUNCHER = LauncherExtension(
    sagas=(HoldingSaga, HeldSaga),
    arms={
        ReportSagaHeld: _saga_held,
        ReportSagasHeld: _sagas_held,
        ReportStepHeld: _step_held,
    },
)
HOST = HostExtension(handlers={HoldSagas: _hold_sagas, HoldStep: _hold_step})
