"""Runs a scenario in which two things race, once in each order."""

from collections.abc import Callable
from functools import partial

from actors.saga_test_kit.failed_runs import FailedRun, failure_of
from actors.saga_test_kit.simulated_system import SimulatedSystem

Action = Callable[[], object]
RACERS = 2


class Race:
    """Lets two actions happen, in the order that is this run's; called with both, by name.

    Args:
        swapped: the second comes first.

    Attributes:
        order: what happened, for people; empty before the race.
    """

    def __init__(self, *, swapped: bool) -> None:
        self.order = ""
        self._swapped = swapped

    def __call__(self, **actions: Action) -> None:
        """Let two actions happen, one after the other.

        Args:
            actions: exactly two; their names tell which order failed.

        Raises:
            ValueError: there are not two, or there was a race in this run already.
        """
        __tracebackhide__ = True
        if len(actions) != RACERS or self.order:
            msg = "a scenario has one race of two actions: race(close=..., promote=...)"
            raise ValueError(msg)
        ordered = list(actions.items())
        if self._swapped:
            ordered.reverse()
        self.order = ", then ".join(name for name, _ in ordered)
        for _, action in ordered:
            action()


Scenario = Callable[[SimulatedSystem, Race], object]
"""What a test does with a system; it calls the race once, and expects the same of both orders."""


def both_orders(make: Callable[[], SimulatedSystem], scenario: Scenario) -> None:
    """Run a scenario with either order of its race.

    Args:
        make: gives a system, the same each time.
        scenario: is run with each, and raises if something does not come as it is to.

    Raises:
        ScenarioFailedError: an order failed, or its history is not as it must be; says which.
        ValueError: the scenario has no race.
    """
    __tracebackhide__ = True
    failures = []
    for swapped in (False, True):
        system, race = make(), Race(swapped=swapped)
        failed = FailedRun.of(partial(scenario, system, race)) or FailedRun.judging(system)
        if not race.order and failed is None:
            msg = "the scenario did not call its race: race(close=..., promote=...)"
            raise ValueError(msg)
        if failed is not None:
            failures.append((race.order or "before the race", failed))
    if failures:
        raise failure_of(failures, RACERS, "orders")
