"""Carries out the commands of sagas. Every command is settled by exactly one report."""

from collections.abc import Mapping

from host_sim.due_work import DueWork
from host_sim.extension import Handler, carry_out, failed
from host_sim.faults import Fault, FaultScript
from host_sim.link_end import LinkEnd
from host_sim.settings import HostSettings
from host_sim.window_maker import WindowMaker
from host_sim.windows import HostWindows
from transport.frame_fault import FrameError
from transport.messages import (
    Command,
    CommandIdentity,
    DrainPoolIfLast,
    ReapPanes,
    Report,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolNotLast,
    ReportPoolWindowRemoved,
    SpawnPoolWindow,
)

REMOVALS_IN_FRAME = 255
"""How many removals one frame of a drain holds, beside the outcome in the last."""

QUITTING = "quitting"

_SPAWN_REFUSALS = {
    Fault.QUITTING: QUITTING,
    Fault.MEMORY_PRESSURE: "memory pressure",
    Fault.PANE_CLOSING: "pane closing",
}


class CommandExecutor:
    """A host's part in the sagas.

    Attributes:
        stopping: the host is about to leave; it makes no more windows.
    """

    def __init__(
        self,
        *,
        settings: HostSettings,
        faults: FaultScript,
        windows: HostWindows,
        maker: WindowMaker,
        link: LinkEnd,
        handlers: Mapping[type[Command], Handler],
    ) -> None:
        self.stopping = False
        self._reap_time = settings.pane_reap_time
        self._faults = faults
        self._windows = windows
        self._maker = maker
        self._link = link
        self._handlers = handlers
        self._reaping: DueWork[ReapPanes] = DueWork()

    @property
    def next_due(self) -> int | None:
        """When the next window's panes are gone."""
        return self._reaping.next_due

    @property
    def reaping(self) -> int:
        """Of how many windows the panes are being reaped."""
        return len(self._reaping)

    def execute(self, command: Command, now: int) -> None:
        """Carry a command out, or begin to."""
        identity = command.identity
        match command:
            case SpawnPoolWindow() if identity is not None:
                self._spawn(command, identity, now)
            case ReapPanes():
                self._reap(command, now)
            case DrainPoolIfLast():
                self._drain_if_last(command, now)
            case _:
                self._extend(command, now)

    def finish_due(self, now: int) -> None:
        """Report the panes that are reaped by now."""
        while (command := self._reaping.pop_due(now)) is not None:
            self._reaped(command, now)

    def fail_all(self, reason: str, now: int) -> None:
        """Give up what is under way."""
        for command in self._reaping.take(lambda _: True):
            self._link.report([failed(command, reason)], now)

    # --- SpawnPoolWindow ------------------------------------------------------------------------

    def _spawn(self, command: Command, identity: CommandIdentity, now: int) -> None:
        reason = self._spawn_refusal()
        if reason is None:
            self._maker.start(identity, now)
        else:
            self._link.report([failed(command, reason)], now)

    def _spawn_refusal(self) -> str | None:
        if self.stopping:
            return QUITTING
        for fault, reason in _SPAWN_REFUSALS.items():
            if self._faults.strikes(fault):
                return reason
        if self._reaping:
            return "pane closing"
        return None if self._windows.has_room(self._maker.for_pool) else "pool full"

    # --- ReapPanes ------------------------------------------------------------------------------

    def _reap(self, command: ReapPanes, now: int) -> None:
        label = command.label
        if label in self._windows.closing:
            if self._reap_time:
                self._reaping.add(now + self._reap_time, command)
            else:
                self._reaped(command, now)
        elif self._windows.was_closed(label):
            self._report_reaped(command, now)
        else:
            reason = f"cannot reap the panes of {label!r}: it is {self._windows.where(label)}"
            self._link.report([failed(command, reason)], now)

    def _reaped(self, command: ReapPanes, now: int) -> None:
        if command.label in self._windows.closing:
            self._windows.reap(command.label)
            self._link.history.note("reaped", now, label=command.label)
        self._report_reaped(command, now)

    def _report_reaped(self, command: ReapPanes, now: int) -> None:
        report = ReportPanesReaped(identity=command.identity, label=command.label)
        self._link.report([report], now)

    # --- DrainPoolIfLast ------------------------------------------------------------------------

    def _drain_if_last(self, command: DrainPoolIfLast, now: int) -> None:
        identity, label = command.identity, command.label
        if self._windows.opened:
            self._link.report([ReportPoolNotLast(identity=identity, label=label)], now)
            return
        removed = self._windows.drain()
        self._link.history.note("drained", now, labels=removed)
        reports: list[Report] = []
        for each in removed:
            if len(reports) == REMOVALS_IN_FRAME:
                self._link.report(reports, now)
                reports = []
            reports.append(ReportPoolWindowRemoved(label=each, reason="drained"))
        reports.append(ReportPoolDrained(identity=identity, label=label))
        self._link.report(reports, now)
        self._maker.fail_for_pool("pool draining", now)

    # --- an extension's -------------------------------------------------------------------------

    def _extend(self, command: Command, now: int) -> None:
        run_handler(self._handlers.get(type(command)), command, self._link, now)


def run_handler(handler: Handler | None, command: Command, link: LinkEnd, now: int) -> None:
    """Settle a command by its extension's handler; an unusable result settles it as failed."""
    try:
        link.report(carry_out(handler, command), now)
    except (FrameError, TypeError, ValueError, OverflowError) as error:
        reason = f"reports on {type(command).__name__} cannot be sent: {error}"
        link.report([failed(command, reason)], now)
