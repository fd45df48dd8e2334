"""`python -m bench promotes`: concurrent promotes, beside a floor that only sends the messages."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console

from bench.closed_loop import Measured, Plan, VoidRunError
from bench.driver import Variant
from bench.environment import Environment, load
from bench.report import SCHEMA, Comparison, as_document, print_table
from bench.runs import Run, carry_out

VOID = 1
"""Exit status where a run proved nothing."""

TABLE_WIDTH = 110
"""The table needs so many columns; a pipe or a narrow terminal gets them too."""

EPILOG = """\
examples:
  python -m bench promotes
      the whole comparison: 1, 8 and 64 promotes in flight, five runs of each variant in turn
  python -m bench promotes --concurrency 64 --variants memory,process,power
      what the log in a file costs
  python -m bench promotes --concurrency 64 --repeats 3
      one concurrency, a quick look
  python -m bench promotes --hosts 4 --concurrency 64 --json > result.json
      64 in flight over four hosts; the document has every run and the environment

Each run has processes of its own: a launcher, the hosts, and a driver that observes and, at each
completion, has the same host promote again. Windows become ready at once, and stay open. "floor"
only sends the eleven messages of a promote, one bare frame each, over the same kinds of socket;
"memory" is a launcher with its log in memory, "process" one with its log in a file that survives
kill -9, "power" one whose file survives a power cut too.
A latency runs from the moment the host takes the window out of its pool until the driver has the
decoded SagaCompleted. A run with a lost, failed or cold promote is void: exit status 1.
"""


def execute(options: argparse.Namespace) -> int:
    """Run the benchmark, and give the exit status."""
    environment, before = Environment.here(), load()
    progress = Console(stderr=True)
    try:
        comparisons = [_compare(count, options, progress) for count in options.concurrency]
    except VoidRunError as error:
        print(f"void: {error}", file=sys.stderr)
        return VOID
    if options.json:
        document = {
            "benchmark": "promotes",
            "schema": SCHEMA,
            "environment": asdict(environment),
            "load": {"before": before, "after": load()},
            "settings": {
                "hosts": options.hosts,
                "promotes": options.promotes,
                "repeats": options.repeats,
                "variants": options.variants,
            },
            "results": [as_document(comparison) for comparison in comparisons],
        }
        print(json.dumps(document, indent=2))
    else:
        _print_environment(environment, before)
        console = Console()
        print_table(Console(width=max(console.width, TABLE_WIDTH)), comparisons)
    return 0


def _compare(concurrency: int, options: Any, progress: Console) -> Comparison:
    plan = Plan.of(hosts=options.hosts, concurrency=concurrency, measured=options.promotes)
    runs: dict[Variant, list[Measured]] = {variant: [] for variant in options.variants}
    for repeat in range(1, options.repeats + 1):
        for variant in options.variants:
            where = f"{concurrency} in flight, run {repeat} of {options.repeats}, {variant}"
            try:
                run = carry_out(Run(variant, plan, options.run_seconds))
            except VoidRunError as error:
                msg = f"{where}: {error}"
                raise VoidRunError(msg) from error
            runs[variant].append(run)
            progress.print(f"{where}: {run.rate:,.0f}/s, p50 {run.p50_us:,.0f} us")
    return Comparison(concurrency, runs)


def _print_environment(environment: Environment, before: tuple[float, float, float]) -> None:
    libraries = ", ".join(f"{name} {number}" for name, number in environment.libraries.items())
    print(
        f"{environment.cpu}, {environment.cores} cores, Linux {environment.kernel}, "
        f"Python {environment.python}, libzmq {environment.libzmq}, {libraries}, "
        f"revision {environment.revision}, load before {before[0]:.2f}, after {load()[0]:.2f}"
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Measure muxsaga beside a floor that only sends the same messages."
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--concurrency", type=_counts, default=[1, 8, 64], help="how many in flight: 1,8,64")
    add(
        "--variants",
        type=_variants,
        default=[Variant.FLOOR, Variant.MEMORY, Variant.PROCESS],
        help="what is compared: floor,memory,process,power (default: all but power)",
    )
    add("--hosts", type=_count, default=1, help="over how many hosts (default 1)")
    add("--promotes", type=_count, default=4000, help="measured in each run (default 4000)")
    add("--repeats", type=_count, default=5, help="runs of each variant (default 5)")
    add("--run-seconds", type=_seconds, default=120.0, help="longest run (default 120)")
    add("--json", action="store_true", help="print one JSON document")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r} is no number from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _counts(text: str) -> list[int]:
    return [_count(each) for each in text.split(",")]


def _variants(text: str) -> list[Variant]:
    known = [each.value for each in Variant]
    variants = text.split(",")
    for each in variants:
        if each not in known or variants.count(each) > 1:
            msg = f"{each!r}: give each of {', '.join(known)} once at most, with commas between"
            raise argparse.ArgumentTypeError(msg)
    return [Variant(each) for each in variants]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        msg = f"{text!r} is no number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return seconds
