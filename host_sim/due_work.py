"""Work that ends at a time: creations and reapings under way."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")


class DueWork(Generic[T]):
    """Items by the time at which they are due; what is due at one time keeps its order."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_due(self) -> int | None:
        """When the next item is due; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def add(self, due: int, item: T) -> None:
        """Put an item in."""
        self._count += 1
        heappush(self._heap, (due, self._count, item))

    def pop_due(self, now: int) -> T | None:
        """Take out the next item, if it is due."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return heappop(self._heap)[2]

    def take(self, wanted: Callable[[T], bool]) -> list[T]:
        """Take out all items that are wanted, in the order of their times."""
        taken = sorted(entry for entry in self._heap if wanted(entry[2]))
        if taken:
            self._heap = [entry for entry in self._heap if not wanted(entry[2])]
            heapify(self._heap)
        return [entry[2] for entry in taken]
