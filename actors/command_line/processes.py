"""Child processes: started with a handshake, stopped in order, never left behind.

A child gets two pipes. On one it says that it is ready, or why it cannot be. The other is its life
line: only the parent has the write end, so a child whose parent is gone, even by `kill -9`, reads
end of file and ends. A child is in a session of its own, so that Ctrl-C in the terminal reaches
only the parent, which then stops its children in their order.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from actors.command_line.command_error import INTERRUPTED, CommandError
from transport.process_signals import StopSignals

READY = b"ready"
READY_SECONDS = 30.0
"""How long a child may take from its start until it is ready."""

LAST_WORDS_BYTES = 2_000
"""How much of a dead child's output is shown."""

Entry = Callable[[int, Callable[[], None]], int]
"""What runs in a child: takes the life line and what to call when ready, gives the exit status."""


class OpenSignals(Protocol):
    """What can interrupt a wait."""

    count: int

    def filenos(self) -> list[int]:
        """Give what to wait for."""

    def look(self) -> int:
        """Give how many requests to stop there were so far."""


class InterruptedRunError(CommandError):
    """The user asked to stop."""

    def __init__(self) -> None:
        super().__init__("interrupted", INTERRUPTED)


@dataclass(eq=False, slots=True)
class ChildProcess:
    """A child that was started.

    Attributes:
        grace: seconds that it has to end by itself once it was told to.
        output: the file of what it wrote to stdout and stderr.
        told: it was asked to end.
    """

    name: str
    grace: float
    output: Path
    process: SpawnProcess
    life_line: Connection
    handshake: Connection
    told: bool = False

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None  # noqa: S101 - only a started process is a child
        return self.process.pid

    @property
    def sentinel(self) -> int:
        """A file descriptor that is readable once the child has ended."""
        return self.process.sentinel

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.exitcode is not None

    @property
    def failed(self) -> bool:
        """Whether it ended in another way than with exit status 0."""
        return self.process.exitcode != 0

    def describe_end(self) -> str:
        """Say how it ended, with the last that it wrote."""
        code = self.process.exitcode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        said = self.said()
        return f"{self.name} (pid {self.pid}) ended with {how}" + (f": {said}" if said else "")

    def said(self) -> str:
        """Give the last that it wrote."""
        try:
            return self.output.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    def wait_ready(self, deadline: float, signals: OpenSignals) -> None:
        """Wait until it is ready.

        Raises:
            CommandError: it ended, gave a reason why it cannot be, or took too long.
            InterruptedRunError: the user asked to stop.
        """
        while True:
            sources: list[Connection | int] = [
                self.handshake,
                self.sentinel,
                *signals.filenos(),
            ]
            found = wait(sources, max(0.0, deadline - time.monotonic()))
            if signals.look():
                raise InterruptedRunError
            if self.handshake in found:
                return self._read_handshake()
            if self.sentinel in found:
                raise CommandError(self.describe_end())
            if not found:
                msg = f"{self.name} (pid {self.pid}) was not ready in {READY_SECONDS:g} s"
                raise CommandError(msg)

    def _read_handshake(self) -> None:
        try:
            said = self.handshake.recv_bytes()
        except EOFError:
            self.process.join(self.grace)
            raise CommandError(self.describe_end()) from None
        if said != READY:
            msg = f"{self.name} could not start: {said.decode(errors='replace')}"
            raise CommandError(msg)

    def tell_to_stop(self) -> None:
        """Ask it once to end in order; a second time would mean at once."""
        if not self.told and not self.ended:
            self.process.terminate()
        self.told = True

    def stop(self, signals: OpenSignals) -> None:
        """End it: in order until its grace is over or the user is impatient, then at once."""
        self.tell_to_stop()
        deadline = time.monotonic() + self.grace
        while not self.ended and signals.count < 2:  # noqa: PLR2004 - the second request is final
            found = wait([self.sentinel, *signals.filenos()], deadline - time.monotonic())
            signals.look()
            if not found:
                break
        if not self.ended:
            self.process.kill()
        self.process.join()
        self.life_line.close()
        self.handshake.close()


class ChildProcesses:
    """Children by their order of start; they are stopped in the reverse order, come what may.

    Those that were started before one `wait_ready` are a wave: they are told to stop together.

    Args:
        directory: where the files of their output are.
        signals: what interrupts a wait.
    """

    def __init__(self, directory: Path, signals: StopSignals) -> None:
        self._directory = directory
        self._signals = signals
        self._waves: list[list[ChildProcess]] = [[]]
        self._context = multiprocessing.get_context("spawn")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()

    @property
    def pids(self) -> dict[str, int]:
        """Every child's process id, by name."""
        return {child.name: child.pid for child in self.all}

    @property
    def all(self) -> list[ChildProcess]:
        """Every child that was started, in that order."""
        return [child for wave in self._waves for child in wave]

    def start(self, name: str, entry: Entry, *, grace: float) -> ChildProcess:
        """Start a child; it is not ready yet.

        Args:
            name: what it is called.
            entry: what it runs; picklable.
            grace: seconds that it has to end by itself.
        """
        output = self._directory / f"{name}.output"
        life_read, life_write = self._context.Pipe(duplex=False)
        ready_read, ready_write = self._context.Pipe(duplex=False)
        arguments = (entry, life_read, ready_write, output)
        process = self._context.Process(target=_child_main, args=arguments, name=name, daemon=True)
        resource_tracker.ensure_running()  # it unblocks SIGINT, so it must not start below
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            life_read.close()
            ready_write.close()
        child = ChildProcess(name, grace, output, process, life_write, ready_read)
        self._waves[-1].append(child)
        return child

    def wait_ready(self) -> None:
        """Wait until all are ready; what is started from now on is the next wave.

        Raises:
            CommandError: one cannot be; says which and why.
        """
        deadline = time.monotonic() + READY_SECONDS
        for child in self._waves[-1]:
            child.wait_ready(deadline, self._signals)
        self._waves.append([])

    def bad_ends(self) -> list[str]:
        """Say of every child that did not end well how it did."""
        return [child.describe_end() for child in self.all if child.ended and child.failed]

    def stop_all(self) -> None:
        """Stop all that still run, the last wave first."""
        for wave in reversed(self._waves):
            for child in reversed(wave):
                child.tell_to_stop()
            for child in reversed(wave):
                child.stop(self._signals)


def _child_main(entry: Entry, life_line: Connection, handshake: Connection, output: Path) -> None:
    """Run `entry` in the child; a reason why it cannot start goes to the parent as one line."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    own_life_line = os.dup(life_line.fileno())
    life_line.close()
    started = False

    def ready() -> None:
        nonlocal started
        started = True
        handshake.send_bytes(READY)
        handshake.close()

    try:
        status = entry(own_life_line, ready)
    except (CommandError, OSError, ValueError) as error:
        if started:
            raise
        handshake.send_bytes(str(error).encode())
        status = 1
    sys.exit(status)
