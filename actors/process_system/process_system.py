"""A whole system of real processes, run from one thread of Python.

A launcher with its log in a file, hosts, observers and, where an extension needs one, a service:
each is the process that its own `muxsaga` command runs, under a supervisor that starts again
whatever is killed. The caller acts as the users, sees every event, kills and suspends processes by
their names, breaks links, takes the log away, and in the end has the whole history, and a judgement
of it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from actors.launcher_extension import load_launcher_extension, saga_kinds
from actors.log_lines import log_lines
from actors.process_system.host_controls import Answer, Question
from actors.process_system.links import Channel, LinkName
from actors.process_system.log_outage import LogOutage
from actors.process_system.place import SystemPlace
from actors.process_system.processes import ProcessState, SystemProcesses
from actors.process_system.quiet import QuietWatch
from actors.process_system.settings import ProcessSystemSettings
from actors.process_system.system_error import ProcessSystemError
from actors.process_system.system_loop import LONGEST_ROUND, SystemLoop
from transport.checker import Rules, Violation, check
from transport.endpoints import private_directory
from transport.fault_proxy import Relay
from transport.history import HistoryFile
from transport.history_lines import FaultLine, OutageLine, TimeoutsLine
from transport.merged_history import merge_histories
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    Event,
    PromoteWindow,
)
from transport.mirror import Mirror
from transport.process_signals import StopSignals

START_SECONDS = 60.0
WAIT_SECONDS = 30.0
LAST_BLOBS_SECONDS = 0.1
"""How long the stream of an ended launcher must be silent to be taken as read."""


class ProcessSystem:
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
        self._loop = SystemLoop(self.settings, self.place, signals)
        self._quiet = QuietWatch(self.settings, self.place, self._loop)
        self._outage = LogOutage(self.place.log)
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
    def processes(self) -> SystemProcesses:
        """Its processes, for those who must not wait: `kill`, `suspend` and `resume` at once."""
        return self._loop.processes

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

    @property
    def names(self) -> tuple[str, ...]:
        """The processes' names."""
        return tuple(self.processes.states)

    def is_ready(self, name: str) -> bool:
        """Say whether a process is ready, and does not stand still.

        Raises:
            ProcessSystemError: there is no such process.
        """
        return self.processes.states[self._known(name)] is ProcessState.READY

    def pool_is_whole(self, host: str) -> bool:
        """Say whether a host's pool is at its target, as far as the observer was told."""
        known = self.mirror.hosts.get(host)
        return known is not None and known.live and len(known.pool) >= known.target

    def trouble(self) -> list[str]:
        """Give what is wrong that no line of a history says: processes that ended by themselves."""
        return self._loop.trouble()

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

    def poll(self, seconds: float) -> None:
        """Take what happens, waiting for it at most so long, and at most 50 ms."""
        self._loop.poll(seconds)

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Take what happens until something holds.

        Args:
            holds: asked after everything that happens, and at least every 50 ms.
            what: is waited for, for people.
            seconds: to wait at most.

        Raises:
            ProcessSystemError: it does not come in time, or the system is over; says how it is.
        """
        self._loop.wait_for(holds, what, seconds)

    def wait_until_ready(self, name: str) -> None:
        """Wait until a process is ready, in this life or the next; a host: has registered too.

        Raises:
            ProcessSystemError: it is not in time.
        """
        since = time.monotonic_ns()
        self.wait_for(lambda: self._is_at_work(name, since), f"{name} to be ready")

    def settle(self, seconds: float) -> bool:
        """Let everything that goes on come to its end; say whether it did in time.

        Then no bracket is open, every pool is whole, hosts have what observers were told of them,
        and every observer was told everything that is in the log.
        """
        return self._loop.wait_whether(lambda: self.unrest() is None, seconds)

    def unrest(self) -> str | None:
        """Say what goes on still, as far as it is known; None: nothing. See `settle`."""
        return self._quiet.unrest()

    def end(self, settle_seconds: float = WAIT_SECONDS) -> Path:
        """Let everything heal and come to its end, stop it, and give the file of its history.

        What did not come to its end by then shows in the history, and so as a violation.

        Raises:
            LogUnreadableError: the log cannot be read.
        """
        if self._history is not None:
            return self._history
        self.heal()
        self.settle(settle_seconds)
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
        self._outage.end()
        self._loop.close()

    # --- what users do ---------------------------------------------------------------------------

    def promote(self, host: str) -> str:
        """Show a window of a host to its user, and give its label.

        Raises:
            ProcessSystemError: the host refuses, or does not answer in time.
        """
        return self._act(host, PromoteWindow)

    def close(self, host: str, label: str) -> None:
        """Close a window that a user sees; errors are those of `promote`."""
        self._act(host, CloseWindow, label=label)

    def demote(self, host: str, label: str) -> None:
        """Hand a window that a user sees back to its pool; errors are those of `promote`."""
        self._act(host, DemoteWindow, label=label)

    def inspect(self, host: str) -> dict[str, Any]:
        """Give everything that a host knows of itself.

        Raises:
            ProcessSystemError: it does not answer in time.
        """
        since, states = time.monotonic_ns(), self._loop.states
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            states.ask([self._known(host)])
            state = states.state_of(host, since)
            found.extend([] if state is None else [state])
            return bool(found)

        self.wait_for(answered, f"{host} to say what it has")
        return found[0]

    def ask(self, host: str, question: Question, **fields: Any) -> int | None:
        """Ask a host something without waiting; give its number, or None if too much waits."""
        return self._loop.controls.ask(self._known(host), question, **fields)

    def take_answers(self) -> list[tuple[str, Answer]]:
        """Give what hosts answered that nobody took yet: who, and what."""
        return self._loop.take_answers()

    def _act(self, host: str, question: Question, **fields: Any) -> str:
        number = self.ask(host, question, **fields)
        found: list[Answer] = []

        def answered() -> bool:
            found.extend(
                answer
                for name, answer in self.take_answers()
                if name == host and answer.number == number
            )
            return bool(found)

        self.wait_for(answered, f"{host} to answer {question.__name__}")
        match found[0]:
            case ActionDone(label=label):
                return label
            case ActionRefused(reason=reason):
                msg = f"{host} refused {question.__name__}: {reason}"
            case other:
                msg = f"{host} answered {question.__name__} with {other}"
        raise ProcessSystemError(msg)

    # --- what is done to it ----------------------------------------------------------------------

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

    def relay(self, client: str, channel: Channel) -> Relay:
        """Give what stands in a link, to make it misbehave: `cut`, `silence`, `delay`, ...

        The caller notes what it does: see `note`.

        Args:
            client: a host, service or observer; the system's own is `witness`.
            channel: hosts and services have `link` and `events`, observers `events` and `query`.

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
        if not self.is_ready(name) or name not in self.settings.host_names:
            return self.is_ready(name)
        self._loop.states.ask([name])
        state = self._loop.states.state_of(name, since)
        return state is not None and bool(state["registered"])

    def _known(self, name: str) -> str:
        if name not in self.processes.states:
            msg = f"there is no process {name!r}; there are {', '.join(self.names)}"
            raise ProcessSystemError(msg)
        return name

    def _impossible(self, name: str, what: str) -> str:
        state = self.processes.states[name].name.lower()
        return f"{name} cannot be {what}: it is {state}"
