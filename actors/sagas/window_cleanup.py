"""The saga that cleans up after a window that a user closed."""

from enum import Enum, auto
from typing import ClassVar, Self

from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from transport.messages import (
    DrainPoolIfLast,
    Event,
    PanesReaped,
    PoolDrained,
    PoolNotLast,
    ReapPanes,
    WindowClosed,
)


class CleanupPhase(Enum):
    """How far a clean-up is."""

    INITIAL = auto()
    WAITING_FOR_PANES = auto()
    WAITING_FOR_POOL = auto()
    CLEAN = auto()


class WindowCleanupCascade(Saga):
    """Reaps the closed window's panes, then empties the pool if it was the last window."""

    name: ClassVar[str] = "window_cleanup_cascade"
    timeout: ClassVar[float] = 30.0
    triggers: ClassVar[tuple[type[Event], ...]] = (WindowClosed,)

    def __init__(self, closed_label: str) -> None:
        self.closed_label = closed_label
        self.phase = CleanupPhase.INITIAL

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start one for every window that a user closed; none for one that crashed."""
        match event:
            case WindowClosed(label=label, crash_detected=False):
                return cls(label)
            case _:
                return None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the label that was closed."""
        return {"closed_label": self.closed_label}

    def start(self, context: SagaContext) -> SagaAction:
        """Have the panes reaped."""
        del context
        self.phase = CleanupPhase.WAITING_FOR_PANES
        return IssueCmd(Target.HOST, ReapPanes(label=self.closed_label))

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Go on at the next step's own outcome; wait at a wrong phase, label or id."""
        if event.saga_id != context.saga_id:
            return Wait()
        match self.phase, event:
            case CleanupPhase.WAITING_FOR_PANES, PanesReaped(label=self.closed_label):
                self.phase = CleanupPhase.WAITING_FOR_POOL
                return IssueCmd(Target.HOST, DrainPoolIfLast(label=self.closed_label))
            case CleanupPhase.WAITING_FOR_POOL, PoolDrained(label=self.closed_label):
                self.phase = CleanupPhase.CLEAN
                return Done("drained")
            case CleanupPhase.WAITING_FOR_POOL, PoolNotLast(label=self.closed_label):
                self.phase = CleanupPhase.CLEAN
                return Done("not_last")
            case _:
                return Wait()
