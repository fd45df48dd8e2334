"""One incarnation of a supervised process, as its parent sees it."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from actors.supervision.child_spec import SECOND, ExitKind, ExitReason
from actors.supervision.process_child import READY, REFUSED, ChildStart, child_main
from actors.supervision.process_death import kernel_can_watch, kill_group
from actors.supervision.process_spec import ProcessSpec

LAST_WORDS_BYTES = 2_000
"""How much of a dead process's output is shown."""

LINK_BYTES = 65_536


class Phase(StrEnum):
    """How far an incarnation is."""

    STARTING = "starting"
    READY = "ready"
    GONE = "gone"


class KilledFor(StrEnum):
    """Why this side killed it."""

    ORDERED = "it was to end by force, or did not stop in its time"
    LATE = "it was not ready in {spec.ready_within:g} s"
    SILENT = "its loop was silent for {spec.silence:g} s"

    def text(self, spec: ProcessSpec) -> str:
        """Say it of one process."""
        return self.format(spec=spec)


@dataclass(eq=False, slots=True)
class Incarnation:
    """A process that was started.

    Attributes:
        number: how often its child was started, with this.
        end: a descriptor that is readable once it has ended.
        started_at, heard_at: nanoseconds of its supervisor's clock.
        told: it was asked to end.
        was_ready: of one that is gone: it had been ready.
    """

    name: Hashable
    number: int
    spec: ProcessSpec
    process: SpawnProcess
    link: Connection
    end: int
    started_at: int
    heard_at: int
    phase: Phase = Phase.STARTING
    told: bool = False
    killed_for: KilledFor | None = None
    was_ready: bool = False
    refusal: bytes | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None  # noqa: S101 - it was started
        return self.process.pid

    @property
    def status(self) -> int | None:
        """How it ended, as `multiprocessing.Process.exitcode` has it."""
        return self.process.exitcode

    def listen(self, now: int) -> bool:
        """Take what it says; tell whether it may say more."""
        try:
            said = os.read(self.link.fileno(), LINK_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.refusal is not None:
            self.refusal += said
        elif self.phase is Phase.STARTING and said.startswith(REFUSED):
            self.refusal = said.removeprefix(REFUSED)
        elif self.phase is Phase.STARTING and said.startswith(READY):
            self.phase = Phase.READY
        if said:
            self.heard_at = now
        return bool(said)

    @property
    def next_due(self) -> int | None:
        """When it is late or has been silent too long, if it can be."""
        if self.told or self.killed_for is not None:
            return None
        if self.phase is Phase.STARTING:
            return self.started_at + round(self.spec.ready_within * SECOND)
        if self.spec.silence is None:
            return None
        return self.heard_at + round(self.spec.silence * SECOND)

    def overdue(self, now: int) -> KilledFor | None:
        """Say why it is to be killed, if it is late or has been silent too long."""
        if self.next_due is None or now < self.next_due:
            return None
        return KilledFor.LATE if self.phase is Phase.STARTING else KilledFor.SILENT

    def terminate(self) -> None:
        """Ask it to end in order; a second time would mean at once."""
        self.told = True
        self.process.terminate()

    def kill(self, why: KilledFor) -> None:
        """End it by force, with what it has started itself."""
        if self.phase is not Phase.GONE:
            self.killed_for = self.killed_for or why
            kill_group(self.pid)
            self.process.kill()  # it may not lead its group yet

    def reap(self) -> ExitReason:
        """Take an ended process out of the system, and give how it ended."""
        while self.listen(self.heard_at):
            pass
        kill_group(self.pid)
        self.process.join()
        failed_start = self.phase is Phase.STARTING and not self.told
        self.was_ready = self.phase is Phase.READY
        self.phase = Phase.GONE
        self.link.close()
        if self.end != self.process.sentinel:
            os.close(self.end)
        return self._start_failure() if failed_start else self._exit_reason()

    def said(self) -> str:
        """Give the last that it wrote to its output."""
        if self.spec.output is None:
            return ""
        try:
            words = self.spec.output.read_bytes()[-LAST_WORDS_BYTES:]
        except OSError:
            return ""
        return words.decode(errors="replace").strip()

    def _start_failure(self) -> ExitReason:
        if self.refusal is not None:
            return ExitReason(ExitKind.CRASHED, self.refusal.decode(errors="replace"))
        if self.killed_for is not None:
            return self._exit_reason()
        return ExitReason(ExitKind.CRASHED, f"{self.how()} before it was ready")

    def how(self) -> str:
        """Say how it ended: the signal or the exit status."""
        status = self.status or 0
        if status >= 0:
            return f"exit status {status}"
        try:
            return f"signal {signal.Signals(-status).name}"
        except ValueError:
            return f"signal {-status}"

    def _exit_reason(self) -> ExitReason:
        status = self.status or 0
        if self.killed_for is not None and status == -signal.SIGKILL:
            ordered = self.killed_for is KilledFor.ORDERED
            kind = ExitKind.KILLED if ordered else ExitKind.CRASHED
            return ExitReason(kind, f"{self.killed_for.text(self.spec)}: killed")
        if status in self.spec.final_statuses:
            return ExitReason(ExitKind.NORMAL, f"{self.how()}, after which it is not restarted")
        if self.told and status in {0, -signal.SIGTERM}:
            return ExitReason(ExitKind.SHUTDOWN)
        return ExitReason(ExitKind.CRASHED if status else ExitKind.NORMAL, self.how())


def launch(name: Hashable, number: int, spec: ProcessSpec, now: int) -> Incarnation:
    """Start a process; it is not ready yet.

    Raises:
        OSError: the system has no room for another.
    """
    context = multiprocessing.get_context("spawn")
    own, childs = context.Pipe(duplex=True)
    start = ChildStart(spec.entry, spec.refusals, spec.output, os.getpid(), kernel_can_watch())
    process = context.Process(target=child_main, args=(start, childs), name=str(name), daemon=True)
    resource_tracker.ensure_running()  # it unblocks SIGINT, so it must not start below
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    except BaseException:
        own.close()
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        childs.close()
    os.set_blocking(own.fileno(), False)
    return Incarnation(name, number, spec, process, own, _end_of(process), now, now)


def _end_of(process: SpawnProcess) -> int:
    """Give what tells a process's end; the sentinel is held open by what it started itself."""
    assert process.pid is not None  # noqa: S101 - it was started
    return os.pidfd_open(process.pid) if sys.platform == "linux" else process.sentinel
