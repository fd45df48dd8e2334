"""The processes of one run: started with a handshake, ended with a deadline, none left behind."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from bench.promote_ledger import VoidRunError
from bench.result import Cpus

START_SECONDS = 30.0
"""How long a process may take until it is ready."""

END_SECONDS = 5.0
"""How long all processes together may take to end in order; then they are killed."""

_SPAWN = multiprocessing.get_context("spawn")

Body = Callable[[Any, int, Connection], int]
"""What a process runs: gets its settings, its life line, and the pipe to its parent."""


class Stage:
    """Holds processes; when it closes, all of them end, the last one started first.

    Every process reads a pipe of which only this one has the other end, so that it ends too if
    this one is killed.

    Args:
        cpus: `shared`, or the launcher on the first one, `apart` from all others.
    """

    def __init__(self, cpus: Cpus = "shared") -> None:
        self._cpus = cpus
        self._processes: list[SpawnProcess] = []
        self._life_line, self._held = _SPAWN.Pipe(duplex=False)

    def start(self, name: str, body: Body, settings: object) -> Connection:
        """Start a process, and give the pipe on which it speaks."""
        here, there = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(
            target=_run,
            args=(body, settings, self._life_line, there, cpus_of(name, self._cpus)),
            name=name,
            daemon=True,
        )
        # A child that is half started when this process is told to end would be left with half of
        # what it is to read. Ctrl-C reaches the whole group: this process alone acts on it, and
        # ends the others. The tracker is started before, for its start unblocks the signals again.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        try:
            process.start()
            self._processes.append(process)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        there.close()
        return here

    def start_ready(self, name: str, body: Body, settings: object) -> None:
        """Start a process, and wait until it says that it is ready.

        Raises:
            VoidRunError: it ended or was silent; says which.
        """
        self.hear(self.start(name, body, settings), time.monotonic() + START_SECONDS)

    def hear(self, pipe: Connection, deadline: float) -> Any:
        """Give what a process says, while all the others live.

        Raises:
            VoidRunError: one ended, or the deadline passed; says which.
        """
        sentinels = [process.sentinel for process in self._processes]
        ready = wait([pipe, *sentinels], max(0.0, deadline - time.monotonic()))
        if pipe in ready or pipe.poll():
            try:
                return pipe.recv()
            except EOFError:
                ready = wait(sentinels, END_SECONDS)
        for process in self._processes:
            if process.sentinel in ready:
                process.join()
                msg = f"the {process.name} process ended with status {process.exitcode}"
                raise VoidRunError(msg)
        msg = f"silence: none of {', '.join(each.name for each in self._processes)} spoke in time"
        raise VoidRunError(msg)

    @property
    def pids(self) -> dict[str, int]:
        """The ids of its processes by name, in the order of their starts."""
        return {each.name: each.pid for each in self._processes if each.pid is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End all processes, the last one started first; a second time does nothing."""
        deadline = time.monotonic() + END_SECONDS
        for process in reversed(self._processes):
            process.terminate()
            process.join(max(0.0, deadline - time.monotonic()))
        for process in self._processes:
            process.kill()
            process.join()
            process.close()
        self._processes.clear()
        self._life_line.close()
        self._held.close()


def cpus_of(name: str, cpus: Cpus) -> list[int]:
    """Give the CPUs on which a process may run."""
    first, *others = sorted(os.sched_getaffinity(0))
    if cpus == "shared":
        return [first, *others]
    return [first] if name == "launcher" else others


def _run(
    body: Body, settings: Any, life_line: Connection, pipe: Connection, cpus: list[int]
) -> None:
    """Be a process of the stage."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.sched_setaffinity(0, cpus)
    raise SystemExit(body(settings, os.dup(life_line.fileno()), pipe))
