"""An event's way to its saga, among few and among very many open ones."""

from typing import ClassVar, Self

import pytest

from actors.coordinator_messages import EventsRecorded
from actors.core import Core
from actors.dispatcher import Dispatcher
from actors.reducer import Reducer
from actors.saga import Saga, SagaAction, SagaContext, SnapshotValue, Wait
from actors.state import State
from actors.timers import LoopClock
from bench.micro.measure import Measure
from bench.micro.played_promotes import LOG_ID
from transport.codec import Codec
from transport.messages import Event, PanesReaped, WindowOpened

EVENTS = 200
"""So many events are routed a round, each to another saga where there are enough."""

OPENED_A_BATCH = 1_000


class Patient(Saga):
    """Waits for ever."""

    name: ClassVar[str] = "patient"
    timeout: ClassVar[float] = 1e6
    triggers: ClassVar[tuple[type[Event], ...]] = (WindowOpened,)

    @classmethod
    def from_trigger(cls, event: Event) -> Self:
        """Start one for every window."""
        del event
        return cls()

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give nothing: it is made of nothing."""
        return {}

    def start(self, context: SagaContext) -> SagaAction:
        """Wait."""
        del context
        return Wait()

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Wait on."""
        del event, context
        return Wait()


def core_with(sagas: int) -> Core:
    """Give a core with so many sagas open."""
    core = Core(
        State(LOG_ID),
        kinds=(Patient,),
        reducer=Reducer(),
        timeouts={},
        clock=LoopClock(0),
        wall_offset=0,
        codec=Codec(),
        dispatcher=Dispatcher(),
    )
    trigger = WindowOpened(label="window", promote_id="promote")
    while len(core.state.sagas) < sagas:
        batch = min(OPENED_A_BATCH, sagas - len(core.state.sagas))
        core.tell(EventsRecorded([trigger] * batch, []))
        core.recorder.take_pass()
    return core


@pytest.mark.parametrize("sagas", [10, 100_000])
def bench_route(measure: Measure, sagas: int) -> None:
    """An event to its saga, and the saga's answer, with so many open."""
    core = core_with(sagas)
    step = max(1, sagas // EVENTS)
    events: list[Event] = [
        PanesReaped(label="window", saga_id=1 + number * step % sagas) for number in range(EVENTS)
    ]

    def route_all() -> None:
        for event in events:
            core.tell(EventsRecorded([event], []))

    def forget() -> None:
        core.recorder.take_pass()
        for event in events:
            core.state.sagas[event.saga_id or 0].delivered.clear()

    route_all()
    delivered = sum(len(saga.delivered) for saga in core.state.sagas.values())
    assert (delivered, len(core.state.sagas)) == (EVENTS, sagas)  # noqa: S101 - else it is no route
    measure(lambda _: route_all(), operations=EVENTS, prepare=forget, rounds=100)
