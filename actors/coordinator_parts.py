"""What the coordinator works with, and what it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.dispatcher import Dispatcher
from actors.recorder import Recorder
from actors.reducer import Reducer
from actors.refill_plan import RefillPlan
from actors.saga import BRACKETS, Saga
from actors.saga_actor import BeforeTurn
from actors.saga_children import SagaChildren
from actors.state import State
from actors.timers import LoopClock, Timers
from transport.codec import Codec
from transport.messages import Event


@dataclass(slots=True)
class CoordinatorStatistics:
    """What the coordinator did so far.

    Attributes:
        events: events it was told of.
        look_ups: times it looked a saga up by id.
        started, completed, failed: sagas.
        late_actions: actions of sagas that were closed already.
    """

    events: int = 0
    look_ups: int = 0
    started: int = 0
    completed: int = 0
    failed: int = 0
    late_actions: int = 0


@dataclass(slots=True)
class CoordinatorParts:
    """What the coordinator works with; all of it belongs to the engine's thread.

    Attributes:
        kinds: the sagas that may run.
        timeouts: seconds by saga name, where they differ from the saga's own.
        clock: the loop's time.
        wall_offset: what to add to the outer clock to have the wall clock, in nanoseconds.
        children: the sagas under supervision.
        codec: knows the types of the commands in the log.
        before_saga_turn: see `BeforeTurn`.
        failure: what ended the coordinator itself.
    """

    state: State
    recorder: Recorder
    reducer: Reducer
    timers: Timers
    refills: RefillPlan
    dispatcher: Dispatcher
    kinds: tuple[type[Saga], ...]
    timeouts: Mapping[str, float]
    clock: LoopClock
    wall_offset: int
    codec: Codec
    children: SagaChildren
    before_saga_turn: BeforeTurn | None = None
    failure: BaseException | None = None
    statistics: CoordinatorStatistics = field(default_factory=CoordinatorStatistics)

    def wall(self) -> int:
        """Give the wall clock, in nanoseconds."""
        return self.clock.seen + self.wall_offset


def triggers_of(kinds: tuple[type[Saga], ...]) -> dict[type[Event], tuple[type[Saga], ...]]:
    """Give which sagas each event type may start.

    Raises:
        ValueError: a bracket event is a trigger, or two sagas have one name; names them.
    """
    triggers: dict[type[Event], tuple[type[Saga], ...]] = {}
    names: dict[str, type[Saga]] = {}
    for kind in kinds:
        if names.setdefault(kind.name, kind) is not kind:
            msg = f"two sagas are named {kind.name!r}: {names[kind.name]} and {kind}"
            raise ValueError(msg)
        for event_type in kind.triggers:
            if event_type in BRACKETS:
                msg = f"{kind.name}: {event_type.__name__} is a bracket and cannot trigger a saga"
                raise ValueError(msg)
            triggers[event_type] = (*triggers.get(event_type, ()), kind)
    return triggers
