"""The pytest plugin: what users are told of brackets and broken promises, and what it costs."""

import os
from pathlib import Path
from textwrap import dedent as dedented

import pytest

from tests.users_tests import IMPURE_SAGA, PRELUDE, QUIETLY, ROOT, SAGA, run_users_tests, spoiled
from transport.history import read_history
from transport.history_lines import LogLine

pytest_plugins = ["pytester"]

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
    run_users_tests(pytester, dedented(test)).assert_outcomes(passed=1)


def test_a_bracket_is_handed_over_once(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(simulated_system):
        system = simulated_system(**THUMBNAILS)
        first, second = (open_a_window(system) for _ in range(2))
        assert first.saga_id < second.saga_id
        system.expect_bracket("window_thumbnail", within=1.0)
    """
    result = run_users_tests(pytester, dedented(test))
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
    run_users_tests(pytester, dedented(test)).assert_outcomes(passed=1)


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
    result = run_users_tests(pytester, dedented(test))
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
    result = run_users_tests(pytester, test, saga=saga)
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
    result = run_users_tests(pytester, test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E {said}"])


# --- the checker ----------------------------------------------------------------------------------


def test_a_broken_invariant_fails_the_test_when_it_is_over(pytester: pytest.Pytester) -> None:
    test = "def test_it(simulated_system): simulated_system(**THUMBNAILS, seed=7).promote()"
    result = run_users_tests(pytester, test, saga=IMPURE_SAGA)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "the simulated system of seed 7 did not keep its promises:",
            "  invariant 1, brackets: version 10 started no window_thumbnail",
            '      line *: {"kind":"event",*"WindowOpened"*',
            "  the whole history: *simulated-1.jsonl",
        ]
    )
    [line] = {each for each in result.outlines if "the whole history: " in each}
    history = list(read_history(Path(line.partition("history: ")[2])))
    assert isinstance(history[-1], LogLine)


def test_a_test_can_have_a_system_that_is_not_judged(pytester: pytest.Pytester) -> None:
    test = "def test_it(simulated_system): simulated_system(judged=False, **THUMBNAILS).promote()"
    run_users_tests(pytester, test, saga=IMPURE_SAGA).assert_outcomes(passed=1)


def test_an_interrupted_run_is_not_kept_waiting_for_a_judgement(pytester: pytest.Pytester) -> None:
    test = """
    def test_it(simulated_system, process_system):
        simulated_system(**THUMBNAILS).promote()
        print("pid", process_system().processes.processes.pid("launcher"))
        raise KeyboardInterrupt
    """
    pytester.makepyfile(thumbnails=IMPURE_SAGA, test_mine=PRELUDE + dedented(test))
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
    result = run_users_tests(pytester, dedented(test), saga=saga)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*: it was given ThumbnailTaken, not ThumbnailTaken, Thumb*"])


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
