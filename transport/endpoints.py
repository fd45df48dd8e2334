"""Where the sockets are: a private runtime directory by default, TCP by option."""

import fcntl
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from transport.keys import ClientKeys

IPC_PATH_LIMIT = 107
"""The longest path of a Unix socket, in bytes (`sun_path`, unix(7))."""

PRIVATE_MODE = 0o700

_PORT = re.compile("[0-9]{1,5}")


class EndpointError(ValueError):
    """An endpoint or runtime directory cannot be used; says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A launcher's three sockets.

    Attributes:
        link: commands and reports (ROUTER).
        events: the event stream (XPUB).
        query: replay, snapshot, status (ROUTER).
        keys: what those who connect show and expect there; None where the sockets have no keys.
    """

    link: str
    events: str
    query: str
    keys: ClientKeys | None = None

    @classmethod
    def in_directory(cls, directory: Path) -> "Endpoints":
        """Give the `ipc` endpoints in a runtime directory.

        Raises:
            EndpointError: the path is too long for a Unix socket.
        """
        return cls(
            link=ipc_endpoint(directory / "link"),
            events=ipc_endpoint(directory / "events"),
            query=ipc_endpoint(directory / "query"),
        )

    @classmethod
    def on_tcp(cls, address: str) -> "Endpoints":
        """Give the endpoints at `host:port`, `port + 1` and `port + 2`.

        Raises:
            EndpointError: the address is not `host:port` with a port that leaves room for three.
        """
        host, _, port_text = address.rpartition(":")
        port = int(port_text) if _PORT.fullmatch(port_text) else 0
        if not host or not 1 <= port <= 65533:  # noqa: PLR2004
            msg = f"{address!r} is no address: give HOST:PORT with a port from 1 to 65533"
            raise EndpointError(msg)
        link, events, query = (f"tcp://{host}:{port + offset}" for offset in range(3))
        return cls(link=link, events=events, query=query)


def is_tcp(endpoint: str) -> bool:
    """Say whether an endpoint is on TCP, where links have keys."""
    return endpoint.startswith("tcp://")


def ipc_endpoint(path: Path) -> str:
    """Give the `ipc` endpoint at a path.

    Raises:
        EndpointError: the path is too long for a Unix socket.
    """
    size = len(os.fsencode(path))
    if size > IPC_PATH_LIMIT:
        msg = (
            f"{path} is {size} bytes long, a Unix socket's path at most {IPC_PATH_LIMIT}: "
            "choose a shorter --runtime-directory"
        )
        raise EndpointError(msg)
    return f"ipc://{path}"


def control_endpoint(directory: Path, host: str) -> str:
    """Give the endpoint of a host's control socket in a runtime directory."""
    return ipc_endpoint(directory / f"control-{host}")


def private_directory(path: Path) -> Path:
    """Make a directory that only its owner may enter, or check that it is one.

    Raises:
        EndpointError: it is no directory, somebody else's, or open to others.
    """
    path = path.absolute()
    try:
        path.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make runtime directory {path}: {error.strerror}"
        raise EndpointError(msg) from error
    facts = path.stat()
    if facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077:
        msg = (
            f"runtime directory {path} must belong to you and be closed to others: "
            f"it has mode {stat.S_IMODE(facts.st_mode):04o}; "
            f"run 'chmod 700 {path}' or choose another"
        )
        raise EndpointError(msg)
    return path


class DirectoryLock:
    """Holds a directory for one process: a second bind would steal an `ipc` path silently.

    Args:
        path: the lock file.
        owner: what holds it, for the message that a second one gets.

    Raises:
        EndpointError: another live process holds it; names that one.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            msg = f"{path.parent} is in use by {holder}: stop it, or choose another directory"
            raise EndpointError(msg) from error
        self._file.truncate(0)
        self._file.write(f"{owner} (pid {os.getpid()})\n")
        self._file.flush()

    def release(self) -> None:
        """Let the next one have it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
