"""The brackets of sagas: who opens them, what happens in them, and who alone closes them.

Whatever can end a saga is a message to the coordinator, and `_end` runs once a saga: it writes the
rows, records the terminal, and forgets the saga, so a second reason finds nothing.
"""

import logging
from typing import Any

from msgspec.structs import replace
from pykka import ActorRef

from actors.actor_died import ActorDied
from actors.coordinator_messages import (
    Crash,
    DeadlineReached,
    EndAll,
    EndEpoch,
    EndSaga,
    EventsRecorded,
    RecoverSagas,
    StartRefills,
)
from actors.coordinator_parts import CoordinatorParts, triggers_of
from actors.mailbox import Mailbox, mailbox_of
from actors.outcome_text import outcome_text, summary_of
from actors.reducer import SettledStep
from actors.saga import (
    Done,
    Failed,
    IssueCmd,
    Saga,
    SagaAction,
    SagaContext,
    Target,
    Wait,
)
from actors.saga_actor import (
    ActionTaken,
    DeliverEvent,
    ReplayDisagreementError,
    ReplaySaga,
    SagaActor,
    StartSaga,
)
from actors.saga_log import (
    EventDelivered,
    SagaClosed,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from actors.saga_recovery import SagaRecovery
from actors.sagas import PoolRefill
from actors.state import OpenSaga
from actors.step_queue import PendingStep
from actors.timers import SECOND
from transport.codec import encode
from transport.messages import (
    ActionFailed,
    Command,
    CommandIdentity,
    Event,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

OVERFLOW = "host pipe backpressure overflow"
UNREACHABLE = "host unreachable"
TIMED_OUT = "saga timeout"

logger = logging.getLogger("muxsaga.coordinator")


class SagaBrackets:
    """Starts sagas, routes events to them, carries their actions out, ends them.

    Args:
        parts: what that takes.
        coordinator: the actor to which all of this is told; it watches the sagas' actors.
    """

    def __init__(self, parts: CoordinatorParts, coordinator: ActorRef[Any]) -> None:
        self._parts = parts
        self._coordinator = coordinator
        self._inbox = mailbox_of(coordinator)
        self._state = parts.state
        self._recorder = parts.recorder
        self._statistics = parts.statistics
        self._triggers = triggers_of(parts.kinds)

    def take(self, message: Any) -> bool:
        """Take one of the coordinator's messages; say whether it is one."""
        # Nearly all messages are these; a `case` takes several times as long to ask.
        kind = type(message)
        if kind is EventsRecorded:
            self._take_events(message.events, message.settled)
        elif kind is ActionTaken:
            self._carry_out(message.saga_id, message.action)
        else:
            return self._take_rare(message)
        return True

    def _take_rare(self, message: Any) -> bool:
        match message:
            case DeadlineReached(saga_id=saga_id):
                self._time_out(saga_id)
            case ActorDied(name=int(saga_id), error=error):
                self._rebuild(saga_id, error)
            case RecoverSagas(records=records):
                recovery = SagaRecovery(self._parts, self._start_actor)
                for record in records:
                    recovery.recover(record)
                    self._recorder.end_group()
            case StartRefills(host=host, count=count):
                self._start_refills(host, count)
            case EndEpoch(host=host, epoch=epoch, reason=reason):
                self._end_epoch((host, epoch), reason)
            case EndAll(reason=reason):
                self._fail_apart(tuple(self._state.sagas), reason)
            case Crash():
                msg = "told to crash"
                raise RuntimeError(msg)
            case EndSaga(saga_id=saga_id, reason=reason):
                self._fail(saga_id, reason)
            case _:
                return False
        return True

    # --- events in ----------------------------------------------------------------------------

    def _take_events(self, events: list[Event], settled: list[SettledStep]) -> None:
        for each in settled:
            self._settle(each)
        self._statistics.events += len(events)
        for event in events:
            saga_id = event.saga_id
            if saga_id is not None:
                self._route(saga_id, event)
            for kind in self._triggers.get(type(event), ()):
                self._trigger(kind, event)

    def _route(self, saga_id: int, event: Event) -> None:
        saga = self._look_up(saga_id)
        if saga is None:
            return
        if isinstance(event, ActionFailed):
            self._end(saga, failure=event.reason)
            return
        self._recorder.rows.append(EventDelivered(saga_id, event))
        saga.delivered.append(event)
        saga.since = self._parts.clock.time
        saga.mailbox.tell(DeliverEvent(event))

    def _look_up(self, saga_id: int) -> OpenSaga | None:
        self._statistics.look_ups += 1
        return self._state.sagas.get(saga_id)

    def _settle(self, settled: SettledStep) -> None:
        saga = self._look_up(settled.saga_id)
        if saga is not None:
            self._close_step(saga, settled.failure)

    def _close_step(self, saga: OpenSaga, failure: str | None) -> None:
        step, queue = saga.step, saga.queue
        if step is None:
            return
        if queue is not None:
            queue.remove(step)
        self._recorder.rows.append(StepClosed(saga.saga_id, step.index, failure))
        saga.step = saga.queue = None

    # --- sagas begin --------------------------------------------------------------------------

    def _trigger(self, kind: type[Saga], event: Event) -> None:
        if getattr(event, "reconciled", False):
            return
        try:
            saga = kind.from_trigger(event)
        except Exception:
            logger.exception("%s.from_trigger failed on %s", kind.__name__, event)
            return
        if saga is not None:
            origin = event.origin
            host, epoch = (origin.host, origin.epoch) if origin is not None else (None, None)
            self._start(saga, event.version, host, epoch)

    def _start_refills(self, host: str, count: int) -> None:
        epoch = self._state.mirror.hosts[host].epoch
        for _ in range(count):
            self._start(PoolRefill(host), None, host, epoch)

    def _start(self, saga: Saga, cause: int | None, host: str | None, epoch: str | None) -> None:
        state, parts = self._state, self._parts
        saga_id = state.next_saga_id
        state.next_saga_id += 1
        timeout = round(parts.timeouts.get(saga.name, saga.timeout) * SECOND)
        snapshot, context = saga.input_snapshot(), SagaContext(saga_id, host)
        deadline = parts.wall() + timeout
        opened = SagaOpened(saga_id, saga.name, snapshot, cause, host, epoch, deadline)
        self._recorder.rows.append(opened)
        mailbox = self._start_actor(saga, context)
        now = parts.clock.time
        state.open(OpenSaga(type(saga), context, mailbox, epoch=epoch, made_with=snapshot, now=now))
        parts.timers.set(saga_id, now + timeout)
        self._statistics.started += 1
        self._recorder.record(SagaStarted(name=saga.name, cause=cause, saga_id=saga_id))
        mailbox.tell(StartSaga())

    def _start_actor(self, saga: Saga, context: SagaContext) -> Mailbox:
        mailbox = Mailbox(self._parts.dispatcher)
        mailbox.watcher = self._coordinator
        mailbox.name = context.saga_id
        SagaActor.start_with(mailbox, saga, context, self._inbox, self._parts.before_saga_turn)
        return mailbox

    def _rebuild(self, saga_id: int, error: BaseException) -> None:
        """Make a crashed saga anew from its input and its events, if its budget allows."""
        saga = self._look_up(saga_id)
        if saga is None:
            return
        within_budget = self._parts.children.crashed(
            saga_id, summary_of(error), self._parts.clock.time
        )
        if not within_budget or isinstance(error, ReplayDisagreementError):
            self._end(saga, failure=f"saga actor crashed: {summary_of(error)}")
            return
        try:
            anew = saga.kind(**saga.input)
        except Exception as second:  # noqa: BLE001 - the saga's own code; only this saga fails
            self._end(saga, failure=f"saga cannot be made anew: {summary_of(second)}")
            return
        saga.mailbox = self._start_actor(anew, saga.context)
        history = ReplaySaga(tuple(saga.delivered), tuple(saga.issued), self._state.log_id)
        saga.mailbox.tell(history)

    # --- actions out --------------------------------------------------------------------------

    def _carry_out(self, saga_id: int, action: SagaAction) -> None:
        saga = self._look_up(saga_id)
        if saga is None:
            self._statistics.late_actions += 1
            return
        match action:
            case IssueCmd(target=target, command=command):
                self._issue(saga, target, command)
            case Done(result=result):
                self._end(saga, result=outcome_text(result))
            case Failed(reason=reason):
                self._end(saga, failure=reason)
            case Wait():
                pass

    def _issue(self, saga: OpenSaga, target: Target, command: Command) -> None:
        name = type(command).__name__
        if saga.step is not None:
            self._end(saga, failure=f"issued {name} while step {saga.step.index} is not settled")
            return
        index = len(saga.issued)
        identity = CommandIdentity(self._state.log_id, saga.saga_id, index)
        command = replace(command, identity=identity)
        frame = encode(command)
        saga.issued.append(frame)
        saga.step = PendingStep(saga.saga_id, index, frame, name, command.outcomes)
        self._recorder.rows.append(StepIssued(saga.saga_id, index, target, frame))
        match target:
            case Target.HOST:
                self._issue_to_host(saga, saga.step)
            case Target.LAUNCHER_SELF:
                self._issue_to_self(saga, command)
            case Target.SRV:
                self._enqueue(saga, saga.step, (name,))

    def _issue_to_host(self, saga: OpenSaga, step: PendingStep) -> None:
        if saga.host is None or saga.epoch is None:
            reason = (
                f"{saga.kind.name} issued {step.command_type} to HOST, "
                "but its trigger came of no host"
            )
            self._end(saga, failure=reason)
            return
        mirror = self._state.mirror.hosts.get(saga.host)
        if mirror is None or mirror.epoch != saga.epoch or not mirror.live:
            self._end(saga, failure="host restarted" if mirror and mirror.live else "host left")
            return
        self._enqueue(saga, step, (saga.host, saga.epoch))

    def _enqueue(self, saga: OpenSaga, step: PendingStep, destination: tuple[str, ...]) -> None:
        queue = self._state.queue_of(destination)
        if not queue.add(step):
            self._end(saga, failure=OVERFLOW)
            return
        self._state.waiting[destination] = None
        saga.queue = queue
        saga.destination = destination

    def _issue_to_self(self, saga: OpenSaga, command: Command) -> None:
        try:
            events = self._parts.reducer.update_self(self._state, command)
        except Exception as error:  # noqa: BLE001 - an extension's handler; its saga fails
            self._end(saga, failure=f"{type(command).__name__} failed: {summary_of(error)}")
            return
        self._close_step(saga, None)
        recorded = [self._recorder.record(replace(event, saga_id=saga.saga_id)) for event in events]
        self._inbox.tell(EventsRecorded(recorded, []))

    # --- sagas end ----------------------------------------------------------------------------

    def _time_out(self, saga_id: int) -> None:
        saga = self._look_up(saga_id)
        if saga is not None:
            never_handed = saga.step is not None and not saga.step.handed
            self._end(saga, failure=UNREACHABLE if never_handed else TIMED_OUT)

    def _fail_apart(self, saga_ids: tuple[int, ...], reason: str) -> None:
        """Close many brackets, each free to end a blob: together they could be too large."""
        for saga_id in saga_ids:
            self._fail(saga_id, reason)
            self._recorder.end_group()

    def _fail(self, saga_id: int, reason: str) -> None:
        saga = self._look_up(saga_id)
        if saga is not None:
            self._end(saga, failure=reason)

    def _end_epoch(self, key: tuple[str, str], reason: str) -> None:
        self._fail_apart(tuple(self._state.by_host.get(key, ())), reason)
        self._state.by_host.pop(key, None)
        self._state.filling.pop(key, None)
        self._state.queues.pop(key, None)

    def _end(
        self, saga: OpenSaga, *, result: str | None = None, failure: str | None = None
    ) -> None:
        saga_id = saga.saga_id
        failure = outcome_text(failure) if failure is not None else None
        self._close_step(saga, failure)
        self._recorder.rows.append(SagaClosed(saga_id, result, failure))
        if failure is not None:
            self._statistics.failed += 1
            self._recorder.record(SagaFailed(reason=failure, saga_id=saga_id))
        else:
            self._statistics.completed += 1
            self._recorder.record(SagaCompleted(result=result or "", saga_id=saga_id))
        self._parts.timers.cancel(saga_id)
        saga.mailbox.end()
        self._parts.children.ended(saga_id, self._parts.clock.time)
        self._state.close(saga)
        if failure is not None and saga.host is not None and saga.kind.fills_pool:
            self._parts.refills.failed(saga.host, self._parts.clock.time)
