"""A crash at every step of users' scenarios: good sagas survive it, bad ones are found."""

from textwrap import dedent as dedented

import pytest

from tests.users_tests import IMPURE_SAGA, run_users_tests, spoiled

pytest_plugins = ["pytester"]


def test_a_good_saga_survives_a_crash_at_every_step(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(crash_at_every_step):
        crash = ["launcher", "sagas", "service"]
        crashes = crash_at_every_step(open_a_window, crash=crash, **THUMBNAILS)
        assert len(crashes) == len(set(crashes)) == 31
        assert "launcher killed after the sending of TakeThumbnail to service" in crashes
        assert "window_thumbnail.on_event(ThumbnailShown) crashed" in crashes
        assert "service killed after the sending of ShowThumbnail to host-1" in crashes
        taken = "service killed after it took TakeThumbnail, before it carries it out"
        assert taken in crashes
    """
    run_users_tests(pytester, dedented(test)).assert_outcomes(passed=1)


def test_a_host_can_be_killed_at_every_step_and_takes_its_sagas_with_it(
    pytester: pytest.Pytester,
) -> None:
    test = """
    ENDS = []

    def scenario(system):
        system.promote()
        ENDS.append(system.expect_bracket("window_thumbnail", outcome="either").reason)

    def test_it(crash_at_every_step):
        crashes = crash_at_every_step(scenario, crash="host-1", **THUMBNAILS)
        taken = "host-1 killed after it took ShowThumbnail, before it carries it out"
        assert ENDS[1 + crashes.index(taken)] == "host restarted"
        assert ENDS[0] is None and ENDS[-1] is None
    """
    run_users_tests(pytester, dedented(test)).assert_outcomes(passed=1)


def test_a_saga_with_state_outside_of_its_input_is_found(pytester: pytest.Pytester) -> None:
    saga = spoiled(
        (
            "from collections.abc import Sequence",
            "from collections.abc import Sequence\nimport itertools",
        ),
        (
            "class WindowThumbnail(Saga):",
            "COUNT = itertools.count()\n\n\nclass WindowThumbnail(Saga):",
        ),
        (
            "ShowThumbnail(label=self.label, picture=picture)",
            "ShowThumbnail(label=self.label, picture=f'{picture} {next(COUNT)}')",
        ),
    )
    test = "def test_it(crash_at_every_step): crash_at_every_step(open_a_window, **THUMBNAILS)"
    result = run_users_tests(pytester, test, saga=saga)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ScenarioFailedError: the scenario failed with * of 17 crashes:",
            "E * launcher killed after the commit and before the publishing of *(ShowThumbnail):",
            'E * closed: window_thumbnail 4 failed, "saga actor crashed: *ReplayDisagreement*',
        ]
    )


def test_a_scenario_that_fails_without_a_crash_says_so(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(crash_at_every_step):
        crash_at_every_step(lambda system: system.expect_bracket("window_thumbnail"), **THUMBNAILS)
    """
    result = run_users_tests(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ScenarioFailedError: without any crash, the scenario failed: no window_thumbnail *",
            "E * no window_thumbnail ever began; sagas that did: pool_refill (2)",
        ]
    )


def test_every_run_of_a_scenario_is_judged(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(crash_at_every_step):
        crash_at_every_step(lambda system: system.promote(), **THUMBNAILS)
    """
    result = run_users_tests(pytester, dedented(test), saga=IMPURE_SAGA)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *: invariant 1, brackets: version 10 started no window_thu*"])


def test_what_pytest_itself_finds_in_a_scenario_is_told_with_its_step(
    pytester: pytest.Pytester,
) -> None:
    test = """
    import pytest

    def scenario(system):
        open_a_window(system)
        if len(system.world.history) != scenario.length:
            with pytest.raises(ValueError):
                pass

    def test_it(simulated_system, crash_at_every_step):
        scenario.length = 0
        system = simulated_system(**THUMBNAILS)
        with pytest.raises(pytest.fail.Exception):
            scenario(system)
        scenario.length = len(system.world.history)
        crash_at_every_step(scenario, crash="launcher", **THUMBNAILS)
    """
    result = run_users_tests(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ScenarioFailedError: the scenario failed with 12 of 12 crashes:",
            "E *launcher killed before the commit of the start of *",
            "E *DID NOT RAISE *ValueError*",
            "E *and 4 more",
        ]
    )


def test_a_scenario_that_is_not_the_same_each_time_says_so(pytester: pytest.Pytester) -> None:
    test = """
    RUNS = []

    def scenario(system):
        RUNS.append(1)
        if len(RUNS) == 1:
            open_a_window(system)

    def test_it(crash_at_every_step):
        crash_at_every_step(scenario, crash=["sagas"], **THUMBNAILS)
    """
    result = run_users_tests(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * something depends on more than the system's seed"])


def test_what_cannot_crash_is_refused(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(crash_at_every_step):
        crash_at_every_step(open_a_window, crash=["host-2"], **THUMBNAILS)
    """
    result = run_users_tests(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * nothing in the scenario at which 'host-2' could crash: *"])
