"""Tell, ask, start and stop of each kind of actor."""

from collections.abc import Iterator

import pytest

from bench.micro.actor_kinds import KINDS, Kind
from bench.micro.measure import Measure

TELLS = 500
"""So many are told in a row before the actor's turn is waited for."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Give each kind of actor."""
    made = KINDS[request.param]()
    yield made
    made.close()


def bench_tell(measure: Measure, kind: Kind) -> None:
    """A tell and its handling."""
    actor, message = kind.start(), kind.message

    def tell_all() -> None:
        for _ in range(TELLS):
            actor.tell(message)
        kind.settle(actor)

    measure(tell_all, operations=TELLS)
    kind.stop(actor)


def bench_ask(measure: Measure, kind: Kind) -> None:
    """A question and its answer, from outside of the actor's thread or dispatcher turn."""
    actor, message = kind.start(), kind.message
    measure(lambda: actor.ask(message))
    kind.stop(actor)


def bench_start_and_stop(measure: Measure, kind: Kind) -> None:
    """A whole life in which nothing happens."""
    measure(lambda: kind.stop(kind.start()))
