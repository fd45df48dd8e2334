"""The driver's process: it observes, and has the hosts promote through their control sockets.

It is the same for all variants, so what it costs itself burdens all alike.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import zmq
from msgspec.structs import replace

from bench.floor_scene import FloorScene
from bench.history_check import summary
from bench.loads import ClosedLoad, Load, OpenLoad
from bench.measured import MeasuredPart, MeasuredPromote
from bench.muxsaga_scene import MuxsagaScene
from bench.places import Places
from bench.process_usage import UsageMeter
from bench.promote_ledger import VoidRunError
from bench.result import Run
from bench.scenario import ClosedArrivals, Scenario, Variant
from bench.scene import PromoteEvents, Scene
from transport.process_signals import StopSignals

WAIT_SECONDS = 0.25
"""The driver looks at its deadline at least this often."""

DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """What a driver is started with.

    Attributes:
        pool_target: how many ready windows each host has before promotes begin.
        pids: of the other processes, by name.
        deadline_ns: when the run must be over, on the monotonic clock.
    """

    scenario: Scenario
    places: Places
    pool_target: int
    pids: dict[str, int]
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Void:
    """A run that proves nothing, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Driven:
    """A run that counts.

    Attributes:
        promotes: the measured ones, with their events, if a breakdown is wanted.
    """

    run: Run
    promotes: tuple[tuple[MeasuredPromote, PromoteEvents], ...] = ()


Outcome = Driven | Void
MakeLoad = Callable[[int], Load]
"""Makes a load whose promotes begin now, at this time of the monotonic clock."""


def run_driver(settings: DriverSettings, life_line: int, result: Connection) -> int:
    """Drive one run, send its `Outcome`, and give the exit status."""
    _wake_in_time()
    meter = UsageMeter({**settings.pids, DRIVER: os.getpid()})
    with StopSignals(life_line) as signals, zmq.Context() as context:
        scene = _scene(settings, context)
        try:
            part = drive(
                scene,
                lambda began: _load(settings.scenario, began),
                lambda: _overdue(settings, signals),
                meter,
            )
            run = replace(part.run(), cpu_s=meter.cpu_s, rss_bytes=meter.rss_bytes)
            wanted = part.promotes if settings.scenario.breakdown else ()
            pairs = ((each, scene.events_of(each.key)) for each in wanted)
            outcome: Outcome = Driven(run, tuple((each, of) for each, of in pairs if of))
        except VoidRunError as error:
            outcome = Void(str(error))
        finally:
            scene.close()
    result.send(outcome)
    return 0


def drive(
    scene: Scene, make_load: MakeLoad, overdue: Callable[[], str | None], meter: UsageMeter
) -> MeasuredPart:
    """Make every promote of a load, and give those that count.

    Args:
        scene: what to drive.
        make_load: which promotes.
        overdue: gives the reason why the run must end now, or None.
        meter: measures the processes during the measured part.

    Raises:
        VoidRunError: the run proves nothing; says why.
    """
    while not scene.is_ready(WAIT_SECONDS):
        if (reason := overdue()) is not None:
            msg = f"{reason} before the hosts were ready"
            raise VoidRunError(msg)
    load = make_load(time.monotonic_ns())
    with _no_collections():
        while not load.ledger.finished:
            for start in load.due(time.monotonic_ns()):
                scene.promote(start)
            for completion in scene.completions(_wait(load)):
                load.completed(completion)
            for taken in scene.answers():
                load.taken(taken)
            meter.look(measuring=load.is_measuring, measured=load.is_measured)
            if (reason := overdue()) is not None:
                msg = f"{reason}: {load.ledger.progress()}"
                raise VoidRunError(msg)
    part = load.measured()
    if found := scene.violations():
        msg = f"the history is wrong: {summary(found)}"
        raise VoidRunError(msg)
    return part


def _wait(load: Load) -> float:
    due = load.next_due()
    if due is None:
        return WAIT_SECONDS
    return min(WAIT_SECONDS, max(0.0, (due - time.monotonic_ns()) / 1e9))


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the collector off: its pauses in the measuring process would count as latency."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _wake_in_time() -> None:
    """Have the kernel wake this process within a microsecond of a due time, not fifty."""
    with suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1000", encoding="ascii")


def _load(scenario: Scenario, began: int) -> Load:
    arrivals, hosts = scenario.arrivals, scenario.ground.hosts
    if isinstance(arrivals, ClosedArrivals):
        return ClosedLoad(arrivals, hosts)
    return OpenLoad(arrivals, hosts, began)


def _scene(settings: DriverSettings, context: zmq.Context[Any]) -> Scene:
    places = settings.places
    if settings.scenario.variant is Variant.FLOOR:
        return FloorScene(context, places.observer, places.hosts)
    return MuxsagaScene(
        context,
        places.observer,
        hosts=places.hosts,
        pool_target=settings.pool_target,
        in_flight=settings.scenario.ground.in_flight,
    )


def _overdue(settings: DriverSettings, signals: StopSignals) -> str | None:
    if signals.look() or signals.orphaned:
        return "told to stop"
    if time.monotonic_ns() >= settings.deadline_ns:
        return "the time was up"
    return None
