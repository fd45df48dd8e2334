"""Whole passes of a launcher without its sockets, its log in memory; for one promote."""

import pytest

from bench.micro.measure import Measure
from bench.micro.played_promotes import PlayedPromotes

ROUNDS = {1: 300, 64: 20}
"""How often so many promotes begin and end."""


@pytest.mark.parametrize("promotes", ROUNDS)
def bench_first_pass(measure: Measure, promotes: int) -> None:
    """From the reports of a promote to the command, where so many promotes begin together."""
    played = PlayedPromotes(promotes)

    def end_and_trigger() -> list[bytes]:
        played.make_pass(played.answers())
        return played.triggers(promotes)

    rounds = ROUNDS[promotes]
    measure(played.make_pass, operations=promotes, prepare=end_and_trigger, rounds=rounds)
    assert len(played.engine.state.sagas) == promotes  # noqa: S101 - each has begun, none is left


@pytest.mark.parametrize("promotes", ROUNDS)
def bench_last_pass(measure: Measure, promotes: int) -> None:
    """From the report that settles the command to the saga's end, where so many end together."""
    played = PlayedPromotes(promotes)

    def begin() -> list[bytes]:
        played.make_pass(played.triggers(promotes))
        return played.answers()

    rounds = ROUNDS[promotes]
    measure(played.make_pass, operations=promotes, prepare=begin, rounds=rounds)
    assert not played.engine.state.sagas  # noqa: S101 - each of them came to its end
