"""How much fits into blobs, pages, parts and buffers: in some seeds so little that all are many.

What only happens to large systems happens to small ones then: a pass of several blobs, a replay
and a snapshot of many pages, a registration in parts, an observer that has no room.
"""

from random import Random

from msgspec import Struct

from actors.recorder import BLOB_LIMIT
from transport.event_stream.observer_session import HELD_BYTES
from transport.event_stream.query_session import PageLimits
from transport.host_session import WINDOWS_IN_PART


class Sizes(Struct, frozen=True):
    """The bounds of one world; see `Recorder`, `HostSession`, `ObserverSession`, `PageLimits`."""

    blob_limit: int = BLOB_LIMIT
    part_limit: int = WINDOWS_IN_PART
    held_bytes: int = HELD_BYTES
    pages: PageLimits = PageLimits()


def draw_sizes(generator: Random, tiny: float) -> Sizes:
    """Give the bounds of a world; each is tiny with this chance, from 0 to 1."""

    def drawn(usual: int, least: int, most: int) -> int:
        chance, small = generator.random(), generator.randint(least, most)
        return small if chance < tiny else usual

    pages = PageLimits()
    return Sizes(
        blob_limit=drawn(BLOB_LIMIT, 1, 600),
        part_limit=drawn(WINDOWS_IN_PART, 1, 4),
        held_bytes=drawn(HELD_BYTES, 0, 2_000),
        pages=PageLimits(
            replay_bytes=drawn(pages.replay_bytes, 1, 2_000),
            rows=drawn(pages.rows, 1, 6),
            row_bytes=drawn(pages.row_bytes, 1, 600),
        ),
    )
