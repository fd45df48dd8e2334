"""What `tests.random_kills` kills, and when: everything that chance decides, from one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from transport.messages import (
    Event,
    PanesReaped,
    PoolWindowAdded,
    PoolWindowPromoted,
    SagaCompleted,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)

LAUNCHER = "launcher"
HOSTS = ("left", "right")

Sort = Literal["launcher", "host"]

TOGETHER = 0.15
"""How often more than one process dies at one instant."""

EARLY = 0.15
"""How often what was killed is killed again while it starts, and again after that."""

LONGEST_PAUSE = 1.0
"""Seconds for which what was killed stays away, usually."""

LONG = 0.02
LONG_PAUSE = 6.0
"""Seconds for which it stays away sometimes, and how often: longer than a respawn may take."""

MOMENTS: tuple[type[Event], ...] = (
    SagaStarted,
    SagaStarted,
    PoolWindowPromoted,
    PoolWindowAdded,
    SagaCompleted,
    WindowOpened,
    WindowClosed,
    PanesReaped,
)
"""What a kill may follow; it is all that goes on while users work, so none is waited for long."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One instant, and who dies in it.

    Attributes:
        victims: names of processes; all get their SIGKILL one right after another.
        event: what is waited for.
        count: how many more of those the observer is to see first.
        delay: seconds after the last of them.
        early: shares of the time that a start takes, each of a start of the first victim that is
            killed, before the one that may live.
        pause: seconds until that one.
    """

    victims: tuple[str, ...]
    event: type[Event]
    count: int
    delay: float
    early: tuple[float, ...]
    pause: float

    def of(self, sort: Sort) -> int:
        """Say how many kills of a sort this is."""
        return _count(self.victims, sort) + len(self.early) * _count(self.victims[:1], sort)


def _count(names: Sequence[str], sort: Sort) -> int:
    return sum((name == LAUNCHER) == (sort == "launcher") for name in names)


def kills_of(seed: int, counts: dict[Sort, int]) -> list[Kill]:
    """Give kills until there are as many of each sort as are asked for, in all."""
    generator = random.Random(seed)
    left, kills = dict(counts), list[Kill]()
    while any(number > 0 for number in left.values()):
        kill = _kill(generator, left)
        kills.append(kill)
        for sort in left:
            left[sort] -= kill.of(sort)
    return kills


def _kill(generator: random.Random, left: dict[Sort, int]) -> Kill:
    [sort] = generator.choices(list(left), [max(0, number) for number in left.values()])
    host = generator.choice(HOSTS)
    victims: tuple[str, ...] = (LAUNCHER,) if sort == "launcher" else (host,)
    if generator.random() < TOGETHER:
        victims = _together(generator, host, left) or victims
    early: tuple[float, ...] = ()
    first: Sort = "launcher" if victims[0] == LAUNCHER else "host"
    spare = left[first] - _count(victims, first)
    while len(early) < spare and generator.random() < EARLY:
        early += (generator.uniform(0.3, 1.1),)
    pause = generator.choice((0.0, 0.0, generator.uniform(0, LONGEST_PAUSE)))
    return Kill(
        victims=victims,
        event=generator.choice(MOMENTS),
        count=generator.choice((1, 1, 2, 3, 5, 8)),
        delay=generator.choice((0.0, generator.uniform(0, 0.02), generator.uniform(0, 0.2))),
        early=early,
        pause=LONG_PAUSE if generator.random() < LONG else pause,
    )


def _together(generator: random.Random, host: str, left: dict[Sort, int]) -> tuple[str, ...]:
    """Give who dies at one instant, or nobody, if not so many are to die."""
    choices: list[tuple[str, ...]] = []
    if left.get("launcher", 0) > 0 and left.get("host", 0) > 0:
        choices += [(LAUNCHER, host), (host, LAUNCHER)]
    if left.get("host", 0) > 1:
        choices += [HOSTS]
    return generator.choice(choices) if choices else ()
