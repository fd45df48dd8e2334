"""A service's process: its settings and its socket. `Service` decides everything."""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq

from host_sim.extension import HostExtensionError, load_handlers
from host_sim.host_process import history_file
from host_sim.peer_loop import PeerLoop, StopSource
from host_sim.service import Service, ServiceSettings
from host_sim.settings import SECOND
from transport.codec import Codec
from transport.endpoints import Endpoints
from transport.process_signals import StopSignals


@dataclass(frozen=True, slots=True)
class ServiceProcessSettings:
    """What a service process is started with; plain values, so that it can cross a spawn.

    Attributes:
        service: its id.
        endpoints: the launcher's.
        extensions: names of the extension modules whose `SERVICE` it runs.
        heartbeat: seconds.
        history: file to which its history is added, one JSON map a line.
        life_line: see `StopSignals`.
    """

    service: str
    endpoints: Endpoints
    extensions: tuple[str, ...]
    heartbeat: float = 1.0
    history: Path | None = None
    life_line: int | None = None


def run_service(settings: ServiceProcessSettings, ready: Callable[[], None] = lambda: None) -> int:
    """Run a service until it is told to stop or is fenced, and give its exit status.

    Args:
        settings: what it is started with.
        ready: called once, when its handlers are loaded.

    Raises:
        HostExtensionError: an extension cannot be used, or none has a handler.
    """
    with StopSignals(settings.life_line) as stops:
        return service_loop(settings, stops, ready)


def service_loop(
    settings: ServiceProcessSettings, stops: StopSource, ready: Callable[[], None] = lambda: None
) -> int:
    """Run a service in this thread, with requests to stop from anywhere; see `run_service`."""
    loaded = load_handlers(settings.extensions, "SERVICE")
    if not loaded.extension.handlers:
        msg = f"service {settings.service!r} has nothing to do: no extension exports a SERVICE"
        raise HostExtensionError(msg)
    with history_file(settings.history) as record, zmq.Context() as context:
        service = Service(
            ServiceSettings(settings.service, round(settings.heartbeat * SECOND)),
            epoch=secrets.token_hex(16),
            codec=Codec(loaded.messages),
            extension=loaded.extension,
            record=record,
        )
        loop = PeerLoop(
            name=f"service {settings.service}",
            core=service,
            context=context,
            endpoints=settings.endpoints,
            stops=stops,
            generator=random.Random(),  # noqa: S311 - nothing secret comes of it
        )
        ready()
        return loop.run()
