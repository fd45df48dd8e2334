"""The floor: eleven bare frames a promote, one for each logical message.

See `bench.floor` for what its processes do; here they stand among the other yardsticks. It does
nothing but send: no actors, no sessions, no validation, no acknowledgements, no log.
"""

from typing import Any

import zmq

from bench.floor import FloorLauncherSettings
from bench.floor_scene import FloorScene
from bench.processes import floor_host, floor_launcher
from bench.stage import Stage
from bench.yardsticks.yardstick import HOST, Site, Subject


class Floor:
    """Implements `Yardstick`."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start the floor's launcher and host."""
        stage.start_ready("launcher", floor_launcher, FloorLauncherSettings(site.endpoints))
        stage.start_ready(HOST, floor_host, site.host)

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give the floor's driver side."""
        return Subject(FloorScene(context, site.endpoints, [site.host]))


FLOOR = Floor()
