"""Histories with one thing wrong, each with the invariant that it breaks.

A spoil is a function on the lines of a sound history. Where it changes what was published,
it numbers the events anew, so that it is that alone which is wrong and not also the versions.
"""

from collections.abc import Callable
from typing import NamedTuple

from tests.sound_histories import ALLOWED, SOUND
from tests.spoiled_brackets import BRACKETS, LIVENESS, ORDER
from tests.spoiled_content import CORRELATION, DONE, WRITE_AHEAD
from tests.spoiled_pools import POOL
from tests.spoiled_versions import IDS, VERSIONS
from tests.told_histories import Line

__all__ = ["ALLOWED", "SOUND", "SPOILS", "Spoil"]


class Spoil(NamedTuple):
    """A way to spoil a history.

    Attributes:
        spoil: gives the spoiled history; may change the one that it is given.
        invariant: the one that it breaks; others may be broken by it too.
        of: the key in `SOUND` of the history that it is for.
    """

    spoil: Callable[[list[Line]], list[Line]]
    invariant: int
    of: str


SPOILS: dict[str, Spoil] = {
    spoil.__name__.replace("_", " "): Spoil(spoil, invariant, of)
    for invariant, spoils in {
        1: BRACKETS,
        2: ORDER,
        3: CORRELATION,
        4: DONE,
        5: WRITE_AHEAD,
        6: IDS,
        7: VERSIONS,
        8: POOL,
        9: LIVENESS,
    }.items()
    for of, group in spoils.items()
    for spoil in group
}
