"""muxsaga itself (its log surviving `kill -9`, or a power cut), and with a commit for every row.

*Commit per write* is what a log costs that is written row by row, as things happen: the same rows,
the same file, the same durability (`process`), and a transaction for each row. Nothing else
differs; a pass still lets nothing out before its last row. It does not make a pass one unit: a
launcher killed between two rows leaves half of it in the log.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import zmq

from actors.launcher_process import LauncherSettings, run_launcher
from actors.saga_log import Row
from actors.sqlite_saga_log import Durability, SqliteSagaLog
from bench.muxsaga_scene import MuxsagaScene
from bench.processes import muxsaga_host, muxsaga_launcher
from bench.runs import SPARE_WINDOWS
from bench.stage import Body, Stage
from bench.yardsticks.yardstick import HOST, Site, Subject
from host_sim.host_process import HostProcessSettings
from transport.codec import Codec


class LogByRow(SqliteSagaLog):
    """A saga log that commits every row on its own."""

    def commit(self, rows: Sequence[Row]) -> None:
        """Make all rows durable, one after the other.

        Raises:
            LogUnavailableError: one of them is not, and those after it are not.
        """
        for row in rows:
            super().commit([row])


def log_by_row(settings: LauncherSettings, codec: Codec) -> LogByRow:
    """Open such a log where the settings say; see `actors.launcher_process.open_log`."""
    assert settings.log is not None  # noqa: S101 - the yardstick below gives one
    return LogByRow(
        settings.log,
        new_log_id=secrets.token_hex(16),
        durability=settings.durability,
        journal_events=settings.journal_events,
        codec=codec,
        wall=time.time_ns,
    )


def launcher_by_row(settings: LauncherSettings, life_line: int, pipe: Connection) -> int:
    """Run a launcher with such a log."""
    settings = replace(settings, life_line=life_line)
    return run_launcher(settings, lambda: pipe.send("ready"), make_log=log_by_row)


@dataclass(frozen=True, slots=True)
class Muxsaga:
    """Implements `Yardstick`, with muxsaga's own host and observer.

    Attributes:
        launcher: runs the launcher's process.
        durability: what a commit survives.
    """

    launcher: Body
    durability: Durability = "process"

    def start(self, stage: Stage, site: Site) -> None:
        """Start a launcher with its log in a file, and a host whose windows are ready at once."""
        log = site.directory / "log.sqlite"
        launcher = LauncherSettings(site.endpoints, log=log, durability=self.durability)
        stage.start_ready("launcher", self.launcher, launcher)
        host = HostProcessSettings(
            host=HOST,
            endpoints=site.endpoints,
            control=site.host.control,
            pool_target=_pool_target(site),
            spawn_time="0",
        )
        stage.start_ready(HOST, muxsaga_host, host)

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give muxsaga's driver side."""
        pool_target = _pool_target(site)
        scene = MuxsagaScene(context, site.endpoints, hosts=[site.host], pool_target=pool_target)
        return Subject(scene)


def _pool_target(site: Site) -> int:
    """Give how many windows a pool needs so that no promote finds it empty."""
    return site.concurrency + SPARE_WINDOWS


PROCESS = Muxsaga(muxsaga_launcher)
POWER = Muxsaga(muxsaga_launcher, "power")
COMMIT_PER_WRITE = Muxsaga(launcher_by_row)
