"""Real processes for tests: each is the very command that a user starts in a terminal."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import zmq

from transport.codec import Codec, decode, encode, family
from transport.endpoints import Endpoints, control_endpoint
from transport.event_stream import Batch
from transport.message_types import USER_ANSWERS
from transport.messages import Event, HostState, InjectFault, InspectHost, Message, PromoteWindow
from transport.mirror import Mirror
from transport.zeromq.observer import Observer
from transport.zeromq.sockets import dealer

READY_SECONDS = 20.0
WAIT_SECONDS = 20.0
ROUND_SECONDS = 0.1
"""While no event comes, what is waited for is looked at so often."""


class RealSystem:
    """A runtime directory, the processes in it, and an observer."""

    def __init__(self, codec: Codec | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="muxsaga-"))
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.events: list[Event] = []
        self.mirror = Mirror()
        self._codec = codec or Codec()
        self._observer: Observer | None = None
        self._questions = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._observer is not None:
            self._observer.close()
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(WAIT_SECONDS)
            finally:
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()
        shutil.rmtree(self.directory)

    def start(
        self,
        name: str,
        *arguments: str,
        module: str = "actors.command_line.main",
        within: Sequence[str] = (),
    ) -> "subprocess.Popen[str]":
        """Start a command, `within` another, and wait until it says that it is ready."""
        with (self.directory / f"{name}.err").open("a") as errors:
            process = subprocess.Popen(
                [
                    *within,
                    *(sys.executable, "-m", module, *arguments),
                    *("--runtime-directory", str(self.directory)),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.processes[name] = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready" in line, f"{name} said {line!r}, and {self.complaints(name)}"
        return process

    def complaints(self, name: str) -> str:
        """Give what the processes of a name wrote to stderr."""
        return (self.directory / f"{name}.err").read_text()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command that asks these processes something, to its end."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "actors.command_line.main", *arguments),
                *("--runtime-directory", str(self.directory)),
            ],
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Take events until something holds, of them or of anything else."""
        if self._observer is None:
            endpoints = Endpoints.in_directory(self.directory)
            self._observer = Observer(endpoints, codec=self._codec)
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"no {what} in {WAIT_SECONDS} s; saw {self.events[-20:]}"
            for item in self._observer.poll(min(left, ROUND_SECONDS)):
                if isinstance(item, Batch):
                    for event in item.events:
                        assert isinstance(event, Event)
                        self.mirror.apply(event)
                        self.events.append(event)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Look again and again until something holds that no event tells; takes no events."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"no {what} in {WAIT_SECONDS} s"
            time.sleep(0.01)

    def pool_is_whole(self, host: str) -> bool:
        """Say whether the launcher's view of a host's pool is at its target."""
        mirror = self.mirror.hosts.get(host)
        return mirror is not None and len(mirror.pool) >= mirror.pool_target

    def promote(self, host: str) -> Message:
        """Have a host promote a window, and give its answer."""
        self._questions += 1
        return self._control(host, PromoteWindow(number=self._questions))

    def inspect(self, host: str) -> dict[str, Any]:
        """Give what a host knows of itself."""
        self._questions += 1
        answer = self._control(host, InspectHost(number=self._questions))
        assert isinstance(answer, HostState), f"{host} answered {answer}"
        return answer.state

    def inject(self, host: str, fault: str, count: int = 1) -> Message:
        """Have a host misbehave, and give its answer."""
        self._questions += 1
        return self._control(host, InjectFault(number=self._questions, fault=fault, count=count))

    def _control(self, host: str, message: Message) -> Message:
        with (
            zmq.Context() as context,
            _closing(dealer(context, control_endpoint(self.directory, host))) as socket,
        ):
            socket.send(encode(message))
            assert socket.poll(round(WAIT_SECONDS * 1000)), f"{host} did not answer {message}"
            return decode(socket.recv(), family(USER_ANSWERS))


@contextmanager
def _closing(socket: "zmq.Socket[bytes]") -> "Iterator[zmq.Socket[bytes]]":
    try:
        yield socket
    finally:
        socket.close(linger=0)
