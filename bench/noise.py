"""Whether two sets of runs differ by more than noise.

The criterion, in full. Two sets of runs differ beyond noise if

1. the exact two-sided Wilcoxon-Mann-Whitney test, which asks only how the runs of both rank among
   each other and assumes no distribution, gives p <= 1 %, and
2. the medians differ by at least a given share, by default 2 %: what is smaller may well be real,
   but two sessions on one machine differ by as much.

With five runs of each, p <= 1 % means that every run of one is beyond every run of the other. With
fewer, no outcome reaches 1 %, and nothing can be said. Of many figures that did not change, one in
a hundred passes the test by chance.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import comb

from bench.spread import Spread

LEVEL = 0.01
"""How likely an unchanged figure is to pass the test, at most."""

LEAST_CHANGE = 0.02
"""The share by which medians have to differ, unless a caller says otherwise."""

CRITERION = """\
A change is beyond noise if the exact two-sided Wilcoxon-Mann-Whitney test over the runs gives
p <= 1 % and the medians differ by at least {least:.0%}. With five runs of each that means: every
run of one is beyond every run of the other. With fewer, nothing can be said. Of a hundred figures
that did not change, one passes the test by chance."""


class Verdict(StrEnum):
    """What the runs say about a change."""

    CHANGED = "changed"
    NOISE = "within noise"
    UNKNOWN = "too few runs"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one figure.

    Attributes:
        share: by how much the median grew; -0.1 where it is a tenth smaller.
        p: how likely the runs of an unchanged figure are to lie at least so far apart.
    """

    before: Spread
    after: Spread
    share: float
    p: float
    verdict: Verdict


def judge(
    before: Sequence[float], after: Sequence[float], least_change: float = LEAST_CHANGE
) -> Change:
    """Compare the runs of one figure, by the criterion in the module's head.

    Args:
        before: one value a run, at least one, all above 0.
        after: likewise.
        least_change: the share by which the medians have to differ.
    """
    spreads = Spread.of(before), Spread.of(after)
    share = spreads[1].median / spreads[0].median - 1
    p = p_value(before, after)
    if 2 / comb(len(before) + len(after), len(before)) > LEVEL:
        verdict = Verdict.UNKNOWN
    elif p <= LEVEL and abs(share) >= least_change:
        verdict = Verdict.CHANGED
    else:
        verdict = Verdict.NOISE
    return Change(*spreads, share, p, verdict)


def p_value(before: Sequence[float], after: Sequence[float]) -> float:
    """Give the exact two-sided p of the Wilcoxon-Mann-Whitney test, ties included.

    Of all ways to say which of the values are `before`, it is the share of those whose sum of
    ranks is at least as far from the expected one.
    """
    ranks = _doubled_ranks([*before, *after])
    size = len(before)
    expected = size * (len(ranks) + 1)
    distance = abs(sum(ranks[:size]) - expected)
    ways = _sums_of(ranks, size)
    as_far = sum(count for total, count in ways.items() if abs(total - expected) >= distance)
    return as_far / comb(len(ranks), size)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Give each value's rank from 1, doubled so that the middle of tied ones is an integer."""
    below = {each: sum(other < each for other in values) for each in set(values)}
    tied = Counter(values)
    return [2 * below[each] + tied[each] + 1 for each in values]


def _sums_of(ranks: Sequence[int], size: int) -> dict[int, int]:
    """Give, for every sum of `size` of the ranks, in how many ways it comes about."""
    ways: list[Counter[int]] = [Counter({0: 1}), *(Counter[int]() for _ in range(size))]
    for rank in ranks:
        for taken in range(size, 0, -1):
            for total, count in ways[taken - 1].items():
                ways[taken][total + rank] += count
    return dict(ways[size])
