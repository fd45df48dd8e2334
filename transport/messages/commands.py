"""Commands that a saga issues: down to a host, to a service, or to the launcher itself."""

from typing import ClassVar

from transport.messages.base import CommandIdentity, Label, Message


class Command(Message, frozen=True, kw_only=True):
    """A request. Exactly one report settles it, repeating its identity.

    Attributes:
        identity: put in by the coordinator when the command is dispatched; nil until then.
        outcomes: names of the report types that settle it, beside `ReportActionFailed`.
    """

    outcomes: ClassVar[tuple[str, ...]] = ()

    identity: CommandIdentity | None = None


class SpawnPoolWindow(Command, frozen=True, kw_only=True):
    """Make one window, wait until it is ready, and put it into the pool."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportPoolWindowAdded",)


class ReapPanes(Command, frozen=True, kw_only=True):
    """Close every pane that the closed window `label` left behind."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportPanesReaped",)

    label: Label


class DrainPoolIfLast(Command, frozen=True, kw_only=True):
    """Empty the pool if `label` was the host's last open window."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportPoolDrained", "ReportPoolNotLast")

    label: Label
