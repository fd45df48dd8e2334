"""The actor that runs one saga: hands it what is told, and tells the coordinator its actions.

A saga that crashed, or whose launcher was started again, is made anew from its input and fed every
event that it was ever fed. The commands that it issues again on the way are already in the log, so
they are not told again; one that is not the same as then means that the saga is no function of its
events, and cannot be trusted.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from actors.dispatched_actor import DispatchedActor
from actors.mailbox import Mailbox
from actors.saga import IssueCmd, Saga, SagaAction, SagaContext, Wait
from transport.codec import encode
from transport.messages import CommandIdentity, Event


class StartSaga(Struct, frozen=True):
    """Told once, first, to a saga that is new."""


class DeliverEvent(Struct, frozen=True):
    """An event that carries the saga's id."""

    event: Event


class ReplaySaga(Struct, frozen=True):
    """Told once, first, to a saga that is made anew.

    Attributes:
        delivered: every event that it was fed, in order.
        issued: the frames of the commands that it issued, in order.
        log: of the saga's log.
    """

    delivered: tuple[Event, ...]
    issued: tuple[bytes, ...]
    log: str


class ActionTaken(Struct, frozen=True):
    """Told to the coordinator: what the saga answered."""

    saga_id: int
    action: SagaAction


class ReplayDisagreementError(RuntimeError):
    """A replayed saga does not do what it did before; says what."""


Turn = StartSaga | DeliverEvent | ReplaySaga
"""What a saga is handed."""

BeforeTurn = Callable[[Saga, Turn], None]
"""Called before a saga is handed anything; what it raises, the saga's actor raises."""


class SagaActor(DispatchedActor):
    """Runs one saga.

    Args:
        saga: as it was made from its input.
        context: what it may know.
        coordinator: the mailbox that is told its actions.
        before_turn: see `BeforeTurn`; for tests that make sagas crash.
    """

    def __init__(
        self,
        saga: Saga,
        context: SagaContext,
        coordinator: Mailbox,
        before_turn: BeforeTurn | None = None,
    ) -> None:
        super().__init__()
        self._saga = saga
        self._context = context
        self._coordinator = coordinator
        self._before_turn = before_turn

    def on_receive(self, message: Turn) -> None:
        """Let the saga answer."""
        if self._before_turn is not None:
            self._before_turn(self._saga, message)
        if type(message) is DeliverEvent:
            action = self._saga.on_event(message.event, self._context)
            self._coordinator.tell(ActionTaken(self._context.saga_id, action))
        elif type(message) is StartSaga:
            action = self._saga.start(self._context)
            self._coordinator.tell(ActionTaken(self._context.saga_id, action))
        elif type(message) is ReplaySaga:
            self._replay(message)

    def _replay(self, history: ReplaySaga) -> None:
        actions = [self._saga.start(self._context)]
        actions.extend(self._saga.on_event(event, self._context) for event in history.delivered)
        issued = 0
        for action in actions:
            if isinstance(action, IssueCmd) and issued < len(history.issued):
                identity = CommandIdentity(history.log, self._context.saga_id, issued)
                if encode(replace(action.command, identity=identity)) != history.issued[issued]:
                    msg = f"step {issued} was another command than {action.command}"
                    raise ReplayDisagreementError(msg)
                issued += 1
            elif not isinstance(action, Wait):
                self._coordinator.tell(ActionTaken(self._context.saga_id, action))
        if issued < len(history.issued):
            msg = f"the saga issued {len(history.issued)} commands, its replay {issued}"
            raise ReplayDisagreementError(msg)
