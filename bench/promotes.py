"""`python -m bench promotes`: concurrent promotes, beside a floor that only sends the messages."""

import sys
from argparse import ArgumentParser, Namespace

from rich.console import Console

from bench.environment import Surroundings
from bench.measurement import Bench, sweeps
from bench.promote_ledger import VoidRunError
from bench.promote_options import (
    add_options,
    check_options,
    closed_loads,
    open_loads,
    scenarios,
)
from bench.report import print_document
from bench.result import (
    Document,
    Knee,
    Run,
    Series,
    check_writable,
    encode_document,
    write_document,
)
from bench.runs import carry_out
from bench.scenario import Scenario

VOID = 1
"""Exit status where a run proved nothing."""

WRONG_USAGE = 2


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    add_options(parser)


def execute(options: Namespace) -> int:
    """Run the benchmark, and give the exit status.

    Raises:
        ResultError: the document cannot be written.
    """
    if (complaint := check_options(options)) is not None:
        sys.stderr.write(f"bench: {complaint}\n")
        return WRONG_USAGE
    if options.output is not None:
        check_writable(options.output)
    surroundings = Surroundings(options.given)
    try:
        series, knees = _measure(options)
    except VoidRunError as error:
        sys.stderr.write(f"bench: void: {error}\n")
        return VOID
    document = Document(
        benchmark="promotes",
        environment=surroundings.environment(),
        series=series,
        knees=knees,
    )
    if options.output is not None:
        write_document(options.output, document)
    if options.json:
        sys.stdout.write(encode_document(document).decode())
    else:
        print_document(Console(), document)
    return 0


def _measure(options: Namespace) -> tuple[list[Series], list[Knee]]:
    progress = Console(stderr=True, highlight=False, soft_wrap=True)

    def run(scenario: Scenario) -> Run:
        return carry_out(scenario, options.run_seconds)

    bench = Bench(run, progress.print, options.repeats)
    if options.sweep:
        (first, *_) = open_loads(options)
        return sweeps(bench, scenarios(options, first), first)
    loads = closed_loads(options) if options.arrivals == "closed" else open_loads(options)
    return [each for load in loads for each in bench.in_turn(scenarios(options, load))], []
