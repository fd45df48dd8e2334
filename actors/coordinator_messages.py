"""What the coordinator is told, what it works with, and what it counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from actors.dispatcher import Dispatcher
from actors.recorder import Recorder
from actors.reducer import Reducer, SettledStep
from actors.refill_plan import RefillPlan
from actors.saga import BRACKETS, Saga
from actors.saga_actor import BeforeTurn
from actors.saga_children import SagaChildren
from actors.saga_log import SagaRecord
from actors.state import State
from actors.timers import Timers
from transport.codec import Codec
from transport.messages import Event


class EventsRecorded(Struct, frozen=True):
    """What one command gave: its events that concern a saga or may trigger one."""

    events: list[Event]
    settled: list[SettledStep]


class DeadlineReached(Struct, frozen=True):
    """A saga's time is over."""

    saga_id: int


class RecoverSagas(Struct, frozen=True):
    """Told first, to a launcher that begins with open sagas."""

    records: list[SagaRecord]


class Crash(Struct, frozen=True):
    """Raise, for tests of what a crash of the coordinator does."""


class StartRefills(Struct, frozen=True):
    """A host's pool lacks windows that nobody brings."""

    host: str
    count: int


class EndEpoch(Struct, frozen=True):
    """A host's epoch is over, and with it everything that was asked of it."""

    host: str
    epoch: str
    reason: str


class EndAll(Struct, frozen=True):
    """Close every open bracket as failed."""

    reason: str


class EndSaga(Struct, frozen=True):
    """Close one bracket as failed; nothing happens if it is closed."""

    saga_id: int
    reason: str


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
        now: the loop's time, in nanoseconds.
        wall: the wall clock, in nanoseconds.
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
    now: Callable[[], int]
    wall: Callable[[], int]
    codec: Codec
    children: SagaChildren
    before_saga_turn: BeforeTurn | None = None
    failure: BaseException | None = None
    statistics: CoordinatorStatistics = field(default_factory=CoordinatorStatistics)


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
