"""Keyed one-shot timers on the loop's clock.

The loop's clock stands still through a gap of more than a second between two looks at it (a log
outage, a SIGSTOP): a deadline measures what the launcher could have done, not what the wall shows.
"""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush

SECOND = 1_000_000_000
LONGEST_GAP = SECOND
"""A longer gap between two looks at the clock does not count, in nanoseconds."""

PATIENCE = SECOND
"""How long a due timer waits, at most, for the poll to leave nothing unread, in nanoseconds."""


class LoopClock:
    """Time as the loop lives it, in nanoseconds from 0. `seen`: the outer clock's last time."""

    def __init__(self, now: int) -> None:
        self.time = 0
        self.seen = now

    def look(self, now: int) -> int:
        """Take the outer clock's time, and give the loop's."""
        gap = now - self.seen
        self.seen = now
        if 0 < gap <= LONGEST_GAP:
            self.time += gap
        return self.time


class Timers:
    """One-shot timers, each under a key; setting a key again replaces its timer.

    A replaced or cancelled timer never fires. Cost: O(log n) to set, O(1) to cancel.

    Attributes:
        pending: by key, when it is due, and a number that only its last setting has.
    """

    def __init__(self) -> None:
        self.pending: dict[Hashable, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, Hashable]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self.pending)

    def set(self, key: Hashable, due: int) -> None:
        """Let `key` fire at `due` (nanoseconds)."""
        self._count += 1
        self.pending[key] = (due, self._count)
        heappush(self._heap, (due, self._count, key))
        if len(self._heap) > 64 + 2 * len(self.pending):
            self._heap = [(when, count, each) for each, (when, count) in self.pending.items()]
            heapify(self._heap)

    def cancel(self, key: Hashable) -> None:
        """Make sure that `key` does not fire."""
        self.pending.pop(key, None)

    def due(self, key: Hashable) -> int | None:
        """Give when a key's timer is due, or None if it has none; from any thread."""
        found = self.pending.get(key)
        return found[0] if found is not None else None

    def next_due(self) -> int | None:
        """Give when the next timer is due, or None without one."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> Hashable | None:
        """Take out and give the timer that is due longest, or None if none is due."""
        self._drop_stale()
        if not self._heap or self._heap[0][0] > now:
            return None
        key = heappop(self._heap)[2]
        del self.pending[key]
        return key

    def _drop_stale(self) -> None:
        heap, pending = self._heap, self.pending
        while heap and pending.get(heap[0][2]) != (heap[0][0], heap[0][1]):
            heappop(heap)
