"""What a yardstick is: processes to start, and how the driver sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import zmq

from bench.places import HostPlace, Places
from bench.scene import Scene
from bench.stage import Stage
from transport.endpoints import Endpoints

HOST = "bench-0"
"""The one host of a yardstick."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where one run is; plain values, so that it can cross a spawn.

    Attributes:
        directory: its own, empty at first.
        concurrency: how many promotes will be in flight at once.
    """

    directory: Path
    concurrency: int

    @property
    def endpoints(self) -> Endpoints:
        """The launcher's sockets."""
        return Endpoints.in_directory(self.directory)

    @property
    def host(self) -> HostPlace:
        """The host's place."""
        (host,) = Places.of("ipc", self.directory, (HOST,)).hosts
        return host


@dataclass(frozen=True, slots=True)
class Subject:
    """What is driven.

    Attributes:
        pids: of the processes, by name, that no stage started.
    """

    scene: Scene
    pids: Mapping[str, int] = field(default_factory=dict)


class Yardstick(Protocol):
    """One way of making promotes."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start the processes, all but the driver's, and wait until they are ready.

        Raises:
            VoidRunError: one of them did not start.
        """

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give what is driven; called in the driver's process.

        Raises:
            VoidRunError: something of it did not start.
        """
