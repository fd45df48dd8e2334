"""The pytest plugin: what users' tests of their own sagas find, and what they are told."""

import os
from pathlib import Path
from textwrap import dedent as dedented

import pytest

from actors.saga_test_kit import SimulatedSystems
from actors.simulation.world import SECOND
from transport.history import read_history
from transport.history_lines import LogLine

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
SAGA = (ROOT / "docs" / "examples" / "window_thumbnails.py").read_text()

QUIETLY = ("-W", "error", "-p", "no:randomly", "-p", "no:hypothesispytest")
"""How users' tests are run here: a warning is an error, and nobody else's plugin costs time."""

PRELUDE = """
THUMBNAILS = {"extensions": ["thumbnails"]}

def open_a_window(system):
    label = system.promote("host-1")
    return system.expect_bracket("window_thumbnail", result=label)
"""


def spoiled(*edits: tuple[str, str]) -> str:
    """Give the saga of the documentation, with a bug."""
    text = SAGA
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def run(pytester: pytest.Pytester, test: str, *, saga: str = SAGA) -> pytest.RunResult:
    """Run a user's tests beside a module of theirs."""
    pytester.makepyfile(thumbnails=saga, test_mine=PRELUDE + test)
    return pytester.runpytest_inprocess(*QUIETLY)


# --- a bracket ------------------------------------------------------------------------------------


def test_a_bracket_is_handed_over_with_its_cause_and_its_events(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(simulated_system):
        bracket = open_a_window(simulated_system(**THUMBNAILS))
        assert bracket.completed and not bracket.failed and bracket.reason is None
        assert bracket.result == bracket.cause.label
        names = [type(event).__name__ for event in bracket.events]
        assert names == ["ThumbnailTaken", "ThumbnailShown", "ThumbnailNoted"]
    """
    run(pytester, dedented(test)).assert_outcomes(passed=1)


def test_a_bracket_is_handed_over_once(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(simulated_system):
        system = simulated_system(**THUMBNAILS)
        first, second = (open_a_window(system) for _ in range(2))
        assert first.saga_id < second.saga_id
        system.expect_bracket("window_thumbnail", within=1.0)
    """
    result = run(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * no window_thumbnail was completed within 1 virtual seconds",
            "E * closed: window_thumbnail 4 completed, result 'window-*(the test had this one *",
        ]
    )


def test_a_bracket_can_be_expected_by_its_cause_and_a_pattern(pytester: pytest.Pytester) -> None:
    test = """
    import re

    def test_it(simulated_system):
        system = simulated_system(**THUMBNAILS)
        first, second = system.promote(), system.promote()
        bracket = system.expect_bracket(
            "window_thumbnail", cause=lambda event: event.label == second
        )
        assert bracket.result == second
        cause = next(e for e in system.events if type(e).__name__ == "WindowOpened")
        assert cause.label == first != second
        wanted = {"result": re.compile("^window-"), "cause": cause.version}
        assert system.expect_bracket("window_thumbnail", **wanted).result == first
    """
    run(pytester, dedented(test)).assert_outcomes(passed=1)


def test_a_bracket_that_stays_open_is_told_with_what_it_waits_for(
    pytester: pytest.Pytester,
) -> None:
    test = """
    def test_it(simulated_system):
        system = simulated_system(**THUMBNAILS)
        system.suspend("service")
        system.promote()
        system.expect_bracket("window_thumbnail", within=5.0)
    """
    result = run(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * no window_thumbnail was completed within 5 virtual seconds",
            "E * open: window_thumbnail 4, by version 10, WindowOpened of window-*: waits for *",
        ]
    )


def test_a_bracket_that_closed_otherwise_is_told_with_its_reason(
    pytester: pytest.Pytester,
) -> None:
    saga = spoiled(
        ("return (ReportThumbnailTaken(", "return None or 1 / 0 or (ReportThumbnailTaken(")
    )
    test = "def test_it(simulated_system): open_a_window(simulated_system(**THUMBNAILS))"
    result = run(pytester, test, saga=saga)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E * closed: window_thumbnail 4 failed, 'handler of TakeThumbnail: ZeroDivisionError*"]
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("expect_bracket('thumbnail')", "*no saga 'thumbnail'; the system has pool_refill, *"),
        ("expect_bracket('window_thumbnail', result='', reason='')", "*expect one"),
        ("kill('host-2')", "*no process 'host-2'; there are launcher, host-1, service, *"),
        ("cut('launcher')", "*'launcher' is no host or service; there are host-1, service"),
        ("close('window-1')", "*host-1 refused CloseWindow: cannot close window 'window-1'*"),
        ("inject('host-1', 'rain')", "*no fault 'rain'; there are creation_failed, *"),
        ("wait_for(lambda: False, 'Godot', 3)", "*waited 3 virtual seconds for Godot"),
    ],
)
def test_a_mistake_is_told_by_name(pytester: pytest.Pytester, call: str, said: str) -> None:
    test = f"def test_it(simulated_system): simulated_system(**THUMBNAILS).{call}"
    result = run(pytester, test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E {said}"])


# --- the checker ----------------------------------------------------------------------------------

IMPURE = spoiled(
    (
        "from collections.abc import Sequence",
        "from collections.abc import Sequence\nimport itertools",
    ),
    (
        "class WindowThumbnail(Saga):",
        "STARTS = itertools.cycle([False, True])\n\n\nclass WindowThumbnail(Saga):",
    ),
    ("if isinstance(event, WindowOpened) else None", "if next(STARTS) else None"),
)
"""It starts or not as something outside of the event has it: not the first time."""


def test_a_broken_invariant_fails_the_test_when_it_is_over(pytester: pytest.Pytester) -> None:
    test = "def test_it(simulated_system): simulated_system(**THUMBNAILS, seed=7).promote()"
    result = run(pytester, test, saga=IMPURE)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "the simulated system of seed 7 did not keep its promises:",
            "  invariant 1, brackets: version 10 started no window_thumbnail",
            '      line *: {"kind":"event",*"WindowOpened"*',
            "  the whole history: *simulated-1.jsonl",
        ]
    )
    [line] = [each for each in result.outlines if "the whole history: " in each]
    history = list(read_history(Path(line.partition("history: ")[2])))
    assert isinstance(history[-1], LogLine)


def test_a_test_can_have_a_system_that_is_not_judged(pytester: pytest.Pytester) -> None:
    test = "def test_it(simulated_system): simulated_system(judged=False, **THUMBNAILS).promote()"
    run(pytester, test, saga=IMPURE).assert_outcomes(passed=1)


def test_an_interrupted_run_is_not_kept_waiting_for_a_judgement(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(simulated_system, process_system):
        simulated_system(**THUMBNAILS).promote()
        print("pid", process_system().processes.processes.pid("launcher"))
        raise KeyboardInterrupt
    """
    pytester.makepyfile(thumbnails=IMPURE, test_mine=PRELUDE + dedented(test))
    result = pytester.runpytest_subprocess(*QUIETLY, "-s")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.no_fnmatch_line("*did not keep its promises*")
    [line] = [each for each in result.outlines if "pid " in each]
    with pytest.raises(ProcessLookupError):
        os.kill(int(line.rpartition("pid ")[2]), 0)


def test_a_saga_that_ends_before_its_time_is_found_by_what_it_was_given(
    pytester: pytest.Pytester,
) -> None:
    show = "IssueCmd(Target.HOST, ShowThumbnail(label=self.label, picture=picture))"
    saga = spoiled((show, "Done(self.label)"))
    test = """
    from actors.saga_test_kit import Ending

    GIVEN = ("ThumbnailTaken", "ThumbnailShown", "ThumbnailNoted")

    def test_it(simulated_system):
        ending = Ending("window_thumbnail", None, GIVEN)
        open_a_window(simulated_system(endings=[ending], **THUMBNAILS))
    """
    result = run(pytester, dedented(test), saga=saga)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*: it was given ThumbnailTaken, not ThumbnailTaken, Thumb*"])


# --- a crash at every step ------------------------------------------------------------------------


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
    run(pytester, dedented(test)).assert_outcomes(passed=1)


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
    run(pytester, dedented(test)).assert_outcomes(passed=1)


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
    result = run(pytester, test, saga=saga)
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
    result = run(pytester, dedented(test))
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
    result = run(pytester, dedented(test), saga=IMPURE)
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
    result = run(pytester, dedented(test))
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
    result = run(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * something depends on more than the system's seed"])


def test_what_cannot_crash_is_refused(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(crash_at_every_step):
        crash_at_every_step(open_a_window, crash=["host-2"], **THUMBNAILS)
    """
    result = run(pytester, dedented(test))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * nothing in the scenario at which 'host-2' could crash: *"])


# --- both orders of a race ------------------------------------------------------------------------

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
    run(pytester, RACE + "\nOUTCOME = 'either'").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("outcome", "order"),
    [("completed", "deadline, then picture"), ("failed", "picture, then deadline")],
)
def test_the_order_that_fails_is_told(pytester: pytest.Pytester, outcome: str, order: str) -> None:
    result = run(pytester, f"{RACE}\nOUTCOME = {outcome!r}")
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
    result = run(pytester, dedented(test))
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


# --- the plugin itself ----------------------------------------------------------------------------


def test_a_run_that_uses_no_fixture_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    test = """
    import sys

    def test_it(request):
        assert request.config.pluginmanager.get_plugin("muxsaga")
        heavy = [name for name in ("zmq", "msgspec", "pykka", "transport") if name in sys.modules]
        assert heavy == []
        assert [name for name in sys.modules if name.startswith("actors")] == [
            "actors", "actors.pytest_plugin"
        ]
    """
    pytester.makepyfile(test_mine=dedented(test))
    result = pytester.runpytest_subprocess(*QUIETLY)
    result.assert_outcomes(passed=1)


def test_the_example_of_the_documentation_does_what_it_says(pytester: pytest.Pytester) -> None:
    page = (ROOT / "docs" / "faults.md").read_text()
    section = page.partition("\n## Your own sagas' tests\n")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    assert 0 < sum(bool(line) for line in example.splitlines()) <= 20
    pytester.makepyfile(window_thumbnails=SAGA, test_window_thumbnails=example)
    result = pytester.runpytest_inprocess(*QUIETLY)
    result.assert_outcomes(passed=4)
