"""The faults of a run, planned from its seed before it begins.

Each planned fault carries everything that chance decides about it, so one can be left out and the
others stay what they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from host_sim.faults import Fault

MILLISECOND = 1_000_000

WORLD = "world"
LAUNCHER = "launcher"


class FaultKind(StrEnum):
    """One way in which a simulated world is hostile."""

    LAUNCHER_KILL = "launcher_kill"
    LAUNCHER_KILL_BEFORE_COMMIT = "launcher_kill_before_commit"
    LAUNCHER_KILL_AFTER_COMMIT = "launcher_kill_after_commit"
    LAUNCHER_KILL_AFTER_PUBLISHING = "launcher_kill_after_publishing"
    LAUNCHER_KILL_WHILE_SENDING = "launcher_kill_while_sending"
    LAUNCHER_STOP = "launcher_stop"
    LAUNCHER_PAUSE = "launcher_pause"
    COORDINATOR_CRASH = "coordinator_crash"
    SAGA_CRASH = "saga_crash"
    LOG_BUSY = "log_busy"
    LOG_FULL = "log_full"
    WALL_CLOCK_STEP = "wall_clock_step"
    POWER_CUT = "power_cut"
    DELAY_SPIKE = "delay_spike"
    HOST_KILL = "host_kill"
    HOST_STOP = "host_stop"
    HOST_PAUSE = "host_pause"
    HOST_REPLACED = "host_replaced"
    LINK_BREAK = "link_break"
    LINK_HALF_OPEN = "link_half_open"
    PARTITION = "partition"
    PARTITION_UP = "partition_up"
    PARTITION_DOWN = "partition_down"
    SLOW_LINK = "slow_link"
    OBSERVER_KILL = "observer_kill"
    OBSERVER_PAUSE = "observer_pause"
    STREAM_BREAK = "stream_break"
    STREAM_HELD = "stream_held"
    STREAM_OVERFLOW = "stream_overflow"
    LATE_SUBSCRIPTION = "late_subscription"
    QUESTIONS_LOST = "questions_lost"
    CREATION_FAILED = Fault.CREATION_FAILED.value
    CREATION_NEVER_READY = Fault.CREATION_NEVER_READY.value
    MEMORY_PRESSURE = Fault.MEMORY_PRESSURE.value
    QUITTING = Fault.QUITTING.value
    PANE_CLOSING = Fault.PANE_CLOSING.value
    READY_WINDOW_DIES = Fault.READY_WINDOW_DIES.value
    OPEN_WINDOW_CRASHES = Fault.OPEN_WINDOW_CRASHES.value
    WINDOW_VANISHES = Fault.WINDOW_VANISHES.value
    NO_ANSWER = Fault.NO_ANSWER.value
    WINDOW_VANISHES_IN_QUIET = "window_vanishes_in_quiet"


LAUNCHER_KILLS = frozenset(
    {
        FaultKind.LAUNCHER_KILL,
        FaultKind.LAUNCHER_KILL_BEFORE_COMMIT,
        FaultKind.LAUNCHER_KILL_AFTER_COMMIT,
        FaultKind.LAUNCHER_KILL_AFTER_PUBLISHING,
        FaultKind.LAUNCHER_KILL_WHILE_SENDING,
        FaultKind.POWER_CUT,
    }
)
HOST_KILLS = frozenset({FaultKind.HOST_KILL, FaultKind.POWER_CUT})

_OF_LAUNCHER = LAUNCHER_KILLS - {FaultKind.POWER_CUT} | {
    FaultKind.LAUNCHER_STOP,
    FaultKind.LAUNCHER_PAUSE,
    FaultKind.COORDINATOR_CRASH,
    FaultKind.SAGA_CRASH,
    FaultKind.LOG_BUSY,
    FaultKind.LOG_FULL,
    FaultKind.WALL_CLOCK_STEP,
}
_OF_WORLD = {FaultKind.POWER_CUT, FaultKind.DELAY_SPIKE}
OF_OBSERVERS = {FaultKind.OBSERVER_KILL, FaultKind.OBSERVER_PAUSE, FaultKind.QUESTIONS_LOST}
IN_QUIET = {FaultKind.WINDOW_VANISHES_IN_QUIET}
"""Faults that happen once everything else is over and whole again, and nobody does anything."""

OF_SUBSCRIBERS = {
    FaultKind.STREAM_BREAK,
    FaultKind.STREAM_HELD,
    FaultKind.STREAM_OVERFLOW,
    FaultKind.LATE_SUBSCRIPTION,
}

USUAL_DURATION = (100 * MILLISECOND, 2_500 * MILLISECOND)
LONG_DURATION = (4_000 * MILLISECOND, 9_000 * MILLISECOND)
"""How long a fault lasts, or a killed process stays away; the longer one is rarer."""

LONG_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault.

    Attributes:
        number: its place in the plan, from 1; names it for a replay.
        at: nanoseconds after the world was whole for the first time.
        target: a process's name, or `world`.
        duration: how long it lasts, or for how long a killed process is away, in nanoseconds.
        chance: the seed of whatever else chance decides about it.
    """

    number: int
    at: int
    kind: FaultKind
    target: str
    duration: int
    chance: int


def plan_faults(
    generator: Random,
    counts: Mapping[FaultKind, tuple[int, int]],
    window: int,
    hosts: Sequence[str],
    observers: Sequence[str],
) -> list[PlannedFault]:
    """Plan the faults of one run, in order of time.

    Args:
        generator: decides everything, and is used for nothing else.
        counts: how many of each kind, at least and at most.
        window: within how many nanoseconds all of them begin.
        hosts: their names.
        observers: their names.
    """
    drawn = [
        (
            generator.randrange(window),
            kind,
            generator.choice(_targets(kind, hosts, observers)),
            _duration(generator),
            generator.getrandbits(64),
        )
        for kind, (least, most) in counts.items()
        for _ in range(generator.randint(least, most))
    ]
    return [PlannedFault(number, *rest) for number, rest in enumerate(sorted(drawn), 1)]


def _targets(kind: FaultKind, hosts: Sequence[str], observers: Sequence[str]) -> Sequence[str]:
    if kind in _OF_WORLD:
        return (WORLD,)
    if kind in _OF_LAUNCHER:
        return (LAUNCHER,)
    if kind in OF_OBSERVERS:
        return observers
    if kind in OF_SUBSCRIBERS:
        return (*hosts, *observers)
    return hosts


def _duration(generator: Random) -> int:
    is_long = generator.random() < LONG_SHARE
    return generator.randrange(*(LONG_DURATION if is_long else USUAL_DURATION))
