"""`python -m bench yardsticks`: muxsaga beside other ways of making the same promotes."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.environment import Surroundings
from bench.promote_ledger import VoidRunError
from bench.result import Document, Run, Series, check_writable, encode_document, write_document
from bench.scenario import ClosedArrivals
from bench.yardsticks.catalogue import CATALOGUE, MUXSAGA
from bench.yardsticks.report import print_document
from bench.yardsticks.runs import carry_out

VOID = 1
WRONG_USAGE = 2
"""Exit statuses: a run proved nothing; a yardstick's library is not there."""

MOST_CONCURRENCY = 512
LEAST_ROUNDS = 8
"""A run measures at least so many promotes for each that is in flight: they complete in batches."""

REMARKS = "\n".join(f"  {name:<17} {entry.remark}" for name, entry in CATALOGUE.items())

EPILOG = f"""\
examples:
  python -m bench yardsticks
      everything, five runs of each in turn: about ten minutes
  python -m bench yardsticks --variants process,floor,thread-per-saga --output yardsticks.json
      muxsaga beside some; the document is for 'compare'
  python -m bench yardsticks --variants process,dbos-wal --concurrency 1
      one promote at a time
  python -m bench yardsticks --seconds 1 --repeats 1 --json
      a quick look, as JSON

yardsticks:
{REMARKS}
Each one's module in bench/yardsticks/ says what it does and what it does not. Those that take it
have 64 promotes in flight; those with a commit for each step are compared at 16.

Every run has processes of its own, and the same driver. A latency runs from the moment the host
takes the window out of its pool until the driver has the event that says the promote is complete. A
run with a lost, doubled or misordered event is void, and ends the command with status 1.
"""


@dataclass(frozen=True, slots=True)
class Turns:
    """What takes turns: yardsticks under one load, each with as many promotes as fit it.

    Attributes:
        arrivals: by name.
    """

    concurrency: int
    arrivals: dict[str, ClosedArrivals]


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Measure muxsaga beside other ways of making the same promotes."
    parser.epilog = EPILOG
    add = parser.add_argument
    add(
        "--variants",
        type=_names,
        default=list(CATALOGUE),
        metavar="LIST",
        help="which, with commas between (default: all)",
    )
    add(
        "--concurrency",
        type=_number(MOST_CONCURRENCY),
        metavar="N",
        help=f"promotes in flight, for all alike, at most {MOST_CONCURRENCY} (default: see below)",
    )
    add(
        "--seconds",
        type=_number(60),
        default=5,
        help="how long a run is measured, roughly (default 5)",
    )
    add(
        "--promotes",
        type=_number(1_000_000),
        metavar="N",
        help="measured in each run (default: as many as one makes in --seconds)",
    )
    add("--repeats", type=_number(1000), default=5, metavar="N", help="runs of each (default 5)")
    add(
        "--run-seconds",
        type=_number(3600),
        default=60,
        help="a run that takes longer is void (default 60)",
    )
    add("--json", action="store_true", help="print the JSON document")
    add("--output", type=Path, metavar="FILE", help="write the JSON document there")


def execute(options: Namespace) -> int:
    """Run the benchmark, and give the exit status.

    Raises:
        ResultError: the document cannot be written.
    """
    turns = turns_of(options)
    if (complaint := _too_few(turns) or _missing(options.variants)) is not None:
        sys.stderr.write(f"bench: {complaint}\n")
        return WRONG_USAGE
    if options.output is not None:
        check_writable(options.output)
    surroundings = Surroundings(sys.argv[1:])
    try:
        series = [each for each_turns in turns for each in _measure(each_turns, options)]
    except VoidRunError as error:
        sys.stderr.write(f"bench: void: {error}\n")
        return VOID
    document = Document(
        benchmark="yardsticks", environment=surroundings.environment(), series=series
    )
    if options.output is not None:
        write_document(options.output, document)
    if options.json:
        sys.stdout.write(encode_document(document).decode())
    else:
        print_document(Console(), document)
    return 0


def turns_of(options: Namespace) -> list[Turns]:
    """Give what is measured in which turns: muxsaga wherever something is compared with it."""
    if options.concurrency is not None:
        return [_turns(options.concurrency, options.variants, options)]
    loads = sorted(
        {load for name in options.variants for load in CATALOGUE[name].concurrency}, reverse=True
    )
    groups = {
        load: [name for name in options.variants if load in CATALOGUE[name].concurrency]
        for load in loads
    }
    only_muxsaga = options.variants == [MUXSAGA]
    return [
        _turns(load, names, options)
        for load, names in groups.items()
        if names != [MUXSAGA] or only_muxsaga
    ]


def _turns(concurrency: int, names: Sequence[str], options: Namespace) -> Turns:
    wanted: dict[str, int] = {
        name: options.promotes
        or max(LEAST_ROUNDS * concurrency, CATALOGUE[name].rate * options.seconds)
        for name in names
    }
    return Turns(
        concurrency, {name: ClosedArrivals(concurrency, count) for name, count in wanted.items()}
    )


def _measure(turns: Turns, options: Namespace) -> list[Series]:
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    runs: dict[str, list[Run]] = {name: [] for name in turns.arrivals}
    for repeat in range(1, options.repeats + 1):
        for name, arrivals in turns.arrivals.items():
            where = f"{name}, {arrivals.words()}, run {repeat} of {options.repeats}"
            try:
                run = carry_out(name, arrivals, options.run_seconds)
            except VoidRunError as error:
                msg = f"{where}: {error}"
                raise VoidRunError(msg) from error
            runs[name].append(run)
            progress.print(f"{where}: {run.rate:,.0f}/s, p50 {run.latency_us.p50:,.0f} us")
    return [
        Series(
            name=f"{name}, {turns.concurrency} in flight",
            variant=name,
            arrivals="closed",
            concurrency=turns.concurrency,
            note=CATALOGUE[name].remark,
            runs=of_name,
        )
        for name, of_name in runs.items()
    ]


def _too_few(turns: Sequence[Turns]) -> str | None:
    """Give why a run would measure no rate; None if each does."""
    for each in turns:
        least = LEAST_ROUNDS * each.concurrency
        if any(arrivals.measured < least for arrivals in each.arrivals.values()):
            return f"--promotes is too few for {each.concurrency} in flight: give {least} or more"
    return None


def _missing(names: Sequence[str]) -> str | None:
    """Give what a yardstick needs that is not installed, and the remedy; None if nothing is."""
    for name in names:
        try:
            CATALOGUE[name].load()
        except ModuleNotFoundError as error:
            return f"{name}: {error}: pip install -e '.[yardsticks]', or leave it out of --variants"
    return None


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in CATALOGUE or names.count(name) > 1:
            msg = f"{name!r}: give each of {', '.join(CATALOGUE)} once at most"
            raise ArgumentTypeError(msg)
    return names


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            msg = f"{text!r} is no number from 1 to {most}"
            raise ArgumentTypeError(msg)
        return int(text)

    return read
