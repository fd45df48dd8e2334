"""A host: windows, a pool, and the host's end of the link, as one deterministic object.

Frames and the time (an integer, nanoseconds) in, frames out. It never fills its pool by itself: the
launcher's sagas do. Everything that waits is read before anything is executed.
"""

import random
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Any

from host_sim.command_executor import QUITTING, CommandExecutor
from host_sim.drift_watch import DriftWatch
from host_sim.extension import HostExtension
from host_sim.faults import Fault, FaultError, FaultScript
from host_sim.history import HostHistory, Record
from host_sim.link_end import LinkEnd
from host_sim.replies import Asker, Replies
from host_sim.settings import SECOND, HostSettings
from host_sim.user_actions import UserActions
from host_sim.window_maker import PromoteIds, WindowMaker
from host_sim.windows import HostWindows
from transport.codec import Codec, decode, family
from transport.frame_fault import FaultCounts, FrameError
from transport.host_session import HostSession, Stock
from transport.host_session_events import Accepted, CommandReceived, FencedBy
from transport.message_types import USER_ACTIONS
from transport.messages import (
    CloseWindow,
    DemoteWindow,
    HostState,
    InjectFault,
    InspectHost,
    Message,
    PromoteWindow,
    Refused,
    ReportPoolDrift,
    ReportPoolWindowRemoved,
    ReportWindowClosed,
)

REBASE_INTERVAL = 10 * SECOND
"""At most this often a host registers again only to compare its pool, in nanoseconds."""


class HostOutcome(Enum):
    """How a host's life ended."""

    FENCED = "fenced"
    LEFT = "left"


class Host:
    """One epoch of a host.

    Args:
        settings: how it is.
        epoch: of this life.
        generator: decides how long windows take.
        codec: knows the message types of its extensions.
        record: takes the history, one map a happening; None keeps none.
        extension: handlers of further commands.

    Attributes:
        outcome: how it ended; None while it lives.
        fenced_by: the later epoch, once fenced.
    """

    def __init__(
        self,
        settings: HostSettings,
        *,
        epoch: str,
        generator: random.Random,
        codec: Codec | None = None,
        record: Record | None = None,
        extension: HostExtension | None = None,
    ) -> None:
        codec = codec or Codec()
        self.outcome: HostOutcome | None = None
        self.fenced_by: str | None = None
        self._settings = settings
        self._epoch = epoch
        self._faults = FaultScript(settings.faults)
        self._watch = DriftWatch(settings.host, epoch, codec)
        self._windows = HostWindows(epoch, settings.pool_target, self._watch.pool_changed)
        self._session = HostSession(
            host=settings.host,
            epoch=epoch,
            pool_target=settings.pool_target,
            codec=codec,
            stock=self._take_stock,
            heartbeat=settings.heartbeat,
            held_limit=settings.held_limit,
            part_limit=settings.part_limit,
        )
        self._history = HostHistory(settings.host, epoch, record)
        self._link = LinkEnd(self._session, self._history, self._watch.frame_ended)
        self._replies = Replies()
        promote_ids = PromoteIds(epoch)
        self._maker = WindowMaker(
            settings=settings,
            generator=generator,
            faults=self._faults,
            windows=self._windows,
            link=self._link,
            replies=self._replies,
            promote_ids=promote_ids,
        )
        handlers = (extension or HostExtension()).handlers
        self._executor = CommandExecutor(
            settings=settings,
            faults=self._faults,
            windows=self._windows,
            maker=self._maker,
            link=self._link,
            handlers=handlers,
        )
        self._actions = UserActions(
            settings=settings,
            windows=self._windows,
            maker=self._maker,
            link=self._link,
            replies=self._replies,
            promote_ids=promote_ids,
            refusal=self._refusal,
        )
        self._control = family(USER_ACTIONS)
        self._control_faults = FaultCounts()
        self._asked: deque[tuple[bytes, Message]] = deque()
        self._log: str | None = None
        self._next_rebase = 0

    # --- frames in ------------------------------------------------------------------------------

    @property
    def needs_connection(self) -> bool:
        """A new connection to the launcher is to be made, and `connected` to be called."""
        return self._session.needs_connection

    @property
    def registered(self) -> bool:
        """The launcher knows this connection."""
        return self._session.registered

    @property
    def launcher_stopping(self) -> bool:
        """The launcher said that it shuts down, and did not accept anew since."""
        return self._session.launcher_stopping

    @property
    def not_allowed(self) -> str | None:
        """Why the launcher did not let this process register with its key; None if it did."""
        return self._session.not_allowed

    def connected(self, now: int) -> None:
        """Begin again on a new connection to the launcher."""
        self._session.connect(now)

    def receive_link(self, frames: Sequence[bytes], now: int) -> None:
        """Take one ZeroMQ message of the launcher; its commands wait for `advance`."""
        for event in self._link.receive(frames, now):
            match event:
                case Accepted(log=log):
                    self._accepted(log, now)
                case FencedBy(epoch=epoch):
                    self.fenced_by = epoch
                    self.outcome = HostOutcome.FENCED
                    self._history.note("fenced", now, by=epoch)
                case _:
                    pass

    def receive_stream(self, frame: bytes, now: int) -> None:
        """Take one frame of the event stream."""
        for drift in self._watch.receive(frame):
            self._history.note("drift", now, missing=drift.missing, surplus=drift.surplus)
            report = ReportPoolDrift(
                at_sequence=drift.at_sequence, missing=drift.missing, surplus=drift.surplus
            )
            self._link.report([report], now)

    def receive_control(self, connection: bytes, frame: bytes, now: int) -> None:
        """Take one frame of the control socket; what it asks for waits for `advance`."""
        del now
        try:
            self._asked.append((connection, decode(frame, self._control)))
        except FrameError as error:
            self._control_faults[error.fault] += 1
            self._replies.say(connection, Refused(fault=error.fault, detail=error.detail))

    # --- time -----------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Give when `advance` has something to do; None if only a frame can bring something."""
        if self._asked or self._link.has_waiting:
            return 0
        dues = (self._maker.next_due, self._executor.next_due, self._session.next_due())
        return min((due for due in dues if due is not None), default=None)

    def advance(self, now: int) -> None:
        """Do everything that waits, and everything whose time has come."""
        if self.outcome is not None:
            return
        self._finish_due(now)
        for waiting in self._link.take_waiting():
            if self._faults.strikes(Fault.NO_ANSWER):
                self._link.leave_unanswered(waiting, now)
                continue
            if self._link.admit(waiting, now) and isinstance(waiting, CommandReceived):
                self._executor.execute(waiting.command, now)
        while self._asked:
            self._answer(*self._asked.popleft(), now)
        if self._faults:
            self._misbehave(now)
        if self._watch.wants_registration and self.registered and now >= self._next_rebase:
            self._next_rebase = now + REBASE_INTERVAL
            self._session.register_again()
        self._session.tick(now)

    def stop(self, now: int) -> None:
        """Leave in order: refuse user actions, give up what is under way, say goodbye."""
        if self._executor.stopping or self.outcome is not None:
            return
        self._executor.stopping = True
        self._maker.fail_all(QUITTING, now)
        self._executor.fail_all(QUITTING, now)
        self._session.leave()
        self._history.note("stopping", now)
        if self._session.left:
            self.outcome = HostOutcome.LEFT

    def _finish_due(self, now: int) -> None:
        self._maker.finish_due(now)
        self._executor.finish_due(now)

    # --- frames out -----------------------------------------------------------------------------

    def link_outgoing(self) -> list[bytes]:
        """Give the frames of the next ZeroMQ message to the launcher; none if there is none."""
        frames = self._session.outgoing()
        if self._session.left and self.outcome is None:
            self.outcome = HostOutcome.LEFT
        return frames

    def link_not_sent(self) -> None:
        """Take back what `link_outgoing` gave last: the socket would block."""
        self._session.not_sent()
        if self.outcome is HostOutcome.LEFT and not self._session.left:
            self.outcome = None

    def control_outgoing(self) -> list[tuple[bytes, bytes]]:
        """Take out the answers to users: connections and frames."""
        return self._replies.take()

    # --- what it does of its own ----------------------------------------------------------------

    def _take_stock(self) -> Stock:
        self._watch.rebase(self._session.last, self._windows.pooled)
        return Stock(self._windows.inventory(), self._windows.drained)

    def _accepted(self, log: str, now: int) -> None:
        self._history.note("registered", now, log=log)
        if self._log is not None and self._log != log:
            # The sagas that would have had these panes reaped were in the log that is gone.
            for label in list(self._windows.closing):
                self._windows.reap(label)
                self._history.note("reaped", now, label=label)
        self._log = log

    def _refusal(self) -> str | None:
        if self._executor.stopping:
            return QUITTING
        if not self._session.registered_once:
            return "not registered with a launcher yet"
        if self.launcher_stopping:
            return "the launcher is stopping"
        if self._session.full:
            return f"{self._session.held} reports wait for the launcher"
        return None

    def _misbehave(self, now: int) -> None:
        faults, windows = self._faults, self._windows
        while windows.pooled and faults.strikes(Fault.WINDOW_VANISHES):
            self._history.note("vanished", now, label=windows.lose_ready())
        while windows.pooled and faults.strikes(Fault.READY_WINDOW_DIES):
            label = windows.lose_ready()
            self._history.note("died", now, label=label)
            self._link.report([ReportPoolWindowRemoved(label=label, reason="died")], now)
        while windows.opened and faults.strikes(Fault.OPEN_WINDOW_CRASHES):
            label = windows.crash_opened()
            self._history.note("crashed", now, label=label)
            self._link.report([ReportWindowClosed(label=label, crash_detected=True)], now)

    def _answer(self, connection: bytes, message: Message, now: int) -> None:
        match message:
            case PromoteWindow() | CloseWindow() | DemoteWindow():
                self._actions.perform(connection, message, now)
            case InspectHost(number=number):
                self._replies.say(connection, HostState(number=number, state=self.state()))
            case InjectFault(number=number, fault=name, count=count):
                asker = Asker(connection, number)
                try:
                    self._faults.set(name, count)
                except FaultError as error:
                    self._replies.refused(asker, str(error))
                else:
                    self._replies.done(asker, now, label="")
            case _:
                pass

    def state(self) -> dict[str, Any]:
        """Give everything the host knows of itself, as plain values."""
        session, windows = self._session, self._windows
        low_water = session.low_water
        return {
            "host": self._settings.host,
            "epoch": self._epoch,
            "registered": session.registered,
            "stopping": self._executor.stopping,
            "launcher_stopping": self.launcher_stopping,
            "log": session.log,
            "low_water": low_water.saga_id if low_water else None,
            "pool": list(windows.pooled),
            "open": list(windows.opened),
            "closing": list(windows.closing),
            "creating": self._maker.for_pool,
            "opening": self._maker.cold,
            "reaping": self._executor.reaping,
            "target": windows.target,
            "pool_target": self._settings.pool_target,
            "drained": windows.drained,
            "last_report": session.last,
            "held": session.held,
            "full": session.full,
            "faults": self._faults.counts(),
            "comparing": self._watch.comparing,
            "counters": self._counters(),
        }

    def _counters(self) -> dict[str, Any]:
        return {
            "creations_failed": self._maker.failed,
            "outcomes_kept": len(self._link.outcomes),
            "commands_repeated": self._link.repeated,
            "commands_below_mark": self._link.below_mark,
            "actions_refused": self._replies.refusals,
            "pools_compared": self._watch.compared,
            "link_faults": _plain(self._session.faults),
            "stream_faults": _plain(self._watch.faults),
            "control_faults": _plain(self._control_faults),
        }


def _plain(faults: FaultCounts) -> dict[str, int]:
    return {fault.value: count for fault, count in faults.items()}
