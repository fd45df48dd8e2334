"""Going on with the sagas that the log has open, after a start or the engine's crash."""

from collections.abc import Callable, Sequence

from actors.coordinator_parts import CoordinatorParts
from actors.mailbox import Mailbox
from actors.outcome_text import outcome_text, summary_of
from actors.saga import Saga, SagaContext, Target
from actors.saga_actor import ReplaySaga
from actors.saga_log import DeadlineExtended, SagaClosed, SagaRecord, StepClosed
from actors.state import OpenSaga
from actors.step_queue import PendingStep
from actors.timers import SECOND
from transport.codec import unpack
from transport.messages import Event, OpaqueEvent, Recorded, SagaFailed

RECOVERY_GRACE = 5 * SECOND
EXTENSIONS = 3
"""A recovered saga has this long at least, in nanoseconds; so many recoveries may extend it."""


StartActor = Callable[[Saga, SagaContext], Mailbox]
"""Starts the actor of a saga, and gives its mailbox."""


class SagaRecovery:
    """Makes open sagas anew from their rows.

    A pending step goes out again when its host registers in the same epoch; the host's idempotency
    answers if it was done. A saga that cannot be made anew fails, and stops no other.
    """

    def __init__(self, parts: CoordinatorParts, start_actor: StartActor) -> None:
        self._parts = parts
        self._state = parts.state
        self._recorder = parts.recorder
        self._start_actor = start_actor
        self._kinds = {kind.name: kind for kind in parts.kinds}

    def recover(self, record: SagaRecord) -> None:
        """Go on with a saga that the log has open; one that cannot be made anew fails."""
        opened, parts = record.opened, self._parts
        try:
            kind = self._kinds[opened.name]
            anew = kind(**opened.input)
            delivered = _known(record.delivered)
            step = self._pending_step(record)
        except Exception as error:  # noqa: BLE001 - the saga's own code; only this saga fails
            unknown = isinstance(error, KeyError) and opened.name not in self._kinds
            reason = f"saga {opened.name} is not known any more" if unknown else summary_of(error)
            self._close_unrecovered(record, reason)
            return
        context = SagaContext(opened.saga_id, opened.host)
        mailbox = self._start_actor(anew, context)
        now = parts.clock.time
        saga = OpenSaga(kind, context, mailbox, epoch=opened.epoch, made_with=opened.input, now=now)
        saga.recovered = True
        saga.delivered = delivered
        saga.issued = [step.command for step in record.steps]
        self._state.open(saga)
        if step is not None:
            self._restore_step(saga, step, record.steps[-1].target)
        timeout = round(parts.timeouts.get(kind.name, kind.timeout) * SECOND)
        deadline = recovered_deadline(record, parts.wall(), timeout)
        if deadline != record.deadline:
            self._recorder.rows.append(DeadlineExtended(saga.saga_id, deadline))
        parts.timers.set(saga.saga_id, now + max(0, deadline - parts.wall()))
        mailbox.tell(ReplaySaga(tuple(saga.delivered), tuple(saga.issued), self._state.log_id))

    def _pending_step(self, record: SagaRecord) -> PendingStep | None:
        if len(record.steps) == len(record.closed_steps):
            return None
        issued = record.steps[-1]
        command = self._parts.codec.decode_command(unpack(issued.command))
        name = type(command).__name__
        return PendingStep(issued.saga_id, issued.step, issued.command, name, command.outcomes)

    def _restore_step(self, saga: OpenSaga, step: PendingStep, target: str) -> None:
        to_host = target == Target.HOST and saga.host is not None and saga.epoch is not None
        saga.destination = (str(saga.host), str(saga.epoch)) if to_host else (step.command_type,)
        saga.step, saga.queue = step, self._state.queue_of(saga.destination)
        saga.queue.restore(step)

    def _close_unrecovered(self, record: SagaRecord, reason: str) -> None:
        parts, saga_id, reason = self._parts, record.opened.saga_id, outcome_text(reason)
        for step in record.steps[len(record.closed_steps) :]:
            self._recorder.rows.append(StepClosed(saga_id, step.step, reason))
        self._recorder.rows.append(SagaClosed(saga_id, None, reason))
        self._recorder.record(SagaFailed(reason=reason, saga_id=saga_id))
        parts.statistics.failed += 1


def _known(delivered: Sequence[Recorded]) -> list[Event]:
    """Give events as their types; an opaque one cannot be fed to a saga again."""
    known = [event for event in delivered if isinstance(event, Event)]
    opaque = next((event for event in delivered if isinstance(event, OpaqueEvent)), None)
    if opaque is not None:
        msg = f"it was fed a {opaque.type_name}, which is not known any more"
        raise ValueError(msg)
    return known


def recovered_deadline(record: SagaRecord, wall: int, timeout: int) -> int:
    """Give a recovered saga's deadline: at least five seconds from now, three times at most.

    It is never further away than a new saga's, however the wall clock was set meanwhile.

    Args:
        record: the saga's rows.
        wall: the wall clock now.
        timeout: how long a saga of its kind may take, in nanoseconds.
    """
    deadline = min(record.deadline, wall + timeout)
    if record.extensions >= EXTENSIONS:
        return deadline
    return max(deadline, wall + RECOVERY_GRACE)
