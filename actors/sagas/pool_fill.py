"""The two sagas that put one window into a pool: after a promote, and by timer."""

from enum import Enum, auto
from typing import ClassVar, Self

from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from transport.messages import Event, PoolWindowAdded, PoolWindowPromoted, SpawnPoolWindow


class FillPhase(Enum):
    """How far a fill is."""

    INITIAL = auto()
    WAITING_FOR_REFILL = auto()
    REFILLED = auto()


class PoolFill(Saga):
    """Asks the host for one pool window, and waits until that very window is in the pool."""

    timeout: ClassVar[float] = 5.0
    fills_pool: ClassVar[bool] = True

    def __init__(self) -> None:
        self.phase = FillPhase.INITIAL
        self.refilled_label: str | None = None

    def start(self, context: SagaContext) -> SagaAction:
        """Ask the host."""
        del context
        self.phase = FillPhase.WAITING_FOR_REFILL
        return IssueCmd(Target.HOST, SpawnPoolWindow())

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Be done at the add that carries this saga's id; wait at anything else."""
        match self.phase, event:
            case FillPhase.WAITING_FOR_REFILL, PoolWindowAdded(label=label, saga_id=saga_id) if (
                saga_id == context.saga_id
            ):
                self.phase = FillPhase.REFILLED
                self.refilled_label = label
                return Done(label)
            case _:
                return Wait()


class PoolRespawnOnPromote(PoolFill):
    """Refills the pool that a promote took a window from."""

    name: ClassVar[str] = "pool_respawn_on_promote"
    triggers: ClassVar[tuple[type[Event], ...]] = (PoolWindowPromoted,)

    def __init__(self, promoted_label: str) -> None:
        super().__init__()
        self.promoted_label = promoted_label

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start one for every promote."""
        return cls(event.label) if isinstance(event, PoolWindowPromoted) else None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the label that was promoted."""
        return {"promoted_label": self.promoted_label}


class PoolRefill(PoolFill):
    """Brings a window that no promote's saga does: first fill, failure, death, cold open."""

    name: ClassVar[str] = "pool_refill"

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the host whose pool is short."""
        return {"host": self.host}
