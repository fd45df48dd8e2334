"""What is done to a system: processes are killed or stand still, links break, the log is out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.process_system.links import Channel, LinkName
from actors.process_system.log_outage import LogOutage
from actors.process_system.running_system import RunningSystem
from actors.process_system.system_error import ProcessSystemError
from actors.process_system.system_loop import SystemLoop
from transport.fault_proxy import Relay
from transport.history_lines import FaultLine, OutageLine


class SystemFaults(RunningSystem):
    """The part of a `ProcessSystem` for those who break it.

    Args:
        loop: everything that is open in it.
        log: the file of its log.
    """

    def __init__(self, loop: SystemLoop, log: Path) -> None:
        super().__init__(loop)
        self._outage = LogOutage(log)

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL, and wait until it is gone; its supervisor starts it again.

        Raises:
            ProcessSystemError: it does not live, or is not gone in time.
        """
        ends = self.processes.ends[self._known(name)]
        if not self.processes.kill(name):
            raise ProcessSystemError(self._impossible(name, "killed"))
        self.wait_for(lambda: self.processes.ends[name] > ends, f"{name} to be gone")

    def suspend(self, name: str) -> None:
        """Let a process stand still with SIGSTOP.

        Raises:
            ProcessSystemError: it is not ready, or stands still already.
        """
        if not self.processes.suspend(self._known(name)):
            raise ProcessSystemError(self._impossible(name, "suspended"))

    def resume(self, name: str) -> None:
        """Let a process that stands still go on with SIGCONT.

        Raises:
            ProcessSystemError: it does not stand still.
        """
        if not self.processes.resume(self._known(name)):
            raise ProcessSystemError(self._impossible(name, "resumed"))

    def wait_until_ready(self, name: str) -> None:
        """Wait until a process is ready, in this life or the next; a host: has registered too.

        Raises:
            ProcessSystemError: it is not in time.
        """
        since = time.monotonic_ns()
        self.wait_for(lambda: self._is_at_work(name, since), f"{name} to be ready")

    def relay(self, client: str, channel: Channel) -> Relay:
        """Give what stands in a link, to make it misbehave: `cut`, `silence`, `delay`, ...

        The caller notes what it does: see `note`.

        Args:
            client: a host, service or observer; the system's own is `witness`.
            channel: hosts have `link` and `events`, services `link`,
                observers `events` and `query`.

        Raises:
            ProcessSystemError: there is none; says what there is.
        """
        relays = self._loop.links.relays
        relay = relays.get(LinkName(client, channel))
        if relay is None:
            there = ", ".join(" ".join(name) for name in relays) or "none without `relayed`"
            msg = f"there is no relay in {client} {channel}; there are {there}"
            raise ProcessSystemError(msg)
        return relay

    def begin_log_outage(self) -> bool:
        """Take the log's write lock; say whether it was free, for a commit may have it just now."""
        return self._note_outage(self._outage.begin())

    def end_log_outage(self) -> None:
        """Let the launcher's log be writable again; without an outage, do nothing."""
        self._note_outage(self._outage.end())

    @contextmanager
    def log_outage(self) -> Iterator[None]:
        """Keep the launcher's log from being written for as long as the block lasts."""
        self.wait_for(self.begin_log_outage, "the log's write lock")
        try:
            yield
        finally:
            self.end_log_outage()

    def heal(self) -> None:
        """Let everything that stands still go on, links be as they should, the log be writable."""
        self.end_log_outage()
        self._loop.links.heal()
        for name in self.names:
            self.processes.resume(name)

    def note(self, *lines: FaultLine) -> None:
        """Put into the history what the caller does to a link, or anything else that it does."""
        self._loop.note(*lines)

    def _note_outage(self, line: OutageLine | None) -> bool:
        if line is not None:
            self._loop.note(line)
            self.processes.log_outage(lasts=self._outage.lasts)
        return line is not None

    def _is_at_work(self, name: str, since: int) -> bool:
        if not self.is_ready(name) or name not in self._loop.controls.sockets:
            return self.is_ready(name)
        self._loop.states.ask([name])
        state = self._loop.states.state_of(name, since)
        return state is not None and bool(state["registered"])

    def _impossible(self, name: str, what: str) -> str:
        state = self.processes.states[name].name.lower()
        return f"{name} cannot be {what}: it is {state}"
