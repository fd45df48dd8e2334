"""Both orders of a race in users' scenarios."""

from textwrap import dedent as dedented

import pytest

from actors.saga_test_kit import SimulatedSystems
from actors.simulation.world import SECOND
from tests.users_tests import run_users_tests

pytest_plugins = ["pytester"]

RACE = """
def scenario(system, race):
    system.cut("service", "up")
    system.promote()
    race(picture=lambda: system.deliver("service"), deadline=lambda: system.wait(10.0))
    system.expect_bracket("window_thumbnail", outcome=OUTCOME)

def test_it(both_orders):
    both_orders(scenario, **THUMBNAILS)
"""


def test_a_scenario_that_holds_in_both_orders_passes(pytester: pytest.Pytester) -> None:
    run_users_tests(pytester, RACE + "\nOUTCOME = 'either'").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("outcome", "order"),
    [("completed", "deadline, then picture"), ("failed", "picture, then deadline")],
)
def test_the_order_that_fails_is_told(pytester: pytest.Pytester, outcome: str, order: str) -> None:
    result = run_users_tests(pytester, f"{RACE}\nOUTCOME = {outcome!r}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ScenarioFailedError: the scenario failed with 1 of 2 orders:",
            f"E * {order}:",
        ]
    )


def test_a_scenario_without_a_race_is_refused(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(both_orders):
        both_orders(lambda system, race: system.promote())
    """
    result = run_users_tests(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ValueError: the scenario did not call its race: race(*"])


def test_what_is_delivered_is_waited_for_until_it_was_sent_and_taken(
    simulated_system: SimulatedSystems,
) -> None:
    system = simulated_system(extensions=["docs.examples.window_thumbnails"])
    with pytest.raises(ValueError, match="the link of service is not cut"):
        system.deliver("service")
    system.cut("service", "up")
    system.suspend("service")
    system.promote()
    later = system.world.clock.now + SECOND
    system.world.network.at(later, lambda: system.resume("service"))
    system.deliver("service")
    assert system.world.clock.now >= later
    assert system.world.launcher is not None
    assert "ShowThumbnail" in str(system.world.launcher.engine.view.state(5)["sagas"])
