"""What becomes of a system's processes: who lives, who was killed or stands still, since when."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto

from actors.command_line.child_specs import LAUNCHER
from actors.supervision.child_spec import SupervisorSpec
from actors.supervision.process_events import (
    ChildStarting,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
)
from actors.supervision.process_supervisor import ProcessSupervisor
from transport.history_lines import ProcessLine


class ProcessState(Enum):
    """How a process is."""

    GONE = auto()
    """It was not started yet, or ended and is not started again yet."""
    STARTING = auto()
    READY = auto()
    STANDING = auto()
    """It was told SIGSTOP."""


class SystemProcesses:
    """The processes of a system under their supervisor. It belongs to one thread, the main one.

    Args:
        spec: all of them.
        note: takes the history's lines of what becomes of them.

    Attributes:
        states: of each, by name.
        ends: how often each ended.
        bad_ends: says of every process that ended by itself how it did.
    """

    def __init__(self, spec: SupervisorSpec, note: Callable[[ProcessLine], None]) -> None:
        self.states = {str(child.name): ProcessState.GONE for child in spec.children}
        self.ends = dict.fromkeys(self.states, 0)
        self.bad_ends: list[str] = []
        self._note = note
        self._log_is_out = False
        self._log_was_out = 0
        self._started: dict[str, int] = {}
        self._supervisor = ProcessSupervisor(spec)
        self._killed: set[int] = set()
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether every process was ready once."""
        return self._supervisor.ready

    @property
    def ended(self) -> bool:
        """Whether none is left, and none is started again."""
        return self._supervisor.ended is not None

    @property
    def all_ready(self) -> bool:
        """Whether every process is ready now, and none stands still."""
        return all(state is ProcessState.READY for state in self.states.values())

    def describe(self) -> str:
        """Say how each process is."""
        return ", ".join(f"{name} {state.name.lower()}" for name, state in self.states.items())

    def pid(self, name: str) -> int | None:
        """Give the id of a process that lives."""
        return self._supervisor.pid(name)

    def fileno(self) -> int:
        """Give a descriptor that is readable when `look` may find something."""
        return self._supervisor.fileno()

    def seconds_to_next(self, most: float) -> float:
        """Give how long it may be until `look` has something to do, at most so long."""
        due = self._supervisor.next_due
        if due is None:
            return most
        return max(0.0, min(most, (due - time.monotonic_ns()) / 1e9))

    def start(self) -> None:
        """Begin to start them; `look` goes on with it."""
        self._supervisor.start()

    def stop(self) -> None:
        """Begin to stop them for good, the launcher first; `look` goes on with it."""
        self._stopping = True
        for name in self.states:
            self.resume(name)
        self._supervisor.stop()

    def kill_all(self) -> None:
        """End them for good, by force; `look` sees to it."""
        self._stopping = True
        self._supervisor.kill()

    def wait(self, timeout: float, others: Sequence[int] = ()) -> None:
        """Look after them, waiting for something to happen at most so long."""
        for event in self._supervisor.poll(timeout, others=others):
            self._take(event)

    def look(self) -> None:
        """Look after them, without waiting."""
        self.wait(0)

    def log_outage(self, *, lasts: bool) -> None:
        """Know that the launcher's log cannot be written, or can again: no launcher starts then."""
        self._log_is_out, self._log_was_out = lasts, time.monotonic_ns()

    def close(self) -> None:
        """Let go of everything; processes that are left are stopped in order."""
        self._supervisor.close()

    # --- what is done to them --------------------------------------------------------------------

    def kill(self, name: str) -> bool:
        """Send SIGKILL; say whether there was a process to send it to."""
        pid = self._signal(name, signal.SIGKILL)
        if pid is not None:
            self._killed.add(pid)
        return pid is not None

    def suspend(self, name: str) -> bool:
        """Send SIGSTOP to a process that is ready; say whether it was."""
        if self.states[name] is not ProcessState.READY:
            return False
        now, pid = time.monotonic_ns(), self._signal(name, signal.SIGSTOP)
        if pid is not None:
            self.states[name] = ProcessState.STANDING
            self._note(ProcessLine(now, name, pid, "stopped"))
        return pid is not None

    def resume(self, name: str) -> bool:
        """Send SIGCONT to a process that stands still; say whether it did."""
        if self.states[name] is not ProcessState.STANDING:
            return False
        now, pid = time.monotonic_ns(), self._signal(name, signal.SIGCONT)
        if pid is not None:
            self.states[name] = ProcessState.READY
            self._note(ProcessLine(now, name, pid, "continued"))
        return pid is not None

    def _signal(self, name: str, number: signal.Signals) -> int | None:
        pid = self._supervisor.pid(name)
        if pid is None or pid in self._killed:
            return None
        os.kill(pid, number)  # a child that was not waited for: nobody else can have its id
        return pid

    # --- what happens to them --------------------------------------------------------------------

    def _take(self, event: ProcessEvent) -> None:
        match event:
            case ChildStarting(path=(name,), pid=int(pid)):
                now = self._started[str(name)] = time.monotonic_ns()
                self.states[str(name)] = ProcessState.STARTING
                self._note(ProcessLine(now, str(name), pid, "started"))
            case ProcessReady(path=(name,)):
                self.states[str(name)] = ProcessState.READY
            case ProcessEnded(path=(name,), pid=int(pid)):
                self._take_end(str(name), pid, event)
            case _:
                pass

    def _take_end(self, name: str, pid: int, event: ProcessEnded) -> None:
        self.states[name] = ProcessState.GONE
        self.ends[name] += 1
        did = "ended"
        if pid in self._killed:
            self._killed.remove(pid)
            did = "killed"
        elif not self._is_as_it_should_be(name, event):
            self.bad_ends.append(event.story)
        self._note(ProcessLine(time.monotonic_ns(), name, pid, did))

    def _is_as_it_should_be(self, name: str, event: ProcessEnded) -> bool:
        if self._stopping:
            return not event.reason.abnormal or not event.ready
        was_out = self._log_is_out or self._log_was_out >= self._started[name]
        return name == LAUNCHER and was_out and not event.ready
