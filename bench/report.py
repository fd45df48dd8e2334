"""From the figures of single runs to medians, ratios, a table and a JSON document."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.closed_loop import Measured
from bench.driver import Variant
from bench.spread import Spread

SCHEMA = 2
"""Rises when the JSON document changes its form."""


Figure = Callable[[Measured], float]
"""One figure of a run."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Variants at one concurrency, run in turn.

    Attributes:
        runs: in order, by variant; equally many of each.
    """

    concurrency: int
    runs: dict[Variant, list[Measured]]

    def spread(self, variant: Variant, figure: Figure) -> Spread:
        """Give a figure's spread over one variant's runs."""
        return Spread.of(figure(run) for run in self.runs[variant])

    def pairs(self) -> list[tuple[Variant, Variant]]:
        """Give what is compared with what: all with the floor, logs in a file with the other."""
        durable = (Variant.PROCESS, Variant.POWER)
        ours = (Variant.MEMORY, *durable)
        wanted = [(each, Variant.FLOOR) for each in ours]
        wanted += [(each, Variant.MEMORY) for each in durable]
        return [(one, by) for one, by in wanted if one in self.runs and by in self.runs]

    def ratio(self, one: Variant, by: Variant, figure: Figure) -> Spread:
        """Give a figure of one variant by another's: of the medians, and over pairs of runs."""
        ones, others = self.runs[one], self.runs[by]
        pairs = [figure(run) / figure(other) for run, other in zip(ones, others, strict=True)]
        of_medians = median(map(figure, ones)) / median(map(figure, others))
        return Spread(of_medians, min(pairs), max(pairs))


def rate(run: Measured) -> float:
    """Give completed promotes a second."""
    return run.rate


def p50(run: Measured) -> float:
    """Give the median latency in microseconds."""
    return run.p50_us


def p99(run: Measured) -> float:
    """Give the 99th percentile of the latency in microseconds."""
    return run.p99_us


def as_document(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as an element of the JSON document's `results`."""
    return {
        "concurrency": comparison.concurrency,
        "ratios": [
            {
                "of": one.value,
                "by": by.value,
                "rate": asdict(comparison.ratio(one, by, rate)),
                "p50": asdict(comparison.ratio(one, by, p50)),
            }
            for one, by in comparison.pairs()
        ],
        "variants": {
            variant.value: {
                "rate": asdict(comparison.spread(variant, rate)),
                "p50_us": asdict(comparison.spread(variant, p50)),
                "p99_us": asdict(comparison.spread(variant, p99)),
                "runs": [asdict(run) for run in runs],
            }
            for variant, runs in comparison.runs.items()
        },
    }


def print_table(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Print medians with their spread, and the ratios."""
    table = Table(title="promotes, closed loop; medians over the runs [least..most]")
    table.add_column("in flight", justify="right")
    table.add_column("variant")
    for heading in ("promotes/s", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    for comparison in comparisons:
        for variant in comparison.runs:
            table.add_row(
                str(comparison.concurrency),
                variant.value,
                _count(comparison.spread(variant, rate)),
                _milliseconds(comparison.spread(variant, p50)),
                _milliseconds(comparison.spread(variant, p99)),
            )
        for one, by in comparison.pairs():
            table.add_row(
                "",
                f"{one} / {by}",
                *(_quotient(comparison.ratio(one, by, figure)) for figure in (rate, p50, p99)),
            )
        table.add_section()
    console.print(table)


def _count(spread: Spread) -> str:
    return f"{spread.median:,.0f} [{spread.least:,.0f}..{spread.most:,.0f}]"


def _milliseconds(spread: Spread) -> str:
    least, middle, most = (us / 1000 for us in (spread.least, spread.median, spread.most))
    return f"{middle:.2f} [{least:.2f}..{most:.2f}]"


def _quotient(spread: Spread) -> str:
    return f"{spread.median:.3f} [{spread.least:.3f}..{spread.most:.3f}]"
