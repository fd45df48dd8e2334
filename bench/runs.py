"""One run of one variant: fresh processes, one closed loop, its figures."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from actors.launcher_process import LauncherSettings
from bench.closed_loop import Measured, Plan, VoidRunError
from bench.driver import DriverSettings, Variant, Void, run_driver
from bench.floor import FloorHostSettings
from bench.processes import floor_host, floor_launcher, muxsaga_host, muxsaga_launcher
from bench.stage import START_SECONDS, Stage
from host_sim.host_process import HostProcessSettings
from transport.endpoints import Endpoints, control_endpoint

SPARE_WINDOWS = 4
"""A pool holds so many windows more than promotes are in flight at its host: none is ever cold."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run needs.

    Attributes:
        run_seconds: how long the driver may take, from its start to its last promote.
    """

    variant: Variant
    plan: Plan
    run_seconds: float


def carry_out(run: Run) -> Measured:
    """Run it in processes of its own, and give the figures.

    Raises:
        VoidRunError: the run proves nothing; says why.
    """
    with tempfile.TemporaryDirectory(prefix="muxsaga-bench-") as name, Stage() as stage:
        directory = Path(name)
        endpoints = Endpoints.in_directory(directory)
        hosts = tuple(f"bench-{index}" for index in range(run.plan.hosts))
        pool_target = run.plan.busiest_host + SPARE_WINDOWS
        _start_hosts_and_launcher(stage, run.variant, directory, hosts, pool_target)
        settings = DriverSettings(
            variant=run.variant,
            plan=run.plan,
            endpoints=endpoints,
            hosts=hosts,
            controls=tuple(control_endpoint(directory, host) for host in hosts),
            pool_target=pool_target,
            deadline_ns=time.monotonic_ns() + round(run.run_seconds * 1e9),
        )
        pipe = stage.start("driver", run_driver, settings)
        outcome = stage.hear(pipe, time.monotonic() + run.run_seconds + START_SECONDS)
    match outcome:
        case Measured():
            return outcome
        case Void(reason=reason):
            raise VoidRunError(reason)
        case _:
            assert_never(outcome)


def _start_hosts_and_launcher(
    stage: Stage, variant: Variant, directory: Path, hosts: tuple[str, ...], pool_target: int
) -> None:
    endpoints = Endpoints.in_directory(directory)
    if variant is Variant.FLOOR:
        stage.start_ready("launcher", floor_launcher, endpoints)
        for host in hosts:
            floor_settings = FloorHostSettings(endpoints, control_endpoint(directory, host))
            stage.start_ready(host, floor_host, floor_settings)
        return
    stage.start_ready("launcher", muxsaga_launcher, _launcher_settings(variant, directory))
    for host in hosts:
        real_settings = HostProcessSettings(
            host=host,
            endpoints=endpoints,
            control=control_endpoint(directory, host),
            pool_target=pool_target,
            spawn_time="0",
        )
        stage.start_ready(host, muxsaga_host, real_settings)


def _launcher_settings(variant: Variant, directory: Path) -> LauncherSettings:
    endpoints, log = Endpoints.in_directory(directory), directory / "log.sqlite"
    match variant:
        case Variant.PROCESS:
            return LauncherSettings(endpoints, log=log, durability="process")
        case Variant.POWER:
            return LauncherSettings(endpoints, log=log, durability="power")
        case _:
            return LauncherSettings(endpoints)
