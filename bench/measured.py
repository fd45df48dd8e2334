"""The measured part of a run, and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.latencies import SECOND, encoded, histogram_of, latency_of, time_series
from bench.promote_ledger import Key, VoidRunError
from bench.result import Run

MOMENTS = 40
"""Into how many stretches a run is cut for its time series."""


class MeasuredPromote(NamedTuple):
    """A promote; times are nanoseconds of the monotonic clock.

    Attributes:
        began: when its latency began.
        taken: when its window left the pool.
        completed: when the observer had its terminal event.
    """

    key: Key
    began: int
    taken: int
    completed: int

    @property
    def latency(self) -> int:
        """How long it took, in nanoseconds."""
        return self.completed - self.began


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """What was measured.

    Attributes:
        began, ended: in nanoseconds of the monotonic clock.
        promotes: in the order of their completions.
    """

    began: int
    ended: int
    promotes: Sequence[MeasuredPromote]

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.ended - self.began) / SECOND

    def run(self) -> Run:
        """Give its figures.

        Raises:
            VoidRunError: the clocks of two processes disagree.
        """
        completions = [(promote.completed, promote.latency) for promote in self.promotes]
        if self.ended <= self.began or any(latency < 0 for _, latency in completions):
            msg = "the clocks of two processes disagree"
            raise VoidRunError(msg)
        histogram = histogram_of(latency for _, latency in completions)
        return Run(
            rate=len(completions) / self.seconds,
            promotes=len(completions),
            seconds=self.seconds,
            latency_us=latency_of(histogram),
            histogram=encoded(histogram),
            time_series=time_series(completions, self.began, self.seconds, MOMENTS),
        )
