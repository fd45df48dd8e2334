"""What changed between two documents of the benchmark.

Series are paired by what they measure: variant, arrivals, concurrency or offered rate, transport,
hosts, observers, sagas in flight, spawn time. Of each pair the rate and the latency's 50th and 99th
percentile are compared, run by run, by the criterion of `bench.noise`. Where both documents have
the floor under the same load, so are the quotients by the floor's run of the same round: a machine
that is slower today is slower for both, so they stand where the figures themselves do not.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.load import Key, by_load
from bench.noise import Change, Verdict, judge
from bench.result import Document, Environment, Run, Series

FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run."""

    name: str
    of: Callable[[Run], float]
    more_is_better: bool


FIGURES = (
    Figure("rate", lambda run: run.rate, more_is_better=True),
    Figure("p50", lambda run: run.latency_us.p50, more_is_better=False),
    Figure("p99", lambda run: run.latency_us.p99, more_is_better=False),
)


class Outcome(StrEnum):
    """What became of a figure."""

    BETTER = "better"
    WORSE = "worse"
    NOISE = "within noise"
    UNKNOWN = "too few runs"


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of a series in both documents.

    Attributes:
        name: the figure's; with `/floor` for a quotient.
        unit: of the spreads; empty for a quotient.
    """

    name: str
    unit: str
    change: Change
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ComparedSeries:
    """A series that both documents have, under the name that the newer gives it."""

    name: str
    figures: list[ComparedFigure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is to be said of two documents.

    Attributes:
        differences: in what their environments differ, in words.
        only_before, only_after: names of series that only one has.
    """

    differences: list[str]
    series: list[ComparedSeries]
    only_before: list[str]
    only_after: list[str]

    def counts(self) -> Counter[Outcome]:
        """Give how many figures became what."""
        return Counter(figure.outcome for each in self.series for figure in each.figures)


def compare(before: Document, after: Document) -> Comparison:
    """Compare two documents."""
    olds, news = by_load(before.series), by_load(after.series)
    return Comparison(
        differences=differences(before.environment, after.environment),
        series=[
            ComparedSeries(new.name, list(_figures(key, olds, news)))
            for key, new in news.items()
            if key in olds
        ],
        only_before=[old.name for key, old in olds.items() if key not in news],
        only_after=[new.name for key, new in news.items() if key not in olds],
    )


def differences(before: Environment, after: Environment) -> list[str]:
    """Give in what two environments differ that may explain a change, in words."""
    pairs = [
        *((name, getattr(before, name), getattr(after, name)) for name in _MACHINE),
        ("modules", before.code, after.code),
        *(
            (name, before.libraries.get(name, "none"), after.libraries.get(name, "none"))
            for name in sorted({*before.libraries, *after.libraries})
        ),
    ]
    return [f"{name}: {old} before, {new} after" for name, old, new in pairs if old != new]


_MACHINE = ("cpu", "cores", "kernel", "python")


def _figures(
    key: Key, olds: dict[Key, Series], news: dict[Key, Series]
) -> Iterator[ComparedFigure]:
    variant, load = key
    old, new = olds[key], news[key]
    for figure in FIGURES:
        unit = "/s" if figure.more_is_better else "us"
        values = [[figure.of(run) for run in each.runs] for each in (old, new)]
        yield _compared(figure, figure.name, unit, *values)
    old_floor, new_floor = olds.get((FLOOR, load)), news.get((FLOOR, load))
    if variant == FLOOR or old_floor is None or new_floor is None:
        return
    for figure in FIGURES:
        quotients = [
            [figure.of(run) / figure.of(floor) for run, floor in zip(ours, floors, strict=False)]
            for ours, floors in ((old.runs, old_floor.runs), (new.runs, new_floor.runs))
        ]
        yield _compared(figure, f"{figure.name}/floor", "", *quotients)


def _compared(
    figure: Figure, name: str, unit: str, before: Sequence[float], after: Sequence[float]
) -> ComparedFigure:
    change = judge(before, after)
    match change.verdict:
        case Verdict.UNKNOWN:
            outcome = Outcome.UNKNOWN
        case Verdict.NOISE:
            outcome = Outcome.NOISE
        case Verdict.CHANGED:
            is_better = (change.share > 0) is figure.more_is_better
            outcome = Outcome.BETTER if is_better else Outcome.WORSE
    return ComparedFigure(name, unit, change, outcome)
