"""How each benchmark is measured: in rounds, with a fixed loop beside it."""

import time
from collections.abc import Callable
from statistics import median
from typing import Protocol

CALIBRATIONS = 20
"""So often the fixed loop runs before each benchmark, and so often after it."""


class Measure(Protocol):
    """Measures some work; a benchmark calls it once."""

    def __call__(
        self,
        work: Callable[..., object],
        *,
        operations: int = 1,
        prepare: Callable[[], object] | None = None,
        rounds: int | None = None,
        disk: bool = False,
    ) -> None:
        """Measure it.

        Args:
            work: what is timed; with `prepare`, it gets what that gave.
            operations: how many times it does what is benchmarked; the figures are for one.
            prepare: called before each of the `rounds`, untimed.
            rounds: how many there are; None for as many as the time allows.
            disk: it waits for the disk, so the speed of Python does not explain it.
        """


class _Tally:
    __slots__ = ("count", "names")

    def __init__(self) -> None:
        self.count = 0
        self.names: dict[str, int] = {}

    def add(self, number: int) -> None:
        self.count += number
        name = f"name-{number % 64}"
        self.names[name] = self.names.get(name, 0) + 1


def fixed_work() -> int:
    """Do always the same, in Python of the usual kind: calls, attributes, dictionaries, strings.

    It touches nothing of muxsaga. A change of it makes every stored result worthless.
    """
    tally = _Tally()
    for number in range(2_000):
        tally.add(number)
    return tally.count + len(tally.names)


def calibrations() -> list[float]:
    """Give what the fixed loop takes right now, some times over, in nanoseconds."""
    taken = []
    for _ in range(CALIBRATIONS):
        began = time.perf_counter_ns()
        fixed_work()
        taken.append(float(time.perf_counter_ns() - began))
    return taken


def measured_beside(work: Callable[[], object]) -> float:
    """Do some work between fixed loops; give the loop's median, in nanoseconds."""
    before = calibrations()
    work()
    return median([*before, *calibrations()])
