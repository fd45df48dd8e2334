"""The kinds of actor that are measured, each started, addressed and stopped in its own way."""

from abc import ABC, abstractmethod
from itertools import count
from typing import Any

import pykka

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.mailbox import mailbox_of
from actors.saga import SagaContext
from actors.saga_actor import DeliverEvent, SagaActor
from actors.sagas import PoolRefill
from actors.supervision.actor_supervise import supervise
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, Restart, SupervisorSpec
from actors.supervision.handle import Handle
from transport.messages import WindowOpened

Address = pykka.ActorRef[Any] | Handle


class Kind(ABC):
    """One kind of actor.

    Attributes:
        message: what it is told and asked.
    """

    message: object = "hello"

    @abstractmethod
    def start(self) -> Address:
        """Start one."""

    @abstractmethod
    def stop(self, actor: Address) -> None:
        """Stop one, and wait until it is down."""

    @abstractmethod
    def settle(self, actor: Address) -> None:
        """Wait until an actor has handled what it was told."""

    def close(self) -> None:  # noqa: B027 - most kinds need nothing
        """End what all of them need."""


class _Dispatched(DispatchedActor):
    def on_receive(self, message: object) -> object:
        return message


class Dispatched(Kind):
    """A dispatched actor."""

    def __init__(self) -> None:
        self._dispatcher = Dispatcher()

    def start(self) -> Address:
        """Start one."""
        return _Dispatched.start(dispatcher=self._dispatcher)

    def stop(self, actor: Address) -> None:
        """Stop one, as the coordinator stops sagas."""
        assert isinstance(actor, pykka.ActorRef)  # noqa: S101 - `start` gave it
        self._dispatcher.stop(actor)

    def settle(self, actor: Address) -> None:
        """Let the dispatcher run."""
        del actor
        self._dispatcher.run_until_idle()


class Supervised(Kind):
    """A dispatched actor under a supervisor, addressed by its handle."""

    def __init__(self) -> None:
        self._dispatcher = Dispatcher()
        self._tree = supervise(SupervisorSpec(), dispatcher=self._dispatcher)
        self._numbers = count()
        self._names: dict[Address, int] = {}

    def start(self) -> Address:
        """Start one, as a temporary child."""
        name = next(self._numbers)
        handle = self._tree.start_child(ChildSpec(name, Worker(_Dispatched), Restart.TEMPORARY))
        self._names[handle] = name
        return handle

    def stop(self, actor: Address) -> None:
        """Terminate the child; a temporary one is forgotten too."""
        self._tree.terminate_child(self._names.pop(actor))
        self._dispatcher.run_until_idle()

    def settle(self, actor: Address) -> None:
        """Let the dispatcher run."""
        del actor
        self._dispatcher.run_until_idle()

    def close(self) -> None:
        """Stop the supervisor."""
        self._tree.stop(timeout=10)


class _Threading(pykka.ThreadingActor):
    def on_receive(self, message: object) -> object:
        return message


class Threading(Kind):
    """Pykka's own actor with a thread: the reference."""

    def start(self) -> Address:
        """Start one."""
        return _Threading.start()

    def stop(self, actor: Address) -> None:
        """Stop one."""
        assert isinstance(actor, pykka.ActorRef)  # noqa: S101 - `start` gave it
        actor.stop()

    def settle(self, actor: Address) -> None:
        """Ask: the answer comes after everything it was told."""
        actor.ask(self.message)


class _Silent(DispatchedActor):
    def on_receive(self, message: object) -> None:
        del message


class SagaActors(Kind):
    """A saga's actor: told an event that it waits at, it tells its coordinator so."""

    message: object = DeliverEvent(WindowOpened(label="window", promote_id="promote"))

    def __init__(self) -> None:
        self._dispatcher = Dispatcher()
        self._coordinator = _Silent.start(dispatcher=self._dispatcher)
        self._inbox = mailbox_of(self._coordinator)
        self._context = SagaContext(1, "bench-0")

    def start(self) -> Address:
        """Start one, watched by its coordinator, as the coordinator does."""
        return SagaActor.start(
            PoolRefill("bench-0"),
            self._context,
            self._inbox,
            dispatcher=self._dispatcher,
            watcher=self._coordinator,
            name=1,
        )

    def stop(self, actor: Address) -> None:
        """Stop one, as the coordinator does."""
        assert isinstance(actor, pykka.ActorRef)  # noqa: S101 - `start` gave it
        self._dispatcher.stop(actor)

    def settle(self, actor: Address) -> None:
        """Let the dispatcher run."""
        del actor
        self._dispatcher.run_until_idle()


KINDS: dict[str, type[Kind]] = {
    "dispatched": Dispatched,
    "supervised": Supervised,
    "threading": Threading,
    "saga": SagaActors,
}
"""Every kind, by the name that its benchmarks have."""
