"""Endpoints as addresses of stream sockets, to listen at and to connect to."""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transport.endpoints import EndpointError, ipc_endpoint

BACKLOG = 100

_TCP = re.compile(r"tcp://(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where a stream socket listens or connects.

    Attributes:
        endpoint: the same as ZeroMQ writes it.
        family: `AF_UNIX`, `AF_INET` or `AF_INET6`.
        address: the path, or host and port.
    """

    endpoint: str
    family: socket.AddressFamily
    address: str | tuple[str, int]

    @property
    def path(self) -> Path | None:
        """The path of an `ipc` endpoint; None on TCP."""
        return Path(self.address) if isinstance(self.address, str) else None


def stream_address(endpoint: str) -> StreamAddress:
    """Give the address of an endpoint.

    Raises:
        EndpointError: it is neither `ipc://PATH` nor `tcp://HOST:PORT`, or the path is too long.
    """
    if endpoint.startswith("ipc:///"):
        path = endpoint.removeprefix("ipc://")
        ipc_endpoint(Path(path))
        return StreamAddress(endpoint, socket.AF_UNIX, path)
    match = _TCP.fullmatch(endpoint)
    if match is None or int(match[3]) > _HIGHEST_PORT:
        msg = f"{endpoint!r} is no endpoint: give ipc:///PATH or tcp://HOST:PORT"
        raise EndpointError(msg)
    family = socket.AF_INET6 if match[1] else socket.AF_INET
    return StreamAddress(endpoint, family, (match[1] or match[2], int(match[3])))


def listen(place: StreamAddress) -> socket.socket:
    """Listen there; an `ipc` path at which nobody listens any more is replaced.

    Raises:
        EndpointError: somebody listens there already, or nobody may.
    """
    listener = socket.socket(place.family)
    try:
        if place.path is None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _remove_left_behind(place)
        listener.bind(place.address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        msg = f"cannot listen at {place.endpoint}: {error.strerror or error}"
        raise EndpointError(msg) from error
    except EndpointError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener


def listening_endpoint(place: StreamAddress, listener: socket.socket) -> str:
    """Give where a listener is, with the port that it was given where 0 was asked for."""
    if place.path is not None:
        return place.endpoint
    port = listener.getsockname()[1]
    return f"{place.endpoint.rpartition(':')[0]}:{port}"


async def connect(place: StreamAddress) -> socket.socket:
    """Connect there.

    Raises:
        OSError: nobody listens there, or takes the connection.
    """
    connected = socket.socket(place.family)
    try:
        connected.settimeout(0)
        await asyncio.get_running_loop().sock_connect(connected, place.address)
        send_at_once(connected)
    except BaseException:
        connected.close()
        raise
    return connected


def send_at_once(connected: socket.socket) -> None:
    """Let TCP not wait for more before it sends little."""
    if connected.family is not socket.AF_UNIX:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _remove_left_behind(place: StreamAddress) -> None:
    path = place.path
    if path is None or not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        with suppress(ConnectionRefusedError):
            probe.connect(place.address)
            msg = f"cannot listen at {place.endpoint}: somebody else does; choose another path"
            raise EndpointError(msg)
        path.unlink()
