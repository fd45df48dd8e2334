"""A closed loop: a fixed number of promotes is in flight, and each completion starts the next one.

Pure book-keeping: it is told what happened and when, and says which host promotes next. The first
completions warm the processes up and are not measured. The loop stays full until the last measured
completion, so neither its filling nor its running dry is in the figures.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

NANOSECONDS = 1_000_000_000
MICROSECOND = 1_000

WARM_UP_LEAST = 500
WARM_UP_ROUNDS = 8
"""Warm-up lasts for at least so many promotes, and so many rounds of the loop."""

Key = Hashable
"""What tells one promote from another: its promote id, or in the floor its number."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many promotes one run makes.

    Attributes:
        hosts: over how many hosts they are spread.
        concurrency: how many are in flight, all hosts together.
        measured: how many completions are measured, after `warm_up` others.
    """

    hosts: int
    concurrency: int
    measured: int
    warm_up: int

    @classmethod
    def of(cls, *, hosts: int, concurrency: int, measured: int) -> "Plan":
        """Give the plan with a warm-up that fits: shorter than what is measured, if it can be."""
        rounds = WARM_UP_ROUNDS * concurrency
        warm_up = max(rounds, min(WARM_UP_LEAST, measured // 2))
        return cls(hosts, concurrency, measured, warm_up)

    @property
    def total(self) -> int:
        """How many promotes are started: the loop is full until the last measured completion."""
        return self.warm_up + self.measured + self.concurrency - 1

    @property
    def busiest_host(self) -> int:
        """How many promotes are in flight at most at one host."""
        return math.ceil(self.concurrency / self.hosts)


@dataclass(frozen=True, slots=True)
class Taken:
    """A host's answer: a window left its pool.

    Attributes:
        at_ns: when, on the host's monotonic clock.
        cold: the pool was empty, so the window was made on demand.
    """

    key: Key
    at_ns: int
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """An observer has the terminal event of a promote.

    Attributes:
        host: index of the host that promoted.
        at_ns: when the observer had it, decoded, on its monotonic clock.
    """

    key: Key
    host: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one run.

    Attributes:
        rate: completed promotes a second, in steady state.
        p50_us, p99_us, max_us: latency in microseconds, from the pool to the observer.
        promotes: how many were measured.
        seconds: how long that took.
    """

    rate: float
    p50_us: float
    p99_us: float
    max_us: float
    promotes: int
    seconds: float


class VoidRunError(Exception):
    """A run proves nothing: a promote was lost, failed, cold or doubled. Says which."""


class ClosedLoop:
    """What was started, taken from a pool, completed.

    Raises (every method):
        VoidRunError: what happened must not happen.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._started = 0
        self._taken: dict[Key, int] = {}
        self._completed: dict[Key, int] = {}

    def first_hosts(self) -> list[int]:
        """Give the hosts of the first promotes, one for each that is to be in flight."""
        self._started = self._plan.concurrency
        return [slot % self._plan.hosts for slot in range(self._plan.concurrency)]

    def taken(self, taken: Taken) -> None:
        """Note that a window left its pool."""
        if taken.cold:
            msg = f"promote {taken.key} found an empty pool"
            raise VoidRunError(msg)
        if taken.key in self._taken:
            msg = f"promote {taken.key} was answered twice"
            raise VoidRunError(msg)
        self._taken[taken.key] = taken.at_ns

    def completed(self, completion: Completion) -> bool:
        """Note that a promote is complete; say whether its host is to promote again."""
        if completion.key in self._completed:
            msg = f"promote {completion.key} completed twice"
            raise VoidRunError(msg)
        if len(self._completed) == self._started:
            msg = f"promote {completion.key} completed, but nobody started it"
            raise VoidRunError(msg)
        self._completed[completion.key] = completion.at_ns
        if self._started == self._plan.total:
            return False
        self._started += 1
        return True

    @property
    def finished(self) -> bool:
        """Whether every promote of the plan was taken and completed."""
        return len(self._completed) == self._plan.total == len(self._taken)

    def progress(self) -> str:
        """Give how far the loop is, in words."""
        return (
            f"{self._plan.total} promotes due, {self._started} started, "
            f"{len(self._taken)} answered, {len(self._completed)} completed"
        )

    def figures(self) -> Measured:
        """Give the figures of a finished loop."""
        if not self.finished or self._taken.keys() != self._completed.keys():
            msg = f"promotes were lost: {self.progress()}"
            raise VoidRunError(msg)
        in_order = list(self._completed.items())
        first = self._plan.warm_up
        measured = in_order[first : first + self._plan.measured]
        latencies = sorted(at - self._taken[key] for key, at in measured)
        elapsed = measured[-1][1] - in_order[first - 1][1]
        if elapsed <= 0 or latencies[0] < 0:
            msg = "the clocks of two processes disagree"
            raise VoidRunError(msg)
        return Measured(
            rate=len(measured) * NANOSECONDS / elapsed,
            p50_us=percentile(latencies, 50) / MICROSECOND,
            p99_us=percentile(latencies, 99) / MICROSECOND,
            max_us=latencies[-1] / MICROSECOND,
            promotes=len(measured),
            seconds=elapsed / NANOSECONDS,
        )


def percentile(ordered: Sequence[int], percent: float) -> int:
    """Give the smallest value that at least `percent` of the ordered values do not exceed.

    Raises:
        ValueError: there are no values, or `percent` is not above 0 and at most 100.
    """
    if not ordered or not 0 < percent <= 100:  # noqa: PLR2004 - a percentage
        msg = f"no {percent}th percentile of {len(ordered)} values"
        raise ValueError(msg)
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1]
