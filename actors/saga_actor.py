"""The actor that runs one saga: hands it what is told, and tells the coordinator its actions."""

from typing import Any

from msgspec import Struct
from pykka import ActorRef

from actors.dispatched_actor import DispatchedActor
from actors.saga import Saga, SagaAction, SagaContext
from transport.messages import Event


class StartSaga(Struct, frozen=True):
    """Told once, first."""


class DeliverEvent(Struct, frozen=True):
    """An event that carries the saga's id."""

    event: Event


class ActionTaken(Struct, frozen=True):
    """Told to the coordinator: what the saga answered."""

    saga_id: int
    action: SagaAction


class SagaActor(DispatchedActor):
    """Runs one saga."""

    def __init__(self, saga: Saga, context: SagaContext, coordinator: ActorRef[Any]) -> None:
        super().__init__()
        self._saga = saga
        self._context = context
        self._coordinator = coordinator

    def on_receive(self, message: StartSaga | DeliverEvent) -> None:
        """Let the saga answer."""
        match message:
            case DeliverEvent(event=event):
                action = self._saga.on_event(event, self._context)
            case StartSaga():
                action = self._saga.start(self._context)
        self._coordinator.tell(ActionTaken(self._context.saga_id, action))
