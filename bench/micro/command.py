"""`python -m bench micro`: what single parts cost, and what changed since a stored result."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.comparison import differences
from bench.environment import Surroundings
from bench.micro.comparison import LEAST_CHANGE, Compared, compare, speed_ratio
from bench.micro.sessions import merged, rounded, run_once, run_session
from bench.micro.stored import STORED, MicroResult, read_result, write_result
from bench.noise import CRITERION, Verdict
from bench.option_types import number
from bench.result import ResultError
from bench.spread import Spread

SESSIONS = 5
"""With fewer, nothing can be said of a change."""

TABLE_WIDTH = 110

TITLE = r"micro-benchmarks; medians over the sessions \[least..most]"

REGRESSED = 1
"""Exit status with `--fail-on-regression` where something takes longer."""

DESCRIPTION = """\
Measure what single parts of muxsaga cost: tell, ask, start and stop of each kind of actor, the
codec, the reducer, an event's way to its saga, the saga log's commit, a launcher's whole pass."""

EPILOG = f"""\
examples:
  python -m bench micro
      every benchmark, in five processes one after the other; about a minute
  python -m bench micro --compare
      the same, and what changed since the result that is kept in the repository
  python -m bench micro --select 'encode or decode' --compare before.json
      the codec alone, compared with a file of one's own
  python -m bench micro --store before.json
      keep a result; without a file's name, in place of the one in the repository

A figure is the median over the sessions of each session's median round, for one operation.
{CRITERION.format(least=LEAST_CHANGE)}
Machines differ, and so do hours on one: between the benchmarks a fixed loop of plain Python runs,
and it is the quotients by the session's loop that are compared. That is no more than a fair guess
at what the older result would be here. What waits for the disk (commit[power-...]) is compared as
it is.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--select", default="", metavar="EXPRESSION", help="only these, as pytest's -k takes it")
    add(
        "--sessions",
        type=number(1, 100),
        default=SESSIONS,
        metavar="N",
        help=f"how many processes measure (default {SESSIONS})",
    )
    add(
        "--compare",
        type=Path,
        nargs="?",
        const=STORED,
        metavar="FILE",
        help="say what changed since this result (default: the one in the repository)",
    )
    add(
        "--store",
        type=Path,
        nargs="?",
        const=STORED,
        metavar="FILE",
        help="keep the result (default: in the repository)",
    )
    add("--once", action="store_true", help="run each once, untimed, only to see that it works")
    add(
        "--fail-on-regression",
        action="store_true",
        help="with --compare: exit status 1 if something takes longer, beyond noise",
    )
    add("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Measure, compare and store as asked; give the exit status.

    Raises:
        ResultError: a benchmark failed, or a file cannot be used.
    """
    if options.once:
        run_once(options.select)
        print("every selected benchmark works")
        return 0
    if options.select and options.store == STORED:
        msg = "a part is not kept in place of the whole: name a file after --store"
        raise ResultError(msg)
    before = read_result(options.compare) if options.compare is not None else None
    after = _measure(options.select, options.sessions)
    compared = [] if before is None else compare(before, after)
    if options.json:
        _print_json(after, compared)
    elif before is None:
        _console().print(_table(after))
    else:
        _print_comparison(before, after, compared)
    if options.store is not None:
        write_result(options.store, after)
    slower = any(
        each.change.verdict is Verdict.CHANGED and each.change.share > 0 for each in compared
    )
    return REGRESSED if slower and options.fail_on_regression else 0


def _measure(select: str, sessions: int) -> MicroResult:
    surroundings = Surroundings(sys.argv[1:])
    measured = []
    for session in range(1, sessions + 1):
        print(f"session {session} of {sessions}", file=sys.stderr)
        measured.append(run_session(select))
    return MicroResult(
        environment=surroundings.environment(),
        calibration_ns=[rounded(session.calibration_ns) for session in measured],
        benchmarks=merged(measured),
    )


def _print_json(after: MicroResult, compared: Sequence[Compared]) -> None:
    document = {"result": after, "compared": [asdict(each) for each in compared]}
    print(msgspec.json.format(msgspec.json.encode(document), indent=1).decode())


def _table(result: MicroResult) -> Table:
    table = Table(title=TITLE)
    table.add_column("benchmark")
    table.add_column("for one", justify="right")
    for name, figures in result.benchmarks.items():
        table.add_row(_plain(name), _spread(Spread.of(figures.ns)))
    return table


def _print_comparison(before: MicroResult, after: MicroResult, compared: list[Compared]) -> None:
    ratio = speed_ratio(before, after)
    revisions = (
        f"{result.environment.revision}, {result.environment.code}" for result in (before, after)
    )
    print("revision {} before; {} after".format(*revisions))
    for difference in differences(before.environment, after.environment):
        print(f"warning: the environments differ in {difference}")
    print(
        f"the fixed loop takes {ratio:.2f} times what it took: "
        "'before' is scaled by it, but for what waits for the disk"
    )
    table = Table(title=TITLE)
    table.add_column("benchmark")
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for each in compared:
        change = each.change
        style = _STYLES[change.verdict] if change.share > 0 else ""
        cells = (_spread(change.before), _spread(change.after), f"{change.share:+.1%}")
        table.add_row(_plain(each.name), *cells, change.verdict, style=style)
    _console().print(table)
    _print_unpaired("only before", before, after)
    _print_unpaired("only after", after, before)


_STYLES = {Verdict.CHANGED: "bold", Verdict.NOISE: "", Verdict.UNKNOWN: ""}


def _print_unpaired(title: str, ones: MicroResult, others: MicroResult) -> None:
    names = [name for name in ones.benchmarks if name not in others.benchmarks]
    if names:
        print(f"{title}: {', '.join(names)}")


def _plain(name: str) -> str:
    """Give a name in which Rich sees no markup."""
    return name.replace("[", r"\[")


def _spread(spread: Spread) -> str:
    unit, size = _unit(spread.median)
    values = (spread.median, spread.least, spread.most)
    middle, least, most = (_three_digits(value / size) for value in values)
    return rf"{middle} {unit} \[{least}..{most}]"


def _three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"  # noqa: PLR2004 - where %g changes


def _unit(ns: float) -> tuple[str, float]:
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return unit, size
    return "ns", 1.0


def _console() -> Console:
    console = Console()
    return Console(width=max(console.width, TABLE_WIDTH))
