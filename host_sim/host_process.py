"""A host's process: its settings, its sockets, and what it prints. `Host` decides everything."""

import contextlib
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq

from host_sim.extension import load_handlers
from host_sim.history import Record
from host_sim.host import Host
from host_sim.peer_loop import FENCED_EXIT, PeerLoop, StopSource, receive_waiting
from host_sim.settings import SECOND, HostSettings
from host_sim.spawn_time import DEFAULT_SPAWN_TIME, parse_spawn_time
from transport.codec import Codec
from transport.endpoints import DirectoryLock, Endpoints
from transport.garbage_collection import rare_collections
from transport.keys import Domain, ServerKeys
from transport.process_signals import StopSignals
from transport.zeromq import sockets
from transport.zeromq.authenticator import Doorkeeper, authenticated, keys_at
from transport.zeromq.link_watch import LinkWatch

ACTIONS_IN_ROUND = 16
"""How many user actions are taken before their reports go out, so that the launcher can work on
them while the host goes on with the next ones."""

STREAM_REST = 20_000_000
"""A host looks at the event stream at most this often, in nanoseconds: it is woken by what it is
asked to do, and not by every blob that tells what it did."""

BLOBS_IN_ROUND = 1
"""So many blobs are read before it is looked again for what the launcher and users ask."""

__all__ = ["FENCED_EXIT", "HostProcessSettings", "host_loop", "run_host"]


@dataclass(frozen=True, slots=True)
class HostProcessSettings:
    """What a host process is started with; plain values, so that it can cross a spawn.

    Attributes:
        host: its id.
        endpoints: the launcher's.
        control: endpoint of its own control socket.
        control_keys: its keys there, and who may act; None for a socket without keys.
        spawn_time: see `host_sim.spawn_time.parse_spawn_time`.
        creation_timeout, pane_reap_time, heartbeat: seconds.
        seed: makes its choices repeatable; None for chance.
        faults: how often each fault is to happen, by name.
        extensions: names of extension modules.
        history: file to which its history is added, one JSON map a line.
        life_line: see `StopSignals`.
    """

    host: str
    endpoints: Endpoints
    control: str
    control_keys: ServerKeys | None = None
    pool_target: int = 2
    spawn_time: str = DEFAULT_SPAWN_TIME
    creation_timeout: float = 3.0
    pane_reap_time: float = 0.0
    heartbeat: float = 1.0
    seed: int | None = None
    faults: Mapping[str, int] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    history: Path | None = None
    life_line: int | None = None

    def core_settings(self) -> HostSettings:
        """Give the settings of the host itself.

        Raises:
            SpawnTimeError: the spawn time names no distribution.
        """
        return HostSettings(
            host=self.host,
            pool_target=self.pool_target,
            spawn_time=parse_spawn_time(self.spawn_time),
            creation_timeout=round(self.creation_timeout * SECOND),
            pane_reap_time=round(self.pane_reap_time * SECOND),
            heartbeat=round(self.heartbeat * SECOND),
            faults=self.faults,
        )


def run_host(settings: HostProcessSettings, ready: Callable[[], None] = lambda: None) -> int:
    """Run a host until it is told to stop or is fenced, and give its exit status.

    Args:
        settings: what it is started with.
        ready: called once, when its control socket is bound.

    Raises:
        SpawnTimeError, FaultError, HostExtensionError: a setting is wrong.
        EndpointError: another process has its control socket.
        AllowListError: the allow list of its control socket cannot be used.
        zmq.ZMQError: its control socket cannot be bound.
    """
    with StopSignals(settings.life_line) as stops, rare_collections():
        return host_loop(settings, stops, ready)


def host_loop(
    settings: HostProcessSettings, stops: StopSource, ready: Callable[[], None] = lambda: None
) -> int:
    """Run a host in this thread, with requests to stop from anywhere; see `run_host`."""
    core_settings = settings.core_settings()
    loaded = load_handlers(settings.extensions, "HOST")
    generator = random.Random(settings.seed)  # noqa: S311 - nothing secret comes of it
    keys, endpoints = settings.control_keys, settings.endpoints
    doorkeeper = None if keys is None else Doorkeeper(keys)
    # The lock is let go last: libzmq removes the socket's path when its context ends.
    with (
        control_lock(settings),
        history_file(settings.history) as record,
        zmq.Context() as context,
        authenticated(context, doorkeeper),
    ):
        host = Host(
            core_settings,
            epoch=secrets.token_hex(16),
            generator=generator,
            codec=Codec(loaded.messages),
            record=record,
            extension=loaded.extension,
        )
        control_keys = keys_at(doorkeeper, Domain.CONTROL)
        control = ControlSide(sockets.router(context, settings.control, keys=control_keys), host)
        stream = StreamSide(context, endpoints, host)
        try:
            loop = PeerLoop(
                name=f"host {settings.host}",
                core=host,
                context=context,
                endpoints=endpoints,
                stops=stops,
                generator=generator,
                sides=(stream, control),
            )
            ready()
            return loop.run()
        finally:
            control.socket.close()
            stream.close()


class ControlSide:
    """A host's control socket."""

    rest = 0

    def __init__(self, socket: sockets.ZmqSocket, host: Host) -> None:
        self.socket = socket
        self._host = host

    def read(self, now: int) -> bool:
        """Take some of what users ask for; say whether that was all."""
        for _ in range(ACTIONS_IN_ROUND):
            try:
                connection, frames = sockets.receive_routed(self.socket)
            except zmq.Again:
                return True
            for frame in frames:
                self._host.receive_control(connection, frame, now)
        return False

    def write(self) -> None:
        """Answer them; who does not read, or is gone, gets no answer."""
        messages: dict[bytes, list[bytes]] = {}
        for connection, frame in self._host.control_outgoing():
            messages.setdefault(connection, [connection]).append(frame)
        for message in messages.values():
            with contextlib.suppress(zmq.ZMQError):
                sockets.send(self.socket, message)


class StreamSide:
    """A host's subscription to the event stream: it only compares pools by it."""

    rest = STREAM_REST

    def __init__(self, context: zmq.Context[Any], endpoints: Endpoints, host: Host) -> None:
        keys = endpoints.keys
        self._watch = LinkWatch(endpoints.events, keys)
        self.socket = sockets.subscriber(context, endpoints.events, keys=keys, watch=self._watch)
        self._host = host

    def read(self, now: int) -> bool:
        """Take some of what was published; say whether that was all."""
        read = receive_waiting(
            self.socket, lambda message: self._take(message, now), BLOBS_IN_ROUND
        )
        return read < BLOBS_IN_ROUND

    def write(self) -> None:
        """Send nothing: it is a subscription. One that was refused is tried again."""
        self._watch.look(time.monotonic_ns())

    def close(self) -> None:
        """Close the socket."""
        self._watch.close()
        self.socket.close(linger=0)

    def _take(self, message: list[bytes], now: int) -> None:
        for frame in message:
            self._host.receive_stream(frame, now)


def control_lock(
    settings: HostProcessSettings,
) -> contextlib.AbstractContextManager[object]:
    """Hold the name of a control socket that is a path; a second bind would steal it silently.

    Raises:
        EndpointError: another process has it.
    """
    scheme, _, path = settings.control.partition("://")
    if scheme != "ipc":
        return contextlib.nullcontext()
    lock = Path(path).parent / f"control-{settings.host}.lock"
    return DirectoryLock(lock, f"host {settings.host}")


@contextlib.contextmanager
def history_file(path: Path | None) -> Iterator[Record | None]:
    """Give a function that adds maps to a file, one JSON map a line; None for no path."""
    if path is None:
        yield None
        return
    with path.open("a", encoding="utf-8", buffering=1) as file:

        def record(happening: dict[str, Any]) -> None:
            file.write(json.dumps(happening, separators=(",", ":")) + "\n")

        yield record
