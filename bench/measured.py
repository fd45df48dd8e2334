"""The measured part of a run, and its figures."""

from dataclasses import dataclass

from bench.latencies import SECOND, encoded, histogram_of, latency_of, time_series
from bench.promote_ledger import VoidRunError
from bench.result import Run

MOMENTS = 40
"""Into how many stretches a run is cut for its time series."""


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """What was measured.

    Attributes:
        began, ended: in nanoseconds of the monotonic clock.
        completions: when each measured promote was complete, and its latency, in nanoseconds.
    """

    began: int
    ended: int
    completions: list[tuple[int, int]]

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.ended - self.began) / SECOND

    def run(self) -> Run:
        """Give its figures.

        Raises:
            VoidRunError: the clocks of two processes disagree.
        """
        if self.ended <= self.began or any(latency < 0 for _, latency in self.completions):
            msg = "the clocks of two processes disagree"
            raise VoidRunError(msg)
        histogram = histogram_of(latency for _, latency in self.completions)
        return Run(
            rate=len(self.completions) / self.seconds,
            promotes=len(self.completions),
            seconds=self.seconds,
            latency_us=latency_of(histogram),
            histogram=encoded(histogram),
            time_series=time_series(self.completions, self.began, self.seconds, MOMENTS),
        )
