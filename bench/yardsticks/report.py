"""A document of yardsticks for people: each one's figures, and muxsaga's by them."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.report import p50, p99, rate, ratio, spread
from bench.result import Document, Series
from bench.spread import Spread
from bench.yardsticks.catalogue import MUXSAGA

TABLE_WIDTH = 140
"""The tables need so many columns; a pipe or a narrow terminal gets them too."""


def print_document(console: Console, document: Document) -> None:
    """Print everything."""
    console = Console(file=console.file, width=max(console.width, TABLE_WIDTH))
    here = document.environment
    libraries = ", ".join(f"{name} {number}" for name, number in here.libraries.items())
    console.print(
        f"{here.cpu}, {here.cores} cores, Linux {here.kernel}, Python {here.python}, {libraries}; "
        f"revision {here.revision}, {here.code}; load {here.load_before[0]:.2f} before, "
        f"{here.load_after[0]:.2f} after",
        highlight=False,
    )
    for load in dict.fromkeys(series.concurrency for series in document.series):
        group = [series for series in document.series if series.concurrency == load]
        console.print(_table(f"{load} promotes in flight", group))
    for remark in dict.fromkeys(f"{each.variant}: {each.note}" for each in document.series):
        console.print(remark, highlight=False)


def _table(title: str, group: Sequence[Series]) -> Table:
    table = Table(title=f"{title}; medians over the runs [least..most]")
    table.add_column("what")
    for heading in ("promotes/s", "p50 ms", "p99 ms", f"{MUXSAGA}'s rate by it", "p50 by it"):
        table.add_column(heading, justify="right")
    ours = next((each for each in group if each.variant == MUXSAGA), None)
    for each in group:
        by_it = ["", ""]
        if ours is not None and each is not ours:
            by_it = [_quotient(ratio(ours, each, figure)) for figure in (rate, p50)]
        milliseconds = (_milliseconds(spread(each, figure)) for figure in (p50, p99))
        table.add_row(each.variant, _count(spread(each, rate)), *milliseconds, *by_it)
    return table


def _count(values: Spread) -> str:
    return _text(values, ",.0f", 1)


def _milliseconds(values: Spread) -> str:
    return _text(values, ",.2f", 1000)


def _quotient(values: Spread) -> str:
    return _text(values, ",.3g", 1)


def _text(values: Spread, form: str, unit: float) -> str:
    least, middle, most = (
        format(value / unit, form) for value in (values.least, values.median, values.most)
    )
    return middle if least == most else f"{middle} [{least}..{most}]"
