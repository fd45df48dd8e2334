"""Reports: what a host or service tells the launcher that it did or saw."""

from typing import Annotated, Literal

from msgspec import Meta

from transport.messages.base import CommandIdentity, Label, Message, PromoteId, Sequence, Text

RemovalReason = Literal["promoted", "died", "drained"]
"""Why a window left its pool."""

DRIFT_LABELS_LIMIT = 100

DriftLabels = Annotated[tuple[Label, ...], Meta(max_length=DRIFT_LABELS_LIMIT)]
"""Labels that differ: the first ones."""


class Report(Message, frozen=True, kw_only=True):
    """One thing that a host did or saw.

    Attributes:
        identity: of the command that this report settles; nil when no command asked for it.
    """

    identity: CommandIdentity | None = None


class ReportPoolWindowAdded(Report, frozen=True, kw_only=True):
    """A ready window went into the pool: made by a command, or (organic) handed back by a user."""

    label: Label


class ReportPoolWindowRemoved(Report, frozen=True, kw_only=True):
    """A window left the pool. `promote_id` is nil unless `reason` is `promoted`."""

    label: Label
    reason: RemovalReason
    promote_id: PromoteId | None = None


class ReportPoolWindowPromoted(Report, frozen=True, kw_only=True):
    """A pool window became a user's window; its removal is in the same frame."""

    label: Label
    promote_id: PromoteId


class ReportWindowOpened(Report, frozen=True, kw_only=True):
    """A user sees a new window. `cold`: the pool was empty, and the window was made on demand."""

    label: Label
    promote_id: PromoteId
    cold: bool = False


class ReportWindowClosed(Report, frozen=True, kw_only=True):
    """A user's window is gone; with `crash_detected`, by itself."""

    label: Label
    crash_detected: bool = False


class ReportPanesReaped(Report, frozen=True, kw_only=True):
    """The panes of a closed window are gone. Settles `ReapPanes`."""

    label: Label


class ReportPoolDrained(Report, frozen=True, kw_only=True):
    """The last window closed and the pool is empty. Settles `DrainPoolIfLast`."""

    label: Label


class ReportPoolNotLast(Report, frozen=True, kw_only=True):
    """Other windows are open, so the pool stays. Settles `DrainPoolIfLast`."""

    label: Label


class ReportActionFailed(Report, frozen=True, kw_only=True):
    """A command could not be carried out. Settles any command."""

    reason: Text


class ReportPoolDrift(Report, frozen=True, kw_only=True, gc=True):
    """The launcher's view of this host's pool is not the host's own.

    Attributes:
        at_sequence: the report sequence at which the two were compared.
        missing: labels in the host's pool that the launcher does not have there.
        surplus: labels that only the launcher has there.
    """

    at_sequence: Sequence
    missing: DriftLabels = ()
    surplus: DriftLabels = ()
