"""Real processes whose links are on TCP with keys, and what a test needs to be one of them."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.free_ports import first_of_free_ports
from transport.endpoints import Endpoints
from transport.key_files import make_key_files, public_file, read_key_pair, read_public_key
from transport.keys import ClientKeys, KeyPair
from transport.zeromq.query_client import QueryTimeoutError, ask_status

DEADLINE = 30.0


class Spoken:
    """A process, and the lines that it said on stdout and stderr."""

    def __init__(self, arguments: list[str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "actors.command_line.main", *arguments],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._new: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    def until(self, part: str) -> str:
        """Wait for a line with this part, and give it."""
        deadline = time.monotonic() + DEADLINE
        while True:
            line = self._new.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, f"ended without saying {part!r}: {self.lines}"
            self.lines.append(line)
            if part in line:
                return line

    def with_part(self, part: str) -> list[str]:
        """Give all lines with this part that were said so far."""
        with suppress(queue.Empty):
            while (line := self._new.get_nowait()) is not None:
                self.lines.append(line)
        return [line for line in self.lines if part in line]

    def stop(self) -> int:
        """End it in order; give the exit status."""
        self.process.terminate()
        status = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return status

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE)
        assert self.process.stdout is not None
        self.process.stdout.close()


class KeyedSystem:
    """A place on TCP, keys by name, an allow list, and processes.

    The allow list is `allow[table][name]`, a name of keys; `write` puts it in force.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = first_of_free_ports(4)
        self.control = f"tcp://127.0.0.1:{self.port + 3}"
        self.allow: dict[str, dict[str, str]] = {}
        self._processes: deque[Spoken] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.close()

    @property
    def tcp(self) -> list[str]:
        return ["--tcp", f"127.0.0.1:{self.port}"]

    @property
    def allow_file(self) -> Path:
        return self.directory / "allow.toml"

    def key(self, name: str) -> Path:
        file = self.directory / f"{name}.key"
        if not file.exists():
            make_key_files(file)
        return file

    def pair(self, name: str) -> KeyPair:
        return read_key_pair(self.key(name))

    def public(self, name: str) -> str:
        return read_public_key(str(public_file(self.key(name))))

    def write(self, **allow: dict[str, str]) -> None:
        """Put tables of the allow list in force, as an editor does."""
        self.allow.update(allow)
        lines = []
        for table, names in self.allow.items():
            lines.append(f"[{table}]")
            lines += [f'{name} = "{self.public(key)}"' for name, key in names.items()]
        new = self.directory / "allow.new"
        new.write_text("\n".join(lines))
        new.replace(self.allow_file)

    def client(self, key: str) -> list[str]:
        """Give the options of a client of the launcher."""
        launcher = public_file(self.key("launcher"))
        return [*self.tcp, "--key", str(self.key(key)), "--launcher-key", str(launcher)]

    def endpoints(self, key: str) -> Endpoints:
        """Give where the launcher is, for an observer or host in the test."""
        plain = Endpoints.on_tcp(f"127.0.0.1:{self.port}")
        keys = ClientKeys(self.pair(key), self.public("launcher"))
        return Endpoints(plain.link, plain.events, plain.query, keys)

    def start(self, *arguments: str, ready: bool = True) -> Spoken:
        process = Spoken([*arguments])
        self._processes.appendleft(process)
        if ready:
            process.until(": ready")
        return process

    def start_launcher(self, *arguments: str) -> Spoken:
        keys = ["--key", str(self.key("launcher")), "--allow", str(self.allow_file)]
        return self.start("launcher", *self.tcp, *keys, *arguments)

    def start_host(self, name: str, key: str, *arguments: str) -> Spoken:
        control = f"--control=ipc://{self.directory}/control-{name}"
        own = ["--host-id", name, "--spawn-time", "0", "--heartbeat", "0.2"]
        return self.start("host", *self.client(key), *own, control, *arguments)

    def status(self, key: str) -> dict[str, Any]:
        endpoints = self.endpoints(key)
        return ask_status(endpoints.query, DEADLINE, keys=endpoints.keys)

    def status_when(
        self, key: str, holds: Callable[[dict[str, Any]], bool], what: str
    ) -> dict[str, Any]:
        """Ask for the status until something holds, and give it."""
        deadline = time.monotonic() + DEADLINE
        status: dict[str, Any] = {}
        while time.monotonic() < deadline:
            with suppress(QueryTimeoutError):
                status = self.status(key)
                if holds(status):
                    return status
        msg = f"never: {what}; {status}"
        raise AssertionError(msg)


def pool_is_whole(host: str) -> Callable[[dict[str, Any]], bool]:
    """Say of a status whether the pool of a host is as it should be."""

    def holds(status: dict[str, Any]) -> bool:
        found = status["hosts"].get(host)
        return found is not None and 0 < found["target"] <= len(found["pool"])

    return holds
