"""The contract of a saga: what its author writes, and what the coordinator promises.

A saga is a small state machine. `start` is called once; then `on_event` with every event that
carries the saga's id, in order, until an action ends it. Both use only the saga's own state, the
event and the context: no clock, no I/O, no randomness. So feeding the same events again gives the
same saga, which is how a crashed one is rebuilt. `cls(**saga.input_snapshot())` gives it anew.
"""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import ClassVar, Self

from msgspec import Struct

from transport.messages import Command, Event, SagaCompleted, SagaFailed, SagaStarted

BRACKETS: tuple[type[Event], ...] = (SagaStarted, SagaCompleted, SagaFailed)
"""Events that cannot trigger a saga: one that they triggered could start itself for ever."""

SnapshotValue = str | int | bool | None
"""What an input snapshot may hold, by name."""


class Target(StrEnum):
    """Where a command goes."""

    LAUNCHER_SELF = "launcher_self"
    HOST = "host"
    SRV = "srv"


class IssueCmd(Struct, frozen=True):
    """Send a command; the coordinator puts the saga's identity into it."""

    target: Target
    command: Command


class Wait(Struct, frozen=True):
    """Nothing to do until the next event."""


class Done(Struct, frozen=True):
    """The saga succeeded. `result`: at most 1,024 characters, published with the bracket."""

    result: str = ""


class Failed(Struct, frozen=True):
    """The saga failed, and why: at most 1,024 characters, published with the bracket."""

    reason: str


SagaAction = IssueCmd | Wait | Done | Failed


class SagaContext(Struct, frozen=True):
    """What a saga may know beside its own state and the event.

    Attributes:
        saga_id: its number.
        host: the host of its trigger, or None.
    """

    saga_id: int
    host: str | None


class Saga(ABC):
    """One multi-step operation.

    Attributes:
        name: the kind's name, unique among the loaded sagas.
        timeout: seconds until the coordinator fails it.
        triggers: the event types that may start one.
        fills_pool: it adds one window to its host's pool, so `pool_refill` counts it.
    """

    name: ClassVar[str]
    timeout: ClassVar[float]
    triggers: ClassVar[tuple[type[Event], ...]] = ()
    fills_pool: ClassVar[bool] = False

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Give the saga that a trigger starts, or None if this event starts none."""
        msg = f"{cls.__name__} has triggers but no from_trigger: it cannot be made from {event}"
        raise TypeError(msg)

    @abstractmethod
    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the arguments it was made with; kept in the log."""

    @abstractmethod
    def start(self, context: SagaContext) -> SagaAction:
        """Give the first action."""

    @abstractmethod
    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Give the answer to an event that carries this saga's id."""
