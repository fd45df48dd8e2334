"""Events: facts, made by the launcher's reducer or coordinator alone, in one gapless order."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from transport.messages.base import (
    Count,
    Label,
    Message,
    Name,
    Origin,
    PromoteId,
    SagaId,
    Sequence,
    Text,
    Version,
)
from transport.messages.reports import DriftLabels, RemovalReason


class Event(Message, frozen=True, kw_only=True):
    """A fact.

    Attributes:
        version: its number in the log, from 1 and without gaps; 0 until it is recorded.
        saga_id: the saga that asked for it; nil for an organic event.
        origin: the report it came of; nil for one that came of none.
    """

    version: Version = 0
    saga_id: SagaId | None = None
    origin: Origin | None = None


class PoolWindowAdded(Event, frozen=True, kw_only=True):
    """A ready window is in the host's pool."""

    label: Label
    reconciled: bool = False


class PoolWindowRemoved(Event, frozen=True, kw_only=True):
    """A window is no longer in the host's pool."""

    label: Label
    reason: RemovalReason
    promote_id: PromoteId | None = None
    reconciled: bool = False


class PoolWindowPromoted(Event, frozen=True, kw_only=True):
    """A pool window became a user's window. Triggers `pool_respawn_on_promote`."""

    label: Label
    promote_id: PromoteId


class WindowOpened(Event, frozen=True, kw_only=True):
    """A user sees a new window. `promote_id` is nil only where it is `reconciled`."""

    label: Label
    promote_id: PromoteId | None = None
    cold: bool = False
    reconciled: bool = False


class WindowClosed(Event, frozen=True, kw_only=True):
    """A user's window is gone. Triggers `window_cleanup_cascade` unless it crashed."""

    label: Label
    crash_detected: bool = False
    reconciled: bool = False


class PanesReaped(Event, frozen=True, kw_only=True):
    """The panes of a closed window are gone."""

    label: Label


class PoolDrained(Event, frozen=True, kw_only=True):
    """The host's last window closed and its pool is empty; its target is 0 until one opens."""

    label: Label


class PoolNotLast(Event, frozen=True, kw_only=True):
    """The host has other windows open, so its pool stays."""

    label: Label


class ActionFailed(Event, frozen=True, kw_only=True):
    """A host could not carry a command out."""

    reason: Text


class PoolDriftReported(Event, frozen=True, kw_only=True, gc=True):
    """A host found that the launcher's view of its pool is not its own."""

    at_sequence: Sequence
    missing: DriftLabels = ()
    surplus: DriftLabels = ()


class HostRegistered(Event, frozen=True, kw_only=True):
    """A new epoch of a host registered: `origin` names it, with sequence 0."""

    pool_target: Count
    drained: bool = False


class HostLeft(Event, frozen=True, kw_only=True):
    """An epoch of a host is over: it said goodbye, or a later one took its place."""

    reason: Literal["goodbye", "restarted"]


class SagaStarted(Event, frozen=True, kw_only=True):
    """A bracket opens. `cause`: version of the event that triggered the saga, or nil."""

    name: Name
    cause: Version | None = None


class SagaCompleted(Event, frozen=True, kw_only=True):
    """A bracket closes well. `result`: the refilled label, `drained`, `not_last`, ..."""

    result: Text


class SagaFailed(Event, frozen=True, kw_only=True):
    """A bracket closes badly, with the reason."""

    reason: Text


class EventHead(msgspec.Struct, frozen=True, kw_only=True):
    """What every recorded event has, whatever its type."""

    version: Annotated[int, Meta(ge=1)]
    saga_id: SagaId | None
    origin: Origin | None


class OpaqueEvent(EventHead, frozen=True, kw_only=True):
    """An event whose type this process does not know: its version counts, its fields are as sent.

    Attributes:
        type_name: the `type` on the wire.
        fields: the whole map as it came.
    """

    type_name: str
    fields: dict[str, Any]


Recorded = Event | OpaqueEvent
"""Anything that an observer is handed as a numbered event."""

Terminal = SagaCompleted | SagaFailed
"""What closes a bracket."""
