"""The driver's process: `bench.driver`'s loop, before whichever yardstick it is told."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import zmq
from msgspec.structs import replace

from bench.driver import DRIVER, Void, drive
from bench.loads import ClosedLoad
from bench.process_usage import UsageMeter
from bench.promote_ledger import VoidRunError
from bench.result import Run
from bench.scenario import ClosedArrivals
from bench.yardsticks.catalogue import CATALOGUE
from bench.yardsticks.yardstick import Site, Subject
from transport.process_signals import StopSignals


@dataclass(frozen=True, slots=True)
class DriverSettings:
    """What a driver is started with.

    Attributes:
        name: of the yardstick.
        pids: of the processes that the stage started, by name.
        deadline_ns: when the run must be over, on the monotonic clock.
    """

    name: str
    site: Site
    arrivals: ClosedArrivals
    pids: Mapping[str, int]
    deadline_ns: int


Outcome = Run | Void


def driver(settings: DriverSettings, life_line: int, result: Connection) -> int:
    """Be a driver's process; it ends even if a library left threads that never do."""
    run_driver(settings, life_line, result)
    os._exit(0)


def run_driver(settings: DriverSettings, life_line: int, result: Connection) -> int:
    """Drive one run, send its `Outcome`, and give the exit status."""
    yardstick = CATALOGUE[settings.name].load()
    with StopSignals(life_line) as signals, zmq.Context() as context:
        try:
            subject = yardstick.subject(context, settings.site)
            try:
                outcome: Outcome = _drive(subject, settings, signals)
            finally:
                subject.scene.close()
        except VoidRunError as error:
            outcome = Void(str(error))
    with suppress(BrokenPipeError):  # nobody is left to hear it
        result.send(outcome)
    return 0


def _drive(subject: Subject, settings: DriverSettings, signals: StopSignals) -> Run:
    meter = UsageMeter({**settings.pids, **subject.pids, DRIVER: os.getpid()})

    def overdue() -> str | None:
        if signals.look() or signals.orphaned:
            return "told to stop"
        late = time.monotonic_ns() >= settings.deadline_ns
        return "the time was up" if late else None

    part = drive(subject.scene, lambda _: ClosedLoad(settings.arrivals, 1), overdue, meter)
    return replace(part.run(), cpu_s=meter.cpu_s, rss_bytes=meter.rss_bytes)
