"""`python -m bench compare`: what changed between two documents, beyond noise."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.comparison import ComparedFigure, Comparison, Outcome, compare
from bench.noise import CRITERION, LEAST_CHANGE, LEVEL
from bench.result import Environment, read_document
from bench.spread import Spread

TABLE_WIDTH = 132

REGRESSED = 1
"""Exit status with `--fail-on-regression` where a figure became worse."""

EPILOG = f"""\
examples:
  python -m bench promotes --output before.json
  python -m bench promotes --output after.json
  python -m bench compare before.json after.json
      after a change of the code between the two
  python -m bench compare before.json after.json --fail-on-regression
      exit status 1 if something became worse

Series are paired by variant, arrivals, concurrency or offered rate, transport, hosts, observers,
sagas in flight and spawn time; those that only one document has are listed. Of each pair the rate
and the latency's p50 and p99 are compared, and, where both documents have the floor under the same
load, their quotients by the floor's run of the same round.
{CRITERION.format(least=LEAST_CHANGE)}
Two documents of different hours or machines differ for that reason too, and no test over the runs
sees it: then look at the quotients by the floor, and at the fixed loop's rate, which is printed.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Say what changed between two results, beyond noise."
    parser.epilog = EPILOG
    add = parser.add_argument
    add("before", type=Path, metavar="BEFORE.json", help="the older result")
    add("after", type=Path, metavar="AFTER.json", help="the newer result")
    add(
        "--fail-on-regression",
        action="store_true",
        help="exit status 1 if something became worse, beyond noise",
    )
    add("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Compare two files, and give the exit status.

    Raises:
        ResultError: one of them cannot be used.
    """
    before, after = read_document(options.before), read_document(options.after)
    comparison = compare(before, after)
    if options.json:
        document = {
            "before": before.environment,
            "after": after.environment,
            **asdict(comparison),
        }
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(comparison, before.environment, after.environment)
    is_worse = comparison.counts()[Outcome.WORSE] > 0
    return REGRESSED if is_worse and options.fail_on_regression else 0


def _print(comparison: Comparison, before: Environment, after: Environment) -> None:
    for title, environment in (("before", before), ("after", after)):
        print(
            f"{title}: {environment.began}, revision {environment.revision}, {environment.code}, "
            f"{_pace(environment)}"
        )
    ratio = _calibration(after) / _calibration(before) if _calibration(before) else 1.0
    print(f"the fixed loop ran {ratio:.2f} times as fast as before")
    for difference in comparison.differences:
        print(f"warning: the environments differ in {difference}")
    if comparison.series:
        console = Console()
        Console(width=max(console.width, TABLE_WIDTH)).print(_table(comparison))
        print(_summary(comparison))
    else:
        print("no series is in both documents")
    for title, names in (
        ("before", comparison.only_before),
        ("after", comparison.only_after),
    ):
        for name in names:
            print(f"only {title}: {name}")


def _pace(environment: Environment) -> str:
    return (
        f"fixed loop {environment.calibration_before:,.0f}/s and then "
        f"{environment.calibration_after:,.0f}/s, "
        f"load {environment.load_before[0]:.2f} and then {environment.load_after[0]:.2f}, "
        f"commit {environment.commit.normal_us:,.0f} us NORMAL and "
        f"{environment.commit.full_us:,.0f} us FULL"
    )


def _calibration(environment: Environment) -> float:
    return (environment.calibration_before + environment.calibration_after) / 2


def _table(comparison: Comparison) -> Table:
    table = Table(title=r"medians over the runs \[least..most]")
    table.add_column("series")
    table.add_column("figure")
    for heading in ("before", "after", "change", "p"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for each in comparison.series:
        names = _first_only(each.name)
        for figure in each.figures:
            table.add_row(next(names), *_cells(figure), style=_STYLES.get(figure.outcome, ""))
        table.add_section()
    return table


_STYLES = {Outcome.BETTER: "green", Outcome.WORSE: "bold red"}


def _cells(figure: ComparedFigure) -> tuple[str, ...]:
    change = figure.change
    spreads = (_spread(spread, figure.unit) for spread in (change.before, change.after))
    return (figure.name, *spreads, f"{change.share:+.1%}", f"{change.p:.3f}", figure.outcome)


def _first_only(name: str) -> Iterator[str]:
    yield name.replace("[", r"\[")
    while True:
        yield ""


def _spread(spread: Spread, unit: str) -> str:
    form = ",.0f" if unit else ".3f"
    middle, least, most = (
        format(value, form) for value in (spread.median, spread.least, spread.most)
    )
    return rf"{middle}{unit and ' '}{unit} \[{least}..{most}]"


def _summary(comparison: Comparison) -> str:
    counts = comparison.counts()
    total = counts.total()
    return (
        f"{total} figures: {counts[Outcome.BETTER]} better, {counts[Outcome.WORSE]} worse, "
        f"{counts[Outcome.NOISE]} within noise, {counts[Outcome.UNKNOWN]} of too few runs; "
        f"if nothing had changed, up to about {total * LEVEL:.1f} would seem to have"
    )
