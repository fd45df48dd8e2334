"""Live blobs that are ahead of what is due: kept until the hole before them is filled."""

from heapq import heappop, heappush

from msgspec import Struct

from transport.messages import Recorded


class HeldBlob(Struct, frozen=True):
    """A decoded blob. `size`: of its frame, in bytes; `at_ns`: when that was received."""

    first: int
    events: list[Recorded]
    size: int
    at_ns: int


class HeldBlobs:
    """Blobs by first version.

    Args:
        byte_limit: how many bytes of frames there is room for.
    """

    def __init__(self, byte_limit: int) -> None:
        self.size = 0
        self._byte_limit = byte_limit
        self._by_first: dict[int, HeldBlob] = {}
        self._firsts: list[int] = []

    def __len__(self) -> int:
        return len(self._by_first)

    def __contains__(self, first: int) -> bool:
        return first in self._by_first

    def has_room(self, size: int) -> bool:
        """Say whether a frame of this size can be kept."""
        return self.size + size <= self._byte_limit

    def add(self, blob: HeldBlob) -> None:
        """Keep a blob whose first version is not kept yet."""
        self._by_first[blob.first] = blob
        heappush(self._firsts, blob.first)
        self.size += blob.size

    def take_up_to(self, version: int) -> HeldBlob | None:
        """Take out the lowest blob, if it begins at `version` or before."""
        if not self._firsts or self._firsts[0] > version:
            return None
        blob = self._by_first.pop(heappop(self._firsts))
        self.size -= blob.size
        return blob

    def clear(self) -> None:
        """Forget all."""
        self._by_first.clear()
        self._firsts.clear()
        self.size = 0
