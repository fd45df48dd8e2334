"""What other threads want done by the thread that owns the sockets."""

import os
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Outbox(Generic[T]):
    """Items put by any thread, in order, taken by one that polls `fileno()` for reading."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Give what to poll: readable while items wait."""
        return self._bell

    def put(self, item: T) -> None:
        """Add an item; never waits."""
        self._items.append(item)
        os.eventfd_write(self._bell, 1)

    def take(self) -> list[T]:
        """Give the items that wait."""
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return []
        items, waiting = [], self._items
        while waiting:
            items.append(waiting.popleft())
        return items

    def close(self) -> None:
        """Close it; nothing may be put any more."""
        os.close(self._bell)
