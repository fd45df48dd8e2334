from itertools import combinations, product
from math import comb

import pytest

from bench.noise import Verdict, judge, p_value


def p_by_enumeration(before: list[float], after: list[float]) -> float:
    """The same, slowly: for every way to choose the first runs, count the pairs that they win."""

    def wins(ones: tuple[float, ...], others: list[float]) -> float:
        return sum((one > other) + (one == other) / 2 for one, other in product(ones, others))

    values, size = [*before, *after], len(before)
    middle = size * len(after) / 2
    observed = abs(wins(tuple(before), after) - middle)
    as_far = 0
    for chosen in combinations(range(len(values)), size):
        others = [values[index] for index in range(len(values)) if index not in chosen]
        as_far += abs(wins(tuple(values[index] for index in chosen), others) - middle) >= observed
    return as_far / comb(len(values), size)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]),
        ([1, 2, 3, 4, 6], [5, 7, 8, 9, 10]),
        ([5, 1, 4], [2, 3, 9, 8]),
        ([1, 1, 2, 2], [2, 2, 3]),
        ([7, 7], [7, 7, 7]),
    ],
)
def test_p_is_the_share_of_arrangements_that_lie_as_far_apart(
    before: list[float], after: list[float]
) -> None:
    assert p_value(before, after) == pytest.approx(p_by_enumeration(before, after))


def test_five_runs_beyond_five_others_are_a_change() -> None:
    change = judge([100, 101, 102, 103, 104], [90, 91, 92, 93, 94])
    assert change.verdict is Verdict.CHANGED
    assert change.share == pytest.approx(92 / 102 - 1)
    assert change.p == pytest.approx(2 / 252)


def test_one_run_among_the_others_makes_it_noise() -> None:
    assert judge([100, 101, 102, 103, 104], [90, 91, 92, 93, 101]).verdict is Verdict.NOISE


def test_a_change_too_small_to_trust_is_noise_however_clear() -> None:
    before, after = [1000.0, 1001, 1002, 1003, 1004], [1010.0, 1011, 1012, 1013, 1014]
    assert judge(before, after).verdict is Verdict.NOISE
    assert judge(before, after, least_change=0.005).verdict is Verdict.CHANGED


@pytest.mark.parametrize(("ones", "others"), [(4, 4), (1, 5), (3, 6)])
def test_of_too_few_runs_nothing_is_said(ones: int, others: int) -> None:
    assert judge([1.0] * ones, [2.0] * others).verdict is Verdict.UNKNOWN
