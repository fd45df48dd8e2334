"""One run of one scenario: fresh processes, one load, its figures."""

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from msgspec.structs import replace

from actors.launcher_process import LauncherSettings
from actors.pass_times import read_notes
from bench import held_sagas
from bench.breakdown import breakdown
from bench.driver import Driven, DriverSettings, Outcome, Void, run_driver
from bench.floor import FloorLauncherSettings
from bench.places import HostPlace, Places
from bench.processes import floor_host, floor_launcher, muxsaga_host, muxsaga_launcher, sinks
from bench.promote_ledger import VoidRunError
from bench.result import Run
from bench.scenario import Scenario, Variant
from bench.sinks import SINKS_IN_PROCESS, SinksSettings
from bench.spawn_times import spawns
from bench.stage import START_SECONDS, Body, Stage
from host_sim.host_process import HostProcessSettings

SPARE_WINDOWS = 4
"""A pool holds so many windows more than promotes are under way at its host: none is ever cold."""

TIMES = "times"
HISTORY = ".history.jsonl"
EVENTS_OF_HELD = 4
JOURNAL_EVENTS = 200_000
"""A journal holds what the driver has missed of the beginning, held sagas included."""


Beside = Callable[[Mapping[str, int]], AbstractContextManager[object]]
"""Given the ids of all processes but the driver's, by name: what lasts while the driver drives."""


def carry_out(
    scenario: Scenario,
    run_seconds: float,
    *,
    launcher: Body = muxsaga_launcher,
    beside: Beside = nullcontext,
) -> Run:
    """Run it in processes of its own, and give the figures.

    Args:
        scenario: what to measure.
        run_seconds: how long the driver may take, from its start to its last promote.
        launcher: what the launcher's process runs, but for the floor's.
        beside: see `Beside`.

    Raises:
        VoidRunError: the run proves nothing; says why.
    """
    ground = scenario.ground
    with tempfile.TemporaryDirectory(prefix="muxsaga-bench-") as name, Stage(ground.cpus) as stage:
        directory = Path(name)
        measured = tuple(f"bench-{index}" for index in range(ground.hosts))
        holders = (held_sagas.holder(ground.in_flight),) if ground.in_flight else ()
        places = Places.of(ground.transport, directory, (*measured, *holders))
        pool_target = scenario.busiest_host + SPARE_WINDOWS
        _start_launcher(stage, scenario, places, directory, launcher)
        _start_hosts(stage, scenario, places, pool_target, directory)
        _start_sinks(stage, scenario, places)
        settings = DriverSettings(
            scenario=scenario,
            places=places.of_first(ground.hosts),
            pool_target=pool_target,
            pids=stage.pids,
            deadline_ns=time.monotonic_ns() + round(run_seconds * 1e9),
        )
        with beside(stage.pids):
            pipe = stage.start("driver", run_driver, settings)
            outcome: Outcome = stage.hear(pipe, time.monotonic() + run_seconds + START_SECONDS)
        if isinstance(outcome, Void):
            raise VoidRunError(outcome.reason)
        stage.end()
        if not outcome.promotes:
            return outcome.run
        return _with_breakdown(outcome, directory)


def _with_breakdown(driven: Driven, directory: Path) -> Run:
    times = directory / TIMES
    if not times.exists():
        msg = "the launcher did not leave its times: it had to be killed"
        raise VoidRunError(msg)
    made = spawns(directory.glob(f"*{HISTORY}"))
    parts = breakdown(driven.promotes, read_notes(times), made)
    return replace(driven.run, breakdown_us=parts)


def _start_launcher(
    stage: Stage, scenario: Scenario, places: Places, directory: Path, launcher: Body
) -> None:
    if scenario.variant is Variant.FLOOR:
        floor_settings = FloorLauncherSettings(places.launcher, places.launcher_keys)
        stage.start_ready("launcher", floor_launcher, floor_settings)
        return
    in_memory = scenario.variant is Variant.MEMORY
    in_flight = scenario.ground.in_flight
    settings = LauncherSettings(
        places.launcher,
        keys=places.launcher_keys,
        extensions=(held_sagas.__name__,) if in_flight else (),
        journal_events=max(JOURNAL_EVENTS, EVENTS_OF_HELD * in_flight),
        log=None if in_memory else directory / "log.sqlite",
        durability="power" if scenario.variant is Variant.POWER else "process",
        times=directory / TIMES if scenario.breakdown else None,
    )
    stage.start_ready("launcher", launcher, settings)


def _start_hosts(
    stage: Stage, scenario: Scenario, places: Places, pool_target: int, directory: Path
) -> None:
    for place in places.hosts:
        if scenario.variant is Variant.FLOOR:
            stage.start_ready(place.host, floor_host, place)
        else:
            settings = _host(place, scenario, pool_target, directory)
            stage.start_ready(place.host, muxsaga_host, settings)


def _host(
    place: HostPlace, scenario: Scenario, pool_target: int, directory: Path
) -> HostProcessSettings:
    spawn_time = scenario.ground.spawn_time
    # Windows that take no time need no record of it, which would cost the host some.
    is_recorded = scenario.breakdown and spawn_time != "0"
    return HostProcessSettings(
        host=place.host,
        endpoints=place.endpoints,
        control=place.control,
        control_keys=place.control_keys,
        pool_target=0 if place.host.startswith(held_sagas.HOLDER) else pool_target,
        spawn_time=spawn_time,
        history=directory / f"{place.host}{HISTORY}" if is_recorded else None,
        extensions=(held_sagas.__name__,) if scenario.ground.in_flight else (),
    )


def _start_sinks(stage: Stage, scenario: Scenario, places: Places) -> None:
    sinks_wanted = scenario.ground.observers - 1
    for first in range(0, sinks_wanted, SINKS_IN_PROCESS):
        count = min(SINKS_IN_PROCESS, sinks_wanted - first)
        settings = SinksSettings(places.observer, count)
        stage.start_ready(f"sinks-{first // SINKS_IN_PROCESS}", sinks, settings)
