"""A whole system of real processes, run from one thread of Python.

A launcher with its log in a file, hosts, observers and, where an extension needs one, a service:
each is the process that its own `muxsaga` command runs, under a supervisor that starts again
whatever is killed. The caller acts as the users, sees every event, kills and suspends processes by
their names, breaks links, takes the log away, and in the end has the whole history, and a judgement
of it.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from actors.launcher_extension import load_launcher_extension, saga_kinds
from actors.log_lines import log_lines
from actors.process_system.place import SystemPlace
from actors.process_system.quiet import QuietWatch
from actors.process_system.settings import ProcessSystemSettings
from actors.process_system.system_error import ProcessSystemError
from actors.process_system.system_faults import SystemFaults
from actors.process_system.system_loop import LONGEST_ROUND, SystemLoop
from actors.process_system.system_users import SystemUsers
from transport.checker import Rules, Violation, check
from transport.endpoints import private_directory
from transport.history import HistoryFile
from transport.history_lines import TimeoutsLine
from transport.merged_history import merge_histories
from transport.messages import (
    Event,
)
from transport.mirror import Mirror
from transport.process_signals import StopSignals

START_SECONDS = 60.0
SETTLE_SECONDS = 30.0
LAST_BLOBS_SECONDS = 0.1
"""How long the stream of an ended launcher must be silent to be taken as read."""


class ProcessSystem(SystemFaults, SystemUsers):
    """A system of real processes; as a context manager it starts it, and leaves no process behind.

    All of it belongs to the thread that made it, best the main one: the processes die with that
    thread. While nobody is inside one of its methods nothing is observed, and nothing that was
    killed comes back; whoever has nothing else to do calls `wait_for` or `poll`.

    Args:
        directory: private, or yet to be made; everything is there. Its path must be short: Unix
            sockets are in it.
        settings: what the system is made of.
        rules: what the checker is told of the sagas; by default the core's.
        signals: requests to stop: while there is one, whatever waits raises
            `SystemInterruptedError`. None for a program that is interrupted in its own way.

    Raises:
        EndpointError: the directory cannot be used.
        ExtensionError, HostExtensionError: an extension cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        settings: ProcessSystemSettings | None = None,
        *,
        rules: Rules | None = None,
        signals: StopSignals | None = None,
    ) -> None:
        self.settings = settings or ProcessSystemSettings()
        self.place = SystemPlace(private_directory(directory), relayed=self.settings.relayed)
        self._rules = rules
        super().__init__(SystemLoop(self.settings, self.place, signals), self.place.log)
        self._quiet = QuietWatch(self.settings, self.place, self._loop)
        self._unfinished: list[str] = []
        self._history: Path | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.end()
        finally:
            self.discard()

    # --- questions -------------------------------------------------------------------------------

    @property
    def events(self) -> Sequence[Event]:
        """Every event that the system's observer was handed, in order."""
        return self._loop.observer.events

    @property
    def mirror(self) -> Mirror:
        """Every host's windows, as those events tell them."""
        return self._loop.observer.mirror

    @property
    def open_sagas(self) -> frozenset[int]:
        """The ids of the brackets that are open in those events."""
        return frozenset(self._loop.observer.open_sagas)

    def pool_is_whole(self, host: str) -> bool:
        """Say whether a host's pool is at its target, as far as the observer was told."""
        known = self.mirror.hosts.get(host)
        return known is not None and known.live and len(known.pool) >= known.target

    def trouble(self) -> list[str]:
        """Give what is wrong that no line of a history says.

        A process ended by itself, the observer was told of a new log, or not everything had come
        to its end before the end.
        """
        return [*self._loop.trouble(), *self._unfinished]

    def violations(self) -> list[Violation]:
        """Give what is wrong with the history of a system that has ended.

        Raises:
            ProcessSystemError: it has not ended.
        """
        if self._history is None:
            msg = "the system has not ended: there is no whole history to judge; call end() first"
            raise ProcessSystemError(msg)
        return check(HistoryFile(self._history), self._rules)

    # --- its course ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything, and wait until every pool is whole.

        Raises:
            ProcessSystemError: a process cannot start, or a pool does not become whole.
        """
        kinds = saga_kinds(map(load_launcher_extension, self.settings.extensions))
        timeouts = {
            kind.name: self.settings.timeouts.get(kind.name, kind.timeout) for kind in kinds
        }
        self._loop.note(TimeoutsLine(time.monotonic_ns(), timeouts))
        self.processes.start()
        self.wait_for(lambda: self.processes.ready, "every process to be ready", START_SECONDS)
        hosts = self.settings.host_names
        self.wait_for(
            lambda: all(map(self.pool_is_whole, hosts)), "every pool to be whole", START_SECONDS
        )

    def settle(self, seconds: float) -> bool:
        """Let everything that goes on come to its end; say whether it did in time.

        Then no bracket is open, every pool is whole, hosts have what observers were told of them,
        and every observer was told everything that is in the log.
        """
        return self._loop.wait_whether(lambda: self.unrest() is None, seconds)

    def unrest(self) -> str | None:
        """Say what goes on still, as far as it is known; None: nothing. See `settle`."""
        return self._quiet.unrest()

    def end(self, settle_seconds: float = SETTLE_SECONDS) -> Path:
        """Let everything heal and come to its end, stop it, and give the file of its history.

        What did not come to its end by then is told by `trouble`.

        Args:
            settle_seconds: how long that may take at most.

        Raises:
            LogUnreadableError: the log cannot be read.
        """
        if self._history is not None:
            return self._history
        self.heal()
        if not self.settle(settle_seconds):
            self._unfinished = [f"not everything came to its end: {self.unrest()}"]
        self._loop.note(*self._loop.states.host_ends())
        self.processes.stop()
        while not self.processes.ended:
            self.poll(LONGEST_ROUND)
        while self._loop.observer.take(LAST_BLOBS_SECONDS):
            pass
        self._loop.note(*log_lines(self.place.log, time.monotonic_ns(), also=frozenset()))
        self.discard()
        merge_histories(self.place.parts(), self.place.history)
        self._history = self.place.history
        return self._history

    def discard(self) -> None:
        """End everything at once, and let go of it; files stay. A second time does nothing."""
        self.end_log_outage()
        self._loop.close()
