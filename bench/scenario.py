"""What is measured: one variant, the load on it, and what it runs on."""

import math
from dataclasses import dataclass
from enum import StrEnum

from bench.result import Arrivals, Cpus, Run, Series, Transport

WARM_UP_LEAST = 500
WARM_UP_ROUNDS = 8
"""A closed loop warms up for at least so many promotes, and so many rounds of the loop."""

WARM_UP_SECONDS = 1.0
"""An open loop warms up for so long, but not for longer than it measures."""

MOST_OUTSTANDING = 124
"""How many promotes of an open loop are under way at a host at most; those due meanwhile wait in
the driver, and their latency counts from when they were due."""

MOST_PROMOTES = 200_000
"""How many promotes a run measures at most: every run is bounded."""


class Variant(StrEnum):
    """What is measured: the floor, or muxsaga by where its log is and what that survives."""

    FLOOR = "floor"
    MEMORY = "memory"
    PROCESS = "process"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the promotes of a scenario run on.

    Attributes:
        observers: one decodes everything; the others are sinks that only receive.
        in_flight: how many other sagas are open all the time.
        spawn_time: see `host_sim.spawn_time.parse_spawn_time`.
        cpus: `shared` by all processes, or with the launcher on the first one, `apart` from the
            others.
    """

    transport: Transport = "ipc"
    hosts: int = 1
    observers: int = 1
    in_flight: int = 0
    spawn_time: str = "0"
    cpus: Cpus = "shared"

    def words(self) -> list[str]:
        """Give what differs from the default, for people."""
        return [
            *([self.transport] if self.transport != "ipc" else []),
            *([f"{self.hosts} hosts"] if self.hosts > 1 else []),
            *([f"{self.observers} observers"] if self.observers > 1 else []),
            *([f"{self.in_flight:,} sagas open"] if self.in_flight else []),
            *([f"spawn time {self.spawn_time}"] if self.spawn_time != "0" else []),
            *(["launcher on a CPU of its own"] if self.cpus == "apart" else []),
        ]


@dataclass(frozen=True, slots=True)
class ClosedArrivals:
    """A fixed number is in flight, and each completion starts the next.

    Attributes:
        measured: how many completions are measured.
    """

    concurrency: int
    measured: int

    @property
    def warm_up(self) -> int:
        """How many complete before: fewer than are measured, if that fills the loop."""
        rounds = WARM_UP_ROUNDS * self.concurrency
        return max(rounds, min(WARM_UP_LEAST, self.measured // 2))

    def words(self) -> str:
        """Give it for people."""
        return f"{self.concurrency} in flight"


@dataclass(frozen=True, slots=True)
class OpenArrivals:
    """Promotes are due at times of their own, whatever has become of those before.

    Attributes:
        kind: due at equal distances, or as a Poisson process.
        rate: how many are due a second.
        seconds: for how long they are measured.
        seed: of the Poisson process.
    """

    kind: Arrivals
    rate: float
    seconds: float
    seed: int

    @property
    def measured(self) -> int:
        """How many are measured."""
        return min(MOST_PROMOTES, max(1, round(self.rate * self.seconds)))

    @property
    def warm_up(self) -> int:
        """How many are due before."""
        return min(self.measured, math.ceil(self.rate * WARM_UP_SECONDS))

    def words(self) -> str:
        """Give it for people."""
        return f"{self.kind} {self.rate:,.0f}/s"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One variant under one load."""

    variant: Variant
    arrivals: ClosedArrivals | OpenArrivals
    ground: Ground = Ground()
    breakdown: bool = False

    @property
    def name(self) -> str:
        """Its name for people."""
        own = ["with time stamps"] if self.breakdown else []
        return ", ".join([self.variant, *self.ground.words(), *own, self.arrivals.words()])

    @property
    def busiest_host(self) -> int:
        """How many promotes are under way at most at one host."""
        arrivals = self.arrivals
        if isinstance(arrivals, ClosedArrivals):
            return math.ceil(arrivals.concurrency / self.ground.hosts)
        return MOST_OUTSTANDING

    def series(self, runs: list[Run], suffix: str = "") -> Series:
        """Give its series in a document."""
        arrivals, ground = self.arrivals, self.ground
        return Series(
            name=self.name + suffix,
            variant=self.variant.value,
            arrivals="closed" if isinstance(arrivals, ClosedArrivals) else arrivals.kind,
            concurrency=arrivals.concurrency if isinstance(arrivals, ClosedArrivals) else None,
            offered_rate=None if isinstance(arrivals, ClosedArrivals) else arrivals.rate,
            transport=ground.transport,
            hosts=ground.hosts,
            observers=ground.observers,
            in_flight=ground.in_flight,
            spawn_time=ground.spawn_time,
            cpus=ground.cpus,
            runs=runs,
        )


def on_ground(variant: Variant, ground: Ground) -> Ground:
    """Give what a variant can run on: the floor has no sagas, and its windows take no time."""
    if variant is not Variant.FLOOR:
        return ground
    return Ground(ground.transport, ground.hosts, ground.observers, cpus=ground.cpus)
