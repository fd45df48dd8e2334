"""A saga that simulated systems run beside the core's: it does what none of those does.

It is given several events for one report, waits at most of them, and counts them: so its result
tells whether a saga that was made anew has had every event that it ever had.
"""

from collections.abc import Sequence
from typing import ClassVar, Self

from actors.launcher_extension import LauncherExtension
from actors.reducer import ReportContext
from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from actors.state import State
from host_sim.extension import HostExtension
from transport.checker import Ending
from transport.labels import window_number
from transport.message_types import MessageTypes
from transport.messages import Command, Event, Report, WindowOpened
from transport.messages.base import Label

EVERY = 4
"""Each so many windows of an epoch, one is inspected."""

ROUNDS = 3
PANES = 2
"""How often a window is inspected, and how many panes are seen each time."""


class InspectWindow(Command, frozen=True, kw_only=True):
    """To the host: look at window `label`."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportWindowInspected",)
    label: Label


class ReportWindowInspected(Report, frozen=True, kw_only=True):
    """The host has looked."""

    label: Label


class PaneSeen(Event, frozen=True, kw_only=True):
    """Window `label` has one more pane."""

    label: Label


class WindowInspected(Event, frozen=True, kw_only=True):
    """Every pane of window `label` was seen."""

    label: Label


class WindowInspection(Saga):
    """Has a window inspected a few times, and counts the panes that were seen."""

    name: ClassVar[str] = "window_inspection"
    timeout: ClassVar[float] = 10.0
    triggers: ClassVar[tuple[type[Event], ...]] = (WindowOpened,)

    def __init__(self, label: str) -> None:
        self.label = label
        self.rounds = 0
        self.panes = 0

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start one for some of the windows that open."""
        if not isinstance(event, WindowOpened) or event.origin is None:
            return None
        number = window_number(event.label, event.origin.epoch)
        return cls(event.label) if number is not None and number % EVERY == 0 else None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the window's label."""
        return {"label": self.label}

    def start(self, context: SagaContext) -> SagaAction:
        """Have it inspected."""
        del context
        return self._inspect()

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Count panes, and have it inspected again until it was often enough."""
        match event:
            case PaneSeen(saga_id=context.saga_id):
                self.panes += 1
                return Wait()
            case WindowInspected(saga_id=context.saga_id):
                self.rounds += 1
                return Done(str(self.panes)) if self.rounds == ROUNDS else self._inspect()
            case _:
                return Wait()

    def _inspect(self) -> SagaAction:
        return IssueCmd(Target.HOST, InspectWindow(label=self.label))


def window_inspected(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    """Turn the host's report into its events."""
    del state
    assert isinstance(report, ReportWindowInspected)  # noqa: S101 - the arm of this report
    label, saga_id, origin = report.label, context.saga_id, context.origin
    seen = PaneSeen(label=label, saga_id=saga_id, origin=origin)
    return (*(seen,) * PANES, WindowInspected(label=label, saga_id=saga_id, origin=origin))


def inspect_window(command: Command) -> Sequence[Report]:
    """Look at it."""
    assert isinstance(command, InspectWindow)  # noqa: S101 - the handler of this command
    return (ReportWindowInspected(label=command.label),)


ONE_ROUND = (*("PaneSeen",) * PANES, "WindowInspected")
ENDING = Ending("window_inspection", str(ROUNDS * PANES), ONE_ROUND * ROUNDS)
"""All that one may come to."""

MESSAGES = MessageTypes(
    commands=(InspectWindow,),
    reports=(ReportWindowInspected,),
    events=(PaneSeen, WindowInspected),
)
LAUNCHER = LauncherExtension(
    sagas=(WindowInspection,), arms={ReportWindowInspected: window_inspected}
)
HOST = HostExtension(handlers={InspectWindow: inspect_window})
