"""User actions: they enter a host by its own control socket, never through the launcher."""

from typing import Annotated, Any

from msgspec import Meta

from transport.messages.base import Label, Message, PromoteId, Text
from transport.messages.query import QuestionNumber


class PromoteWindow(Message, frozen=True, kw_only=True):
    """Show a window to the user: one from the pool, or a cold one if the pool is empty."""

    number: QuestionNumber


class CloseWindow(Message, frozen=True, kw_only=True):
    """Close the user's window `label`."""

    number: QuestionNumber
    label: Label


class DemoteWindow(Message, frozen=True, kw_only=True):
    """Hand the user's window `label` back to the pool."""

    number: QuestionNumber
    label: Label


class InspectHost(Message, frozen=True, kw_only=True):
    """Everything the host knows of itself."""

    number: QuestionNumber


class InjectFault(Message, frozen=True, kw_only=True):
    """Make the host misbehave, for tests.

    Attributes:
        fault: one of `host_sim.faults.Fault`.
        count: how often; 0 ends it.
    """

    number: QuestionNumber
    fault: Annotated[str, Meta(max_length=64)]
    count: Annotated[int, Meta(ge=0, le=2**31)] = 1


class ActionDone(Message, frozen=True, kw_only=True):
    """The user action happened.

    Attributes:
        label: the window it happened to.
        promote_id: of a promote; else nil.
        cold: the promote found an empty pool.
        at_ns: the host's monotonic clock, in nanoseconds, when the window left its pool (or the
            action happened).
    """

    number: QuestionNumber
    label: Label
    promote_id: PromoteId | None
    cold: bool
    at_ns: Annotated[int, Meta(ge=0)]


class ActionRefused(Message, frozen=True, kw_only=True):
    """The user action did not happen, and why."""

    number: QuestionNumber
    reason: Text


class HostState(Message, frozen=True, kw_only=True, gc=True):
    """The answer to `InspectHost`; `state` is a tree of maps, described in `docs/protocol.md`."""

    number: QuestionNumber
    state: dict[str, Any]
