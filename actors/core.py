"""One thing that happened, to its end: events, coordinator, sagas, until no actor is ready."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.coordinator import Coordinator, CoordinatorCrashedError
from actors.coordinator_messages import DeadlineReached, EventsRecorded, StartRefills
from actors.coordinator_parts import CoordinatorParts, triggers_of
from actors.dispatcher import Dispatcher
from actors.mailbox import mailbox_of
from actors.recorder import BLOB_LIMIT, Recorder
from actors.reducer import Reducer, SettledStep
from actors.refill_plan import IN_FLIGHT_LIMIT, RefillPlan
from actors.saga import Saga
from actors.saga_actor import BeforeTurn
from actors.saga_children import SagaChildren
from actors.saga_log import Row
from actors.saga_tree import actor_tree
from actors.state import State
from actors.supervision.supervisor_child import ChildFacts
from actors.timers import PATIENCE, LoopClock, Timers
from transport.codec import Codec
from transport.messages import Event, PoolWindowAdded


class Core:
    """State, recorder, coordinator and timers of one launcher.

    Args:
        kinds: the sagas that may run.
        timeouts: seconds by saga name, where they differ from the saga's own.
        clock: the loop's time.
        wall_offset: what to add to the outer clock to have the wall clock, in nanoseconds.
        codec: knows every message type.
        dispatcher: runs the coordinator and the sagas.
        before_saga_turn: see `BeforeTurn`.
    """

    def __init__(
        self,
        state: State,
        *,
        kinds: tuple[type[Saga], ...],
        reducer: Reducer,
        timeouts: Mapping[str, float],
        clock: LoopClock,
        wall_offset: int,
        codec: Codec,
        dispatcher: Dispatcher,
        before_saga_turn: BeforeTurn | None = None,
        blob_limit: int = BLOB_LIMIT,
    ) -> None:
        self.state = state
        self.reducer = reducer
        self.clock = clock
        self.dispatcher = dispatcher
        self.recorder = Recorder(state, blob_limit)
        self.timers = Timers()
        self.refills_allowed = True
        self._refills = RefillPlan()
        self._pools_changed: dict[str, None] = {}
        self._triggers = frozenset(triggers_of(kinds))
        self._first_due: int | None = None
        parts = CoordinatorParts(
            state=state,
            recorder=self.recorder,
            reducer=reducer,
            timers=self.timers,
            refills=self._refills,
            dispatcher=self.dispatcher,
            kinds=kinds,
            timeouts=timeouts,
            clock=clock,
            wall_offset=wall_offset,
            codec=codec,
            children=SagaChildren(clock.time),
            before_saga_turn=before_saga_turn,
        )
        self._parts = parts
        self.statistics = parts.statistics
        self._coordinator = mailbox_of(Coordinator.start(parts, dispatcher=self.dispatcher))

    def tree(self) -> dict[str, Any]:
        """Give the live tree of the actors; from any thread."""
        return actor_tree(self._coordinator, self.dispatcher, self.state, self._parts.children)

    def crashes_of(self, saga_id: int) -> ChildFacts | None:
        """Give what is known of a saga's actor that crashed, None of one that did not."""
        return self._parts.children.facts(saga_id, 0)

    @property
    def rows(self) -> list[Row]:
        """What the pass has to make durable so far."""
        return self.recorder.rows

    def record(
        self, events: list[Event], settled: list[SettledStep], host: str | None = None
    ) -> None:
        """Record what one command gave, and let everyone act on it.

        Args:
            events: in order.
            settled: steps that the command's reports settle.
            host: whose pool may have changed.
        """
        recorder, triggers = self.recorder, self._triggers
        relevant: list[Event] = []
        for event in events:
            numbered = recorder.record(event)
            if numbered.saga_id is not None or type(numbered) in triggers:
                relevant.append(numbered)
            if type(numbered) is PoolWindowAdded and numbered.origin is not None:
                self._refills.added(numbered.origin.host)
        if relevant or settled:
            self._coordinator.tell(EventsRecorded(relevant, settled))
        self._finish(host)

    def record_apart(self, events: list[Event], settled: list[SettledStep], host: str) -> None:
        """Record events of which none can trigger a saga, each free to end a blob."""
        by_saga = {each.saga_id: each for each in settled}
        for event in events:
            if event.saga_id is not None:
                self.record([event], [by_saga[event.saga_id]])
            else:
                self.recorder.record(event)
                self.recorder.end_group()
        self._finish(host)

    def tell(self, message: object, host: str | None = None) -> None:
        """Tell the coordinator something, and let everyone act on it.

        Args:
            message: one of the coordinator's.
            host: whose pool may have changed.
        """
        self._coordinator.tell(message)
        self._finish(host)

    def begin_epoch(self, host: str) -> None:
        """Note that a new epoch of a host is there: its pool is filled at once."""
        self._refills.begin_epoch(host)

    def fire_timers(self, *, drained: bool, fresh: "Freshness") -> None:
        """Let due timers fire.

        A deadline waits for the poll that leaves nothing unread, so that a report which is already
        there counts; but at most a second.

        Args:
            drained: nothing waits unread.
            fresh: says whether a host was heard lately.
        """
        self.plan_refills()
        now = self.clock.time
        due = self.timers.next_due()
        if due is None or due > now:
            self._first_due = None
            return
        if self._first_due is None:
            self._first_due = now
        if not drained and now - self._first_due < PATIENCE:
            return
        self._first_due = None
        while (key := self.timers.pop_due(now)) is not None:
            match key:
                case int(saga_id):
                    saga = self.state.sagas.get(saga_id)
                    self.tell(DeadlineReached(saga_id), saga.host if saga else None)
                case ("refill", str(host)):
                    self._refill(host, fresh)

    def _refill(self, host: str, fresh: "Freshness") -> None:
        deficit = self.state.deficit(host)
        if deficit <= 0 or not self.refills_allowed:
            return
        in_flight = self.state.filling.get((host, self.state.mirror.hosts[host].epoch), 0)
        count = min(deficit, IN_FLIGHT_LIMIT - in_flight)
        if count <= 0 or not fresh(host):
            self.timers.set(("refill", host), self._refills.postpone(host, self.clock.time))
            return
        self._refills.started(host)
        self.tell(StartRefills(host, count), host)

    def watch_pool(self, host: str) -> None:
        """Have the next `plan_refills` see what a host's pool lacks."""
        self._pools_changed[host] = None

    def plan_refills(self) -> None:
        """See what the pools lack that may have changed, and set or cancel their refills."""
        for host in self._refills.take_failed():
            self._pools_changed[host] = None
        if self._pools_changed:
            for host in self._pools_changed:
                self._plan_refill(host)
            self._pools_changed.clear()

    def _finish(self, host: str | None) -> None:
        self.dispatcher.run_until_idle()
        if self._parts.failure is not None:
            msg = "the coordinator crashed"
            raise CoordinatorCrashedError(msg) from self._parts.failure
        self.recorder.end_group()
        if host is not None:
            self._pools_changed[host] = None

    def _plan_refill(self, host: str) -> None:
        due = self._refills.observe(host, self.state.deficit(host), self.clock.time)
        if due is None or not self.refills_allowed:
            self.timers.cancel(("refill", host))
        else:
            self.timers.set(("refill", host), due)


Freshness = Callable[[str], bool]
"""Given a host: whether it was heard lately."""
