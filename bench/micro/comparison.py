"""What changed between a stored result and a new one, on whatever machines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.micro.stored import Figures, MicroResult
from bench.noise import Change, judge

LEAST_CHANGE = 0.05
"""The share by which a benchmark has to change; a smaller one may be the memory's layout."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One benchmark in both results.

    Attributes:
        change: of the scaled figures; their unit is the newer machine's nanosecond.
    """

    name: str
    change: Change


def compare(before: MicroResult, after: MicroResult) -> list[Compared]:
    """Compare what both results have, in the newer one's order.

    Each figure is divided by what the fixed loop took in its session, so that another machine, or
    another load on it, does not look like a change. What waits for the disk is compared as it is.
    """
    return list(_compared(before, after))


def _compared(before: MicroResult, after: MicroResult) -> Iterator[Compared]:
    unit = median(after.calibration_ns)
    for name, new in after.benchmarks.items():
        old = before.benchmarks.get(name)
        if old is not None and new.disk:
            yield Compared(name, judge(old.ns, new.ns, LEAST_CHANGE))
        elif old is not None:
            olds = _scaled(old, before.calibration_ns, unit)
            news = _scaled(new, after.calibration_ns, unit)
            yield Compared(name, judge(olds, news, LEAST_CHANGE))


def _scaled(figures: Figures, calibrations: Sequence[float], unit: float) -> list[float]:
    pairs = zip(figures.ns, calibrations, strict=True)
    return [ns / calibration * unit for ns, calibration in pairs]


def speed_ratio(before: MicroResult, after: MicroResult) -> float:
    """Give how much longer the fixed loop takes now than it did then."""
    return median(after.calibration_ns) / median(before.calibration_ns)
