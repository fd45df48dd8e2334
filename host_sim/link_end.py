"""A host's or service's commands and reports: each command is executed once, each report is kept.

What a host and a service have in common: the session, the idempotency above it, and the history.
"""

from collections.abc import Callable, Sequence

from host_sim.history import HostHistory
from host_sim.idempotency import Outcomes, Standing
from transport.host_session import HostSession, NumberedFrame
from transport.host_session_events import (
    Accepted,
    CommandReceived,
    CommandUnreadable,
    FencedBy,
    RefusedBy,
)
from transport.messages import CommandIdentity, Report, ReportActionFailed

LinkEvent = Accepted | FencedBy | RefusedBy
"""What the session tells, beside commands."""

WaitingCommand = CommandReceived | CommandUnreadable


class LinkEnd:
    """Commands in, reports out.

    Args:
        session: the session with the launcher.
        history: told of every command and every report.
        frame_ended: told the number of the last report of every frame made.

    Attributes:
        outcomes: what became of the commands.
        repeated: how many commands came again and were answered as before.
        below_mark: how many commands came of sagas that are over, and were ignored.
    """

    def __init__(
        self,
        session: HostSession,
        history: HostHistory,
        frame_ended: Callable[[int], None] | None = None,
    ) -> None:
        self.session = session
        self.history = history
        self.outcomes = Outcomes()
        self.repeated = 0
        self.below_mark = 0
        self._frame_ended = frame_ended
        self._waiting: list[WaitingCommand] = []

    def receive(self, frames: Sequence[bytes], now: int) -> list[LinkEvent]:
        """Take frames of the launcher; their commands wait for `take_waiting`."""
        events: list[LinkEvent] = []
        for event in self.session.receive(frames, now):
            if isinstance(event, CommandReceived | CommandUnreadable):
                self._waiting.append(event)
                continue
            if isinstance(event, RefusedBy):
                self.history.note(
                    "refused_by_launcher",
                    now,
                    fault=event.fault,
                    detail=event.detail,
                    sequence=event.sequence,
                )
            events.append(event)
        return events

    @property
    def has_waiting(self) -> bool:
        """Commands wait to be executed."""
        return bool(self._waiting)

    def take_waiting(self) -> list[WaitingCommand]:
        """Take out the commands that wait, after everything that was read with them counted."""
        if not self._waiting:
            return []
        if self.session.low_water is not None:
            self.outcomes.forget_below(self.session.low_water)
        waiting, self._waiting = self._waiting, []
        return waiting

    def admit(self, waiting: WaitingCommand, now: int) -> bool:
        """Say whether a command is to be executed; one that need not be is answered here."""
        identity, name = _named(waiting)
        standing = self.outcomes.begin(identity)
        self.history.note(
            "command",
            now,
            type=name,
            identity=identity,
            repeated=standing is not Standing.NEW,
        )
        match standing:
            case Standing.NEW if isinstance(waiting, CommandUnreadable):
                reason = waiting.reason[:1024]
                self.report([ReportActionFailed(identity=identity, reason=reason)], now)
                return False
            case Standing.NEW:
                return True
            case Standing.BELOW_MARK:
                self.below_mark += 1
            case Standing.IN_PROGRESS:
                self.repeated += 1
            case Standing.SETTLED:
                self.repeated += 1
                frame = self.outcomes.frame_of(identity)
                if frame is not None:
                    self.session.repeat(frame)
        return False

    def leave_unanswered(self, waiting: WaitingCommand, now: int) -> None:
        """Do nothing about a command, as one that is told not to answer."""
        identity, name = _named(waiting)
        self.history.note("unanswered", now, type=name, identity=identity)

    def report(self, reports: list[Report], now: int) -> NumberedFrame:
        """Send reports in one frame; it settles the commands whose identities they carry.

        Raises:
            FrameError: they are too large for one frame; nothing is sent.
        """
        frame = self.session.report(reports)
        for report in reports:
            if report.identity is not None:
                self.outcomes.settle(report.identity, frame)
        self.history.note_reports(frame, reports, now)
        if self._frame_ended is not None:
            self._frame_ended(frame.last)
        return frame


def _named(waiting: WaitingCommand) -> tuple[CommandIdentity, str]:
    """Give a command's identity and type."""
    if isinstance(waiting, CommandUnreadable):
        return waiting.identity, waiting.type_name
    identity = waiting.command.identity
    assert identity is not None  # noqa: S101 - the session lets no other through
    return identity, type(waiting.command).__name__
