"""The driver's process: it observes, and closes the loop at the hosts' control sockets.

It is the same for all variants, so what it costs itself burdens all alike.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any

import zmq

from bench.closed_loop import ClosedLoop, Measured, Plan, VoidRunError
from bench.floor_scene import FloorScene
from bench.muxsaga_scene import MuxsagaScene
from bench.scene import Scene
from transport.endpoints import Endpoints
from transport.process_signals import StopSignals

WAIT_SECONDS = 0.25
"""The driver looks at its deadline at least this often."""


class Variant(StrEnum):
    """What is measured: the floor, or muxsaga by where its log is and what that survives."""

    FLOOR = "floor"
    MEMORY = "memory"
    PROCESS = "process"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """What a driver is started with.

    Attributes:
        hosts: ids of the hosts; `controls`, their control sockets.
        pool_target: how many ready windows each host has before promotes begin.
        deadline_ns: when the run must be over, on the monotonic clock.
    """

    variant: Variant
    plan: Plan
    endpoints: Endpoints
    hosts: tuple[str, ...]
    controls: tuple[str, ...]
    pool_target: int
    deadline_ns: int


@dataclass(frozen=True, slots=True)
class Void:
    """A run that proves nothing, and why."""

    reason: str


Outcome = Measured | Void


def run_driver(settings: DriverSettings, life_line: int, result: Connection) -> int:
    """Drive one run, send its `Outcome`, and give the exit status."""
    with StopSignals(life_line) as signals, zmq.Context() as context:
        scene = _scene(settings, context)
        try:
            outcome: Outcome = drive(scene, settings.plan, lambda: _overdue(settings, signals))
        except VoidRunError as error:
            outcome = Void(str(error))
        finally:
            scene.close()
    result.send(outcome)
    return 0


def drive(scene: Scene, plan: Plan, overdue: Callable[[], str | None]) -> Measured:
    """Make every promote of the plan, and give the figures.

    Args:
        scene: what to drive.
        plan: how many promotes, and how many at once.
        overdue: gives the reason why the run must end now, or None.

    Raises:
        VoidRunError: the run proves nothing; says why.
    """
    while not scene.is_ready(WAIT_SECONDS):
        if (reason := overdue()) is not None:
            msg = f"{reason} before the hosts were ready"
            raise VoidRunError(msg)
    loop = ClosedLoop(plan)
    for host in loop.first_hosts():
        scene.promote(host)
    while not loop.finished:
        for completion in scene.completions(WAIT_SECONDS):
            if loop.completed(completion):
                scene.promote(completion.host)
        for taken in scene.answers():
            loop.taken(taken)
        if (reason := overdue()) is not None:
            msg = f"{reason}: {loop.progress()}"
            raise VoidRunError(msg)
    return loop.figures()


def _scene(settings: DriverSettings, context: zmq.Context[Any]) -> Scene:
    if settings.variant is Variant.FLOOR:
        return FloorScene(context, settings.endpoints, settings.controls)
    return MuxsagaScene(
        context,
        settings.endpoints,
        hosts=settings.hosts,
        controls=settings.controls,
        pool_target=settings.pool_target,
    )


def _overdue(settings: DriverSettings, signals: StopSignals) -> str | None:
    if signals.look() or signals.orphaned:
        return "told to stop"
    if time.monotonic_ns() >= settings.deadline_ns:
        return "the time was up"
    return None
