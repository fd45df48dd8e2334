"""An extension in one module: every window that a user sees gets a thumbnail.

Its saga runs across three processes. A window opens in a host; the saga asks a service for a
thumbnail, asks the host to show it, and has the launcher itself note the fact. Run it with

    muxsaga launcher --extension docs.examples.window_thumbnails ...
    muxsaga host     --extension docs.examples.window_thumbnails ...
    muxsaga service  --extension docs.examples.window_thumbnails ...
    muxsaga watch    --extension docs.examples.window_thumbnails ...
"""

from collections.abc import Sequence
from typing import ClassVar, Self

from actors.launcher_extension import LauncherExtension
from actors.reducer import ReportContext
from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from actors.state import State
from host_sim.extension import HostExtension
from transport.message_types import MessageTypes
from transport.messages import Command, Event, Report, WindowOpened
from transport.messages.base import Label, Text


class TakeThumbnail(Command, frozen=True, kw_only=True):
    """To the service: draw what window `label` shows."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportThumbnailTaken",)
    label: Label


class ShowThumbnail(Command, frozen=True, kw_only=True):
    """To the host: put the picture into the task bar."""

    outcomes: ClassVar[tuple[str, ...]] = ("ReportThumbnailShown",)
    label: Label
    picture: Text


class NoteThumbnail(Command, frozen=True, kw_only=True):
    """To the launcher itself: make it a fact that the window has its thumbnail."""

    label: Label


class ReportThumbnailTaken(Report, frozen=True, kw_only=True):
    """The service drew it."""

    label: Label
    picture: Text


class ReportThumbnailShown(Report, frozen=True, kw_only=True):
    """The host shows it."""

    label: Label


class ThumbnailTaken(Event, frozen=True, kw_only=True):
    """There is a picture of window `label`."""

    label: Label
    picture: Text


class ThumbnailShown(Event, frozen=True, kw_only=True):
    """The host shows the picture of window `label`."""

    label: Label


class ThumbnailNoted(Event, frozen=True, kw_only=True):
    """Window `label` has its thumbnail."""

    label: Label


class WindowThumbnail(Saga):
    """Brings one window its thumbnail."""

    name: ClassVar[str] = "window_thumbnail"
    timeout: ClassVar[float] = 10.0
    triggers: ClassVar[tuple[type[Event], ...]] = (WindowOpened,)

    def __init__(self, label: str) -> None:
        self.label = label

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        """Start one for every window that opens."""
        return cls(event.label) if isinstance(event, WindowOpened) else None

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        """Give the window's label."""
        return {"label": self.label}

    def start(self, context: SagaContext) -> SagaAction:
        """Have the picture drawn."""
        del context
        return IssueCmd(Target.SRV, TakeThumbnail(label=self.label))

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        """Have it shown, have it noted, and be done."""
        del context
        match event:
            case ThumbnailTaken(label=self.label, picture=picture):
                return IssueCmd(Target.HOST, ShowThumbnail(label=self.label, picture=picture))
            case ThumbnailShown(label=self.label):
                return IssueCmd(Target.LAUNCHER_SELF, NoteThumbnail(label=self.label))
            case ThumbnailNoted(label=self.label):
                return Done(self.label)
            case _:
                return Wait()


def thumbnail_taken(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    """Turn the service's report into its event."""
    del state
    assert isinstance(report, ReportThumbnailTaken)  # noqa: S101 - the arm of this report
    return (
        ThumbnailTaken(
            label=report.label,
            picture=report.picture,
            saga_id=context.saga_id,
            origin=context.origin,
        ),
    )


def thumbnail_shown(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    """Turn the host's report into its event."""
    del state
    assert isinstance(report, ReportThumbnailShown)  # noqa: S101 - the arm of this report
    return (ThumbnailShown(label=report.label, saga_id=context.saga_id, origin=context.origin),)


def note_thumbnail(state: State, command: Command) -> Sequence[Event]:
    """Turn the launcher's own command into its event."""
    del state
    assert isinstance(command, NoteThumbnail)  # noqa: S101 - the handler of this command
    return (ThumbnailNoted(label=command.label),)


def take_thumbnail(command: Command) -> Sequence[Report]:
    """Draw the picture, in the service."""
    assert isinstance(command, TakeThumbnail)  # noqa: S101 - the handler of this command
    return (ReportThumbnailTaken(label=command.label, picture=f"[{command.label[-8:]}]"),)


def show_thumbnail(command: Command) -> Sequence[Report]:
    """Show the picture, in the host."""
    assert isinstance(command, ShowThumbnail)  # noqa: S101 - the handler of this command
    return (ReportThumbnailShown(label=command.label),)


MESSAGES = MessageTypes(
    commands=(TakeThumbnail, ShowThumbnail, NoteThumbnail),
    reports=(ReportThumbnailTaken, ReportThumbnailShown),
    events=(ThumbnailTaken, ThumbnailShown, ThumbnailNoted),
)
LAUNCHER = LauncherExtension(
    sagas=(WindowThumbnail,),
    arms={ReportThumbnailTaken: thumbnail_taken, ReportThumbnailShown: thumbnail_shown},
    self_handlers={NoteThumbnail: note_thumbnail},
)
HOST = HostExtension(handlers={ShowThumbnail: show_thumbnail})
SERVICE = HostExtension(handlers={TakeThumbnail: take_thumbnail})
