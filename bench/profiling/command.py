"""`python -m bench profile`: where the launcher's CPU goes."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.machine_code import check_machine_code, is_compiled
from bench.option_types import number
from bench.profiling.flame_graph import flame_graph
from bench.profiling.parts import MEANING, Part
from bench.profiling.profiled_run import LAUNCHER, Profiled, count_calls, sample
from bench.profiling.shares import Share
from bench.promote_ledger import VoidRunError
from bench.result import check_writable
from bench.scenario import MOST_PROMOTES, ClosedArrivals, Ground, Scenario, Variant

VOID = 1
"""Exit status where the run proved nothing."""

TABLE_WIDTH = 110
OUTPUT = Path("profile.svg")

COMPILED = (
    "note: the modules are compiled, and no profiler sees their functions: what they take counts "
    "as their callers'; to see it, install with `pip install -e .`"
)

EPILOG = """\
examples:
  python -m bench profile
      64 promotes in flight, log process: tables, and profile.svg, the flame graph
  python -m bench profile --variant memory --output memory.svg
      without a log in a file
  python -m bench profile --profiler cprofile
      where py-spy may not look into other processes

One run of a closed loop is made, as 'python -m bench promotes' makes it, and the launcher sampled
from outside by py-spy, which hardly slows it. A function's "self" is the share of the samples in
which it was innermost, "whole" that in which it was anywhere on the stack. A part's are likewise;
what a library does for a part counts as the part's. The flame graph is made of the same samples,
coloured by part. Only Python's threads are sampled: what ZeroMQ's own cost, the table of threads
says, as the kernel counts it. A thread that waits for a core is sampled as if it ran: where the
machine is busy, the poll from which it wakes looks larger than it is.
cProfile counts every call of the main thread and the CPU time in it, which slows it to about a half
and burdens small functions most; it keeps no stacks, so there is no flame graph and no "whole" of a
part.
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Show where the launcher's CPU goes during a run."
    parser.epilog = EPILOG
    add = parser.add_argument
    add(
        "--concurrency",
        type=number(1, 4096),
        default=64,
        metavar="N",
        help="promotes in flight (default 64)",
    )
    add(
        "--variant",
        choices=[each.value for each in Variant if each is not Variant.FLOOR],
        default=Variant.PROCESS.value,
        help="where the log is, and what it survives (default process)",
    )
    add("--hosts", type=number(1, 4), default=1, metavar="N", help="over how many (default 1)")
    add(
        "--promotes",
        type=number(1, MOST_PROMOTES),
        default=20_000,
        metavar="N",
        help="how long the run is, after its warm-up (default 20000)",
    )
    add("--run-seconds", type=number(1, 3600), default=120, help="longest run (default 120)")
    add("--profiler", choices=["py-spy", "cprofile"], default="py-spy", help="(default py-spy)")
    add("--rate", type=number(1, 1000), default=500, help="samples a second (default 500)")
    add(
        "--output",
        type=Path,
        default=OUTPUT,
        metavar="FILE.svg",
        help=f"py-spy: where the flame graph goes (default {OUTPUT})",
    )
    add("--top", type=number(1, 1000), default=20, metavar="N", help="functions shown (default 20)")
    add("--json", action="store_true", help="print one JSON document")


def execute(options: Namespace) -> int:
    """Run, profile, show; give the exit status.

    Raises:
        ResultError: the profiler cannot work, the flame graph cannot be written, or compiled
            modules are older than their sources.
    """
    check_machine_code()
    arrivals = ClosedArrivals(options.concurrency, options.promotes)
    scenario = Scenario(Variant(options.variant), arrivals, Ground(hosts=options.hosts))
    samples = options.profiler == "py-spy"
    if samples:
        check_writable(options.output)
    _say(f"{scenario.name}: {options.promotes:,} promotes")
    if is_compiled():
        _say(COMPILED)
    try:
        profiled = _profiled(scenario, options)
    except VoidRunError as error:
        sys.stderr.write(f"bench: void: {error}\n")
        return VOID
    if samples:
        title = f"the launcher's CPU: {scenario.name}, {profiled.run.rate:,.0f} promotes/s"
        options.output.write_text(flame_graph(profiled.stacks, title), encoding="utf-8")
    if options.json:
        document = _document(scenario, profiled, options)
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(scenario, profiled, options)
    return 0


def _profiled(scenario: Scenario, options: Namespace) -> Profiled:
    if options.profiler == "cprofile":
        return count_calls(scenario, options.run_seconds)
    return sample(
        scenario,
        options.run_seconds,
        rate=options.rate,
        progress=_say,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _document(scenario: Scenario, profiled: Profiled, options: Namespace) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "profiler": options.profiler,
        "compiled": is_compiled(),
        "rate": profiled.run.rate,
        "promotes": profiled.run.promotes,
        "cpu_us_a_promote": _microseconds_a_promote(profiled),
        "samples": sum(stack.samples for stack in profiled.stacks),
        "threads_s": profiled.thread_s,
        **asdict(profiled.profile),
    }


def _microseconds_a_promote(profiled: Profiled) -> float:
    return profiled.run.cpu_s[LAUNCHER] / profiled.run.promotes * 1e6


def _print(scenario: Scenario, profiled: Profiled, options: Namespace) -> None:
    console = Console()
    console = Console(width=max(console.width, TABLE_WIDTH))
    print(
        f"{scenario.name}: {profiled.run.rate:,.0f} promotes/s, "
        f"launcher's CPU {_microseconds_a_promote(profiled):,.0f} us a promote"
    )
    console.print(_threads(profiled.thread_s))
    console.print(_parts(profiled.profile.parts))
    console.print(_functions(profiled.profile.functions[: options.top]))
    if options.profiler == "py-spy":
        samples = sum(stack.samples for stack in profiled.stacks)
        print(f"{samples:,} samples; flame graph: {options.output}")


def _threads(thread_s: dict[str, float]) -> Table:
    table = _table("CPU by thread", "seconds", "share", first="thread")
    total = sum(thread_s.values())
    for name, seconds in sorted(thread_s.items(), key=lambda each: -each[1]):
        table.add_row(name, f"{seconds:.2f}", f"{seconds / total:.1%}" if total else "")
    return table


def _parts(shares: list[Share]) -> Table:
    table = _table("Python's threads by part of the launcher", "self", "whole", first="part")
    table.add_column("what it is")
    for share in shares:
        table.add_row(*_cells(share), MEANING[Part(share.name)])
    return table


def _functions(shares: list[Share]) -> Table:
    table = _table("by function", "self", "whole", first="function")
    for share in shares:
        table.add_row(*_cells(share))
    return table


def _table(title: str, *numbers: str, first: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _cells(share: Share) -> Iterator[str]:
    yield share.name.replace("[", r"\[")
    yield f"{share.self_share:.1%}"
    yield f"{share.whole_share:.1%}" if share.whole_share is not None else "-"
