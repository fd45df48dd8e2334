"""When promotes are made: by completions, or by the clock.

A load is told what happened and says which promotes are to be made. The first warm the processes
up and are not measured.

* `ClosedLoad`: a fixed number is in flight, and each completion starts the next promote at the same
  host. The loop stays full until the last measured completion, so neither its filling nor its
  running dry is in the figures. A latency begins when the window leaves its pool.
* `OpenLoad`: promotes are due at times that were fixed before. A latency begins when the promote
  was due, even if it could not be made then ("coordinated omission" is what it would be otherwise).
"""

import random
from collections import Counter, deque
from collections.abc import Iterator
from itertools import accumulate
from typing import Protocol

from bench.latencies import SECOND
from bench.measured import MeasuredPart, MeasuredPromote
from bench.promote_ledger import Completion, PromoteLedger, Start, Taken
from bench.scenario import MOST_OUTSTANDING, ClosedArrivals, OpenArrivals


class Load(Protocol):
    """The promotes of one run. Times are nanoseconds of the monotonic clock.

    Attributes:
        ledger: what became of them.

    Raises (every method):
        VoidRunError: what happened must not happen.
    """

    ledger: PromoteLedger

    def due(self, now: int) -> list[Start]:
        """Give the promotes that are to be made now."""

    def next_due(self) -> int | None:
        """Give when the next one is to be made, None if a completion has to come first."""

    def taken(self, taken: Taken) -> None:
        """Note that a window left its pool."""

    def completed(self, completion: Completion) -> None:
        """Note that a promote is complete."""

    @property
    def is_measuring(self) -> bool:
        """Whether the warm-up is over."""

    @property
    def is_measured(self) -> bool:
        """Whether the measured part is over."""

    def measured(self) -> MeasuredPart:
        """Give what was measured, once the ledger is finished."""


class ClosedLoad:
    """Implements `Load`, as a closed loop over some hosts."""

    def __init__(self, arrivals: ClosedArrivals, hosts: int) -> None:
        self.ledger = PromoteLedger(arrivals.warm_up + arrivals.measured + arrivals.concurrency - 1)
        self._arrivals = arrivals
        self._hosts = deque(slot % hosts for slot in range(arrivals.concurrency))

    def due(self, now: int) -> list[Start]:
        """Give one promote for each that completed."""
        del now
        starts = [self.ledger.start(host) for host in self._hosts]
        self._hosts.clear()
        return starts

    def next_due(self) -> int | None:
        """Give None: completions start promotes."""
        return None

    def taken(self, taken: Taken) -> None:
        """Note that a window left its pool."""
        self.ledger.taken(taken)

    def completed(self, completion: Completion) -> None:
        """Note that a promote is complete, and that its host is to make the next."""
        self.ledger.completed(completion)
        if self.ledger.started + len(self._hosts) < self.ledger.total:
            self._hosts.append(completion.host)

    @property
    def is_measuring(self) -> bool:
        """Whether the warm-up is over."""
        return self.ledger.completions >= self._arrivals.warm_up

    @property
    def is_measured(self) -> bool:
        """Whether the last measured promote is complete."""
        return self.ledger.completions >= self._arrivals.warm_up + self._arrivals.measured

    def measured(self) -> MeasuredPart:
        """Give the completions after the warm-up."""
        in_order, first = self.ledger.in_order(), self._arrivals.warm_up
        part = in_order[first : first + self._arrivals.measured]
        promotes = [
            MeasuredPromote(taken.key, taken.at_ns, taken.at_ns, completed)
            for taken, completed in part
        ]
        return MeasuredPart(in_order[first - 1][1], part[-1][1], promotes)


class OpenLoad:
    """Implements `Load`, as an open loop over some hosts in turn.

    Args:
        arrivals: when promotes are due.
        hosts: how many.
        began: the first is due after this time.
    """

    def __init__(self, arrivals: OpenArrivals, hosts: int, began: int) -> None:
        self.ledger = PromoteLedger(arrivals.warm_up + arrivals.measured)
        self._arrivals = arrivals
        self._intended = [began + offset for offset in offsets(arrivals)]
        self._hosts = hosts
        self._outstanding = Counter[int]()

    def due(self, now: int) -> list[Start]:
        """Give the promotes whose time has come, as far as there is room for them."""
        starts = []
        while (due := self.next_due()) is not None and due <= now:
            host = self.ledger.started % self._hosts
            self._outstanding[host] += 1
            starts.append(self.ledger.start(host))
        return starts

    def next_due(self) -> int | None:
        """Give when the next promote is due; None if there is none, or no room for it."""
        number = self.ledger.started
        if number == len(self._intended):
            return None
        is_full = self._outstanding[number % self._hosts] >= MOST_OUTSTANDING
        return None if is_full else self._intended[number]

    def taken(self, taken: Taken) -> None:
        """Note that a window left its pool."""
        self.ledger.taken(taken)

    def completed(self, completion: Completion) -> None:
        """Note that a promote is complete."""
        self.ledger.completed(completion)
        self._outstanding[completion.host] -= 1

    @property
    def is_measuring(self) -> bool:
        """Whether the promotes of the warm-up were made."""
        return self.ledger.started >= self._arrivals.warm_up

    @property
    def is_measured(self) -> bool:
        """Whether everything is complete."""
        return self.ledger.finished

    def measured(self) -> MeasuredPart:
        """Give the completions of those that were due after the warm-up."""
        first = self._arrivals.warm_up
        promotes = [
            MeasuredPromote(taken.key, self._intended[taken.number], taken.at_ns, completed)
            for taken, completed in self.ledger.in_order()
            if taken.number >= first
        ]
        return MeasuredPart(self._intended[first - 1], promotes[-1].completed, promotes)


def offsets(arrivals: OpenArrivals) -> Iterator[int]:
    """Give when each promote is due, in nanoseconds from the beginning.

    Warm-up and measured part have exactly the rate; a Poisson process given how many come in a time
    is one whose distances are stretched to it.
    """
    generator = random.Random(arrivals.seed)  # noqa: S311 - nothing secret comes of it
    began = 0.0
    for count in (arrivals.warm_up, arrivals.measured):
        if arrivals.kind == "constant":
            distances = [1.0] * count
        else:
            distances = [generator.expovariate(1.0) for _ in range(count)]
        length = count / arrivals.rate
        stretch = length / sum(distances)
        for sum_of_distances in accumulate(distances):
            yield round((began + sum_of_distances * stretch) * SECOND)
        began += length
