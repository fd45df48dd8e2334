"""A figure of several runs: its median, and how far the runs lie apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure of several runs."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Give the spread of one value or more."""
        values = list(values)
        return cls(median(values), min(values), max(values))
