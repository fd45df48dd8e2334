"""Crashes on purpose: they show that sagas and engine are made anew, whenever it happens."""

import random

from actors.saga import Saga
from actors.saga_actor import BeforeTurn, Turn


class InjectedCrashError(RuntimeError):
    """A crash that was asked for."""


def saga_crashes(probability: float, seed: int | None) -> BeforeTurn | None:
    """Give what makes sagas' actors crash at that share of their messages; None for none."""
    if probability <= 0:
        return None
    generator = random.Random(seed)  # noqa: S311 - nothing secret comes of it

    def before_turn(saga: Saga, turn: Turn) -> None:
        del saga, turn
        if generator.random() < probability:
            msg = "a crash that was asked for"
            raise InjectedCrashError(msg)

    return before_turn
