"""The second checker: it finds nothing wrong with what is sound, and every spoil of it."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import second_checker
from tests.second_checker import INVARIANTS, unjudged, violations
from tests.spoiled_histories import ALLOWED, SOUND, SPOILS, Spoil
from tests.told_histories import Line, Telling

QUERIES = [(number, query) for number, queries in INVARIANTS.items() for query in queries]


def without(lines: list[Line], *kinds: str) -> list[Line]:
    return [line for line in lines if line["kind"] not in kinds]


@pytest.mark.parametrize("make", SOUND.values(), ids=SOUND)
def test_a_sound_history_has_no_violation_and_all_of_it_is_judged(
    make: Callable[[], list[Line]],
) -> None:
    lines = make()
    assert violations(lines) == []
    assert unjudged(lines) == []


@pytest.mark.parametrize("make", ALLOWED.values(), ids=ALLOWED)
def test_what_only_looks_wrong_has_no_violation(make: Callable[[], list[Line]]) -> None:
    assert violations(make()) == []


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_spoil_is_caught_under_its_invariant_and_its_twin_is_clean(spoil: Spoil) -> None:
    sound = SOUND[spoil.of]()
    assert violations(sound) == []
    spoiled = spoil.spoil(sound)
    assert spoiled != SOUND[spoil.of]()
    caught = violations(spoiled)
    assert spoil.invariant in {invariant for invariant, _ in caught}, caught


def test_each_query_is_what_catches_some_spoil_of_its_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each query is taken for an invariant of its own, so that a violation names it."""
    monkeypatch.setattr(second_checker, "INVARIANTS", {n: (q,) for n, (_, q) in enumerate(QUERIES)})
    idle = set(range(len(QUERIES)))
    for spoil in SPOILS.values():
        caught = {query for query, _ in violations(spoil.spoil(SOUND[spoil.of]()))}
        idle -= {query for query in caught if QUERIES[query][0] == spoil.invariant}
    assert [QUERIES[query] for query in idle] == []


def test_what_has_no_lines_is_not_judged() -> None:
    lines = SOUND["busy"]()
    assert {number for number, _ in unjudged(without(lines, "timeouts"))} == {1, 9}
    assert {number for number, _ in unjudged(without(lines, "host"))} == {1, 4, 5}
    assert {number for number, _ in unjudged(without(lines, "saga"))} == {5}
    assert {number for number, _ in unjudged(without(lines, "log"))} == {5, 6, 7}
    assert {number for number, _ in unjudged(without(lines, "host_end"))} == {8}
    assert {number for number, _ in unjudged([])} == set(range(1, 10))


@pytest.mark.parametrize("kind", ["timeouts", "host", "saga", "log", "host_end"])
def test_what_is_missing_is_no_violation(kind: str) -> None:
    lines = without(SOUND["busy"](), kind)
    assert violations(lines) == []


def test_a_fault_that_is_still_on_leaves_the_pools_unjudged() -> None:
    reasons = [
        reason for _, reason in unjudged(ALLOWED["a pool that is short while a fault is on"]())
    ]
    assert reasons == ["a fault was still on at the end: pools may be short"]


def test_hosts_need_not_have_recorded_what_they_left_out() -> None:
    """A host's own record leaves out what is nil, false or empty."""
    lines = [
        {key: each for key, each in line.items() if line["kind"] != "host" or each}
        for line in SOUND["busy"]()
    ]
    assert violations(lines) == []


def test_an_unknown_kind_of_line_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="line 2 is of unknown kind 'nonsense'"):
        violations([Telling().lines[0], {"kind": "nonsense", "at_ns": 1}])


def test_it_imports_nothing_but_the_standard_library_and_its_own_parts() -> None:
    for path in Path(__file__).parent.glob("second_checker*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    modules = [each.name for each in names]
                case ast.ImportFrom(module=str(module)):
                    modules = [module]
                case _:
                    continue
            for module in modules:
                top = module.partition(".")[0]
                assert top in sys.stdlib_module_names or module.startswith("tests.second_checker_")
