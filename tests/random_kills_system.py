"""A launcher, two hosts and an observer who outlives them: real processes that are killed -9."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

import zmq

from tests.random_kills_plan import HOSTS, LAUNCHER
from tests.random_kills_users import Inspector, User
from transport.endpoints import Endpoints, control_endpoint
from transport.event_stream import Batch, NewHistory, Truncated
from transport.messages import Event, Recorded, SagaCompleted, SagaFailed, SagaStarted
from transport.mirror import Mirror
from transport.zeromq.observer import Observer

USERS_OF_A_HOST = 5
POOL_TARGET = 6
SPAWN_TIME = "100ms-400ms"
HEARTBEAT = "0.2"
LONGEST_ROUND = 0.02
"""Seconds after which users are asked at the latest."""

READY_SECONDS = 30.0
END_SECONDS = 20.0


class SystemFaultError(RuntimeError):
    """A process did what none may: ended by itself, or never became ready."""


@dataclass
class KilledProcess:
    """One process under one name; its lives follow one another.

    Attributes:
        lives: how often it was started.
        usual_start: seconds that its last whole start took.
        ready: its present life said so.
    """

    name: str
    lives: int = 0
    usual_start: float = 0.5
    ready: bool = False
    running: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    said: bytes = field(default=b"", repr=False)

    def look(self) -> None:
        """Take what it said, and see that it runs."""
        process = self.running
        if process is None:
            return
        assert process.stdout is not None
        self.said += process.stdout.read() or b""
        if not self.ready and b": ready\n" in self.said:
            self.ready = True
            self.usual_start = time.monotonic() - self.started_at
        status = process.poll()
        if status is not None:
            msg = f"life {self.lives} of {self.name} ended by itself with status {status}"
            raise SystemFaultError(msg)

    def kill(self) -> None:
        """Send SIGKILL, and wait until it is gone.

        Raises:
            SystemFaultError: it had ended before, or does not end.
        """
        process = self.running
        assert process is not None, f"{self.name} does not run"
        process.send_signal(signal.SIGKILL)
        self._wait_for_end(-signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM, and wait until it is gone.

        Raises:
            SystemFaultError: it does not end, or not with status 0.
        """
        process = self.running
        assert process is not None, f"{self.name} does not run"
        process.terminate()
        self._wait_for_end(0)

    def discard(self) -> None:
        """End it, however it is; nothing is judged, so that the others can be ended too."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            if self.running.stdout is not None:
                self.running.stdout.close()

    def _wait_for_end(self, expected: int) -> None:
        process = self.running
        assert process is not None
        assert process.stdout is not None
        try:
            status = process.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            msg = f"life {self.lives} of {self.name} did not end in {END_SECONDS:g} s"
            raise SystemFaultError(msg) from error
        process.stdout.close()
        self.running, self.ready, self.said = None, False, b""
        if status != expected:
            msg = f"life {self.lives} of {self.name} ended with status {status}, not {expected}"
            raise SystemFaultError(msg)


class KilledSystem:
    """Everything in one directory. All of it belongs to the thread that made it.

    Args:
        directory: where files and sockets are; nothing else may be in it.
        seed: of the users' choices.

    Attributes:
        events: what the observer was handed.
        seen: how many of each type.
        open_sagas: ids of the brackets that are open in them.
        holes: what it was told of events that it cannot have.
        mirror: those events, folded.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.log = directory / "log.sqlite"
        self.events: list[Event] = []
        self.seen: Counter[type[Event]] = Counter()
        self.open_sagas: set[int | None] = set()
        self.holes: list[str] = []
        self.mirror = Mirror()
        self.processes = {name: KilledProcess(name) for name in (LAUNCHER, *HOSTS)}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._observer = Observer(Endpoints.in_directory(directory), context=self._context)
        places = {host: control_endpoint(directory, host) for host in HOSTS}
        self.users = [
            User(self._context, place, host, seed * 100 + index * 10 + number)
            for index, (host, place) in enumerate(places.items())
            for number in range(USERS_OF_A_HOST)
        ]
        self.inspectors = {host: Inspector(self._context, place) for host, place in places.items()}
        self._poller = zmq.Poller()
        for socket in (*self._observer.sockets, *self._own_sockets()):
            self._poller.register(socket, zmq.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.discard()
        self._observer.close()
        for socket in self._own_sockets():
            socket.close(linger=0)
        self._context.term()

    @property
    def next_version(self) -> int | None:
        """The version of the event that the observer waits for."""
        return self._observer.session.next_version

    def start(self, names: Sequence[str]) -> None:
        """Start processes; `pump` finds out when they are ready."""
        for name in names:
            process = self.processes[name]
            process.lives += 1
            process.started_at = time.monotonic()
            with (self.directory / f"{name}.stderr").open("ab") as stderr:
                process.running = subprocess.Popen(
                    [sys.executable, "-m", "actors.command_line.main", *self._arguments(process)],
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    bufsize=0,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
            assert process.running.stdout is not None
            os.set_blocking(process.running.stdout.fileno(), False)

    def wait_until_ready(self, names: Sequence[str]) -> None:
        """Go on until processes are ready.

        Raises:
            SystemFaultError: one does not become ready.
        """
        if not self.pump(lambda: all(self.processes[name].ready for name in names), READY_SECONDS):
            msg = f"{' and '.join(names)} not ready in {READY_SECONDS:g} s"
            raise SystemFaultError(msg)

    def pump(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Let everybody go on until something holds, at most so long; say whether it does.

        Raises:
            SystemFaultError: a process ended by itself.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._poller.poll(ceil(min(left, LONGEST_ROUND) * 1000))
            self.take_events()
            for user in self.users:
                user.go_on(self.mirror)
            for inspector in self.inspectors.values():
                inspector.go_on()
            for process in self.processes.values():
                process.look()
        return True

    def take_events(self) -> None:
        """Take what the observer has."""
        for item in self._observer.poll(0):
            match item:
                case Batch(events=events):
                    self._take(events)
                case Truncated(before=before):
                    self.holes.append(f"history before version {before} is lost")
                case NewHistory(log=log):
                    self.holes.append(f"log {log} took the place of the one before")
                case _:
                    pass

    def _take(self, events: Sequence[Recorded]) -> None:
        for event in events:
            assert isinstance(event, Event)
            self.events.append(event)
            self.seen[type(event)] += 1
            self.mirror.apply(event)
            if isinstance(event, SagaStarted):
                self.open_sagas.add(event.saga_id)
            elif isinstance(event, SagaCompleted | SagaFailed):
                self.open_sagas.discard(event.saga_id)

    def history_of(self, name: str) -> Path:
        """Give the history file of a host's present life."""
        return self.directory / f"{name}-{self.processes[name].lives}.history.jsonl"

    def histories(self) -> list[Path]:
        """Give the history files of all hosts' lives."""
        return sorted(self.directory.glob("*.history.jsonl"))

    def _arguments(self, process: KilledProcess) -> list[str]:
        place = ["--runtime-directory", str(self.directory), "--heartbeat", HEARTBEAT]
        if process.name == LAUNCHER:
            return [LAUNCHER, *place, "--log", str(self.log), "--journal-events", "2000"]
        history = self.history_of(process.name)
        return [
            *("host", "--host-id", process.name, *place, "--history", str(history)),
            *("--pool-target", str(POOL_TARGET), "--spawn-time", SPAWN_TIME),
        ]

    def _own_sockets(self) -> "list[zmq.Socket[bytes]]":
        inspecting = (inspector.socket for inspector in self.inspectors.values())
        return [*(user.socket for user in self.users), *inspecting]
