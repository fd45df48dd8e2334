"""Histories spoiled in every way that one can think of, and which invariant each breaks.

A spoil takes the lines of a sound history and gives those of one that cannot be. `breaks` are the
invariants of which each must be found violated; `also` are those that it may break besides.
"""

from tests import (
    checker_spoils_of_content,
    checker_spoils_of_pools,
    checker_spoils_of_sagas,
    checker_spoils_of_versions,
)
from tests.checker_edits import Spoil

SPOILS: list[Spoil] = [
    *checker_spoils_of_versions.SPOILS,
    *checker_spoils_of_sagas.SPOILS,
    *checker_spoils_of_content.SPOILS,
    *checker_spoils_of_pools.SPOILS,
]
