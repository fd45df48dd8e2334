"""The faults of a chaos run, planned from its seed before it starts.

The plan is repeatable: the same seed, profile and duration give the same one. What comes of it is
not, for real processes and clocks take part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from random import Random
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from actors.command_line.child_specs import LAUNCHER
from actors.process_system.links import LinkName
from host_sim.spawn_time import parse_spawn_time
from transport.fault_proxy import Direction

WINDOW = 0.95
"""In how much of a run's duration faults begin: the last ones have time to be felt."""


class ChaosKind(StrEnum):
    """One thing that is done to a system."""

    KILL_LAUNCHER = "kill_launcher"
    KILL_HOST = "kill_host"
    KILL_OBSERVER = "kill_observer"
    STOP_LAUNCHER = "stop_launcher"
    STOP_HOST = "stop_host"
    STOP_OBSERVER = "stop_observer"
    LOG_OUTAGE = "log_outage"
    DELAY = "delay"
    JITTER = "jitter"
    SILENCE = "silence"
    THROTTLE = "throttle"
    CUT = "cut"
    DROP = "drop"
    CORRUPT = "corrupt"
    BREAK_FRAMING = "break_framing"
    DUPLICATE = "duplicate"


KILLS = frozenset({ChaosKind.KILL_LAUNCHER, ChaosKind.KILL_HOST, ChaosKind.KILL_OBSERVER})
STOPS = frozenset({ChaosKind.STOP_LAUNCHER, ChaosKind.STOP_HOST, ChaosKind.STOP_OBSERVER})
PROCESS_KINDS = KILLS | STOPS | {ChaosKind.LOG_OUTAGE}
AT_ONCE = KILLS | {
    ChaosKind.DROP,
    ChaosKind.CORRUPT,
    ChaosKind.BREAK_FRAMING,
    ChaosKind.DUPLICATE,
}
"""What happens once; the other kinds last."""

BOTH_ENDS = frozenset({ChaosKind.CUT, ChaosKind.DROP})
"""What has no direction."""

ONE_WAY = {"events": Direction.DOWN}
"""The event stream carries messages only one way."""


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a kind is to happen, and for how long.

    Attributes:
        per_minute: how often, in a minute of a run's duration.
        lasts: how long, a distribution as `spawn_time` is; only of what lasts.
    """

    per_minute: Annotated[float, Meta(ge=0, le=600)]
    lasts: str = "0"


class PlannedFault(NamedTuple):
    """One fault.

    Attributes:
        at: seconds after the system was whole for the first time.
        kind: what is done.
        target: to whom: a process's name, or a link.
        direction: which way through the link; None for what has none.
        lasts: for how long at least, in seconds.
        share: from 0 to 1, how much of it, where there is a more and a less.
    """

    at: float
    kind: ChaosKind
    target: str | LinkName
    direction: Direction | None
    lasts: float
    share: float


@dataclass(frozen=True, slots=True)
class Targets:
    """What faults can be done to."""

    hosts: Sequence[str]
    observers: Sequence[str]
    links: Sequence[LinkName]

    def of(self, kind: ChaosKind) -> Sequence[str | LinkName]:
        """Give what a kind can be done to."""
        match kind:
            case ChaosKind.KILL_LAUNCHER | ChaosKind.STOP_LAUNCHER | ChaosKind.LOG_OUTAGE:
                return (LAUNCHER,)
            case ChaosKind.KILL_HOST | ChaosKind.STOP_HOST:
                return self.hosts
            case ChaosKind.KILL_OBSERVER | ChaosKind.STOP_OBSERVER:
                return self.observers
            case _:
                return self.links


def plan_chaos(
    seed: int, rates: Mapping[ChaosKind, Rate], seconds: float, targets: Targets
) -> list[PlannedFault]:
    """Plan the faults of one run, in the order of their times.

    However short the run is, of the faults of processes and of those of links there are at least as
    many as all their rates together say.

    Args:
        seed: decides everything.
        rates: how often each kind happens, and for how long; a kind without a target does not.
        seconds: how long the run lasts.
        targets: what faults can be done to.
    """
    possible = {kind: rate for kind, rate in rates.items() if targets.of(kind)}
    faults = [
        _planned(kind, possible[kind], seconds, targets.of(kind), generator)
        for kind, number in _numbers(seed, possible, seconds).items()
        for generator in [Random(f"{seed} {kind}")]  # noqa: S311 - a seed is the point
        for _ in range(number)
    ]
    return sorted(faults, key=lambda fault: (fault.at, fault.kind))


def _numbers(seed: int, rates: Mapping[ChaosKind, Rate], seconds: float) -> dict[ChaosKind, int]:
    """Give how many of each kind: the remainders of all are rounded together, not each down."""
    numbers = {}
    for sort in (PROCESS_KINDS, frozenset(ChaosKind) - PROCESS_KINDS):
        so_far = Random(f"{seed} {len(sort)}").random()  # noqa: S311 - a seed is the point
        for kind in (each for each in rates if each in sort):
            before = floor(so_far)
            so_far += rates[kind].per_minute * seconds / 60
            numbers[kind] = floor(so_far) - before
    return numbers


def _planned(
    kind: ChaosKind,
    rate: Rate,
    seconds: float,
    targets: Sequence[str | LinkName],
    generator: Random,
) -> PlannedFault:
    at, target = generator.uniform(0, WINDOW * seconds), generator.choice(targets)
    direction, share = generator.choice(tuple(Direction)), generator.random()
    drawn = parse_spawn_time(rate.lasts).draw(generator) / 1e9
    lasts = 0.0 if kind in AT_ONCE else drawn
    return PlannedFault(at, kind, target, _way(kind, target, direction), lasts, share)


def _way(kind: ChaosKind, target: str | LinkName, direction: Direction) -> Direction | None:
    if not isinstance(target, LinkName) or kind in BOTH_ENDS:
        return None
    if kind is ChaosKind.SILENCE:
        return direction
    if kind is ChaosKind.THROTTLE and target.channel == "query":
        return Direction.DOWN  # a question is too short to be slowed down
    return ONE_WAY.get(target.channel, direction)
