"""`python -m bench targets`: what results say of what is wanted, one line for each target."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from bench.report import Figure, p50, p99, rate
from bench.result import Cpus, Document, Run, Series, read_document

TABLE_WIDTH = 110
FEW, MANY = 10, 100_000
"""Sagas in flight, between which rate, latency and memory are compared."""

EPILOG = """\
examples:
  python -m bench promotes --concurrency 1,64,512 --variants floor,memory,process,power \\
      --output closed.json
  python -m bench yardsticks --output yardsticks.json
  python -m bench targets closed.json yardsticks.json
      what these two say; a target that no file tells of is shown as not measured

A target is a ratio of medians within one file, for only runs in turn have the same machine under
them. "must" is needed, "goal" is what is aimed at.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of one figure.

    Attributes:
        what: for people.
        must: what it has to be at least, and `goal`, what it should be.
        measure: gives it from a document, or None.
        at_most: whether it has to be at most that.
    """

    what: str
    must: float
    goal: float
    measure: Callable[[Document], float | None]
    at_most: bool = False

    def verdict(self, value: float | None) -> str:
        """Give in a word what a value is."""
        if value is None:
            return "not measured"
        for bound, word in ((self.goal, "goal"), (self.must, "must")):
            if value <= bound if self.at_most else value >= bound:
                return word
        return "missed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Say what results mean for what is wanted."
    parser.epilog = EPILOG
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULT.json")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Judge the files, and give the exit status.

    Raises:
        ResultError: one of them cannot be used.
    """
    lines = judged([read_document(path) for path in options.results])
    if options.json:
        document = {"targets": [asdict(line) for line in lines]}
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return 0
    table = Table(title="what is wanted; ratios of medians within one run of the benchmark")
    for heading in ("what", "measured", "must", "goal", "verdict"):
        table.add_column(heading, justify="left" if heading in {"what", "verdict"} else "right")
    for line in lines:
        value = "" if line.value is None else f"{line.value:,.3g}"
        table.add_row(line.what, value, f"{line.must:g}", f"{line.goal:g}", line.verdict)
    console = Console()
    Console(width=max(console.width, TABLE_WIDTH)).print(table)
    return 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A target with what was measured."""

    what: str
    value: float | None
    must: float
    goal: float
    verdict: str


def judged(documents: Sequence[Document]) -> list[Judged]:
    """Judge every target by the first document that tells of it."""
    lines = []
    for target in TARGETS:
        found = (target.measure(document) for document in documents)
        value = next((each for each in found if each is not None), None)
        verdict = target.verdict(value)
        lines.append(Judged(target.what, value, target.must, target.goal, verdict))
    return lines


# --- series and figures ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """A closed loop on a ground, all else being usual."""

    concurrency: int = 64
    observers: int = 1
    in_flight: int = 0
    cpus: Cpus = "shared"


def series_of(document: Document, variant: str, load: Load) -> Series | None:
    """Give the series of a variant under a load, without time stamps."""
    usual = (variant, "closed", "ipc", 1, "0")
    for each in document.series:
        own = Load(each.concurrency or 0, each.observers, each.in_flight, each.cpus)
        rest = (each.variant, each.arrivals, each.transport, each.hosts, each.spawn_time)
        if own == load and rest == usual and each.runs[0].breakdown_us is None:
            return each
    return None


def middle(series: Series, figure: Figure) -> float:
    """Give a figure's median over the runs."""
    return median(map(figure, series.runs))


def ratio_of(
    figure: Figure, one: str, by: str, load: Load, by_load: Load | None = None
) -> Callable[[Document], float | None]:
    """Give what measures a figure of one variant by another's, or under another load."""

    def measure(document: Document) -> float | None:
        ours = series_of(document, one, load)
        theirs = series_of(document, by, by_load or load)
        if ours is None or theirs is None:
            return None
        return middle(ours, figure) / middle(theirs, figure)

    return measure


def power_alone(document: Document) -> float | None:
    """Measure `power` with one in flight by `process` and what two commits cost more."""
    power, process = (series_of(document, each, Load(1)) for each in ("power", "process"))
    if power is None or process is None:
        return None
    commit = document.environment.commit
    return middle(power, p50) / (middle(process, p50) + 2 * (commit.full_us - commit.normal_us))


def tail_at_half(document: Document) -> float | None:
    """Measure p99 by p50 at half of the knee of `process`, by the floor's at the same rate."""
    tails = dict[str, float]()
    for knee in document.knees:
        for each in document.series:
            if knee.variant == "process" and knee.rate and each.offered_rate == knee.rate / 2:
                tails[each.variant] = middle(each, lambda run: p99(run) / p50(run))
    if tails.keys() != {"process", "floor"}:
        return None
    return tails["process"] / tails["floor"]


def memory_of_a_saga(document: Document) -> float | None:
    """Measure the launcher's resident memory for each saga in flight, in bytes."""
    few, many = (series_of(document, "process", Load(in_flight=each)) for each in (FEW, MANY))
    if few is None or many is None:
        return None

    def launcher(run: Run) -> float:
        return run.rss_bytes["launcher"]

    return (middle(many, launcher) - middle(few, launcher)) / (MANY - FEW)


def _targets() -> Iterator[Target]:
    grounds: tuple[tuple[Cpus, str], ...] = (
        ("shared", ""),
        ("apart", ", launcher on a CPU of its own"),
    )
    for cpus, where in grounds:
        at_64 = ratio_of(rate, "process", "floor", Load(cpus=cpus))
        yield Target(f"64 in flight: rate by the floor's{where}", 0.4, 0.7, at_64)
    actors = (("thread-per-saga", 4.0, 8.0), ("xoscar", 2.0, 4.0), ("thespian", 20.0, 40.0))
    for other, must, goal in actors:
        measure = ratio_of(rate, "process", other, Load())
        yield Target(f"64 in flight: rate by that of {other}", must, goal, measure)
    measure = ratio_of(rate, "process", "process", Load(512), Load(64))
    yield Target("512 in flight: rate by that at 64", 0.9, 1.0, measure)
    for cpus, where in grounds:
        at_1 = ratio_of(p50, "process", "floor", Load(1, cpus=cpus))
        yield Target(f"1 in flight: p50 by the floor's{where}", 2.3, 1.6, at_1, at_most=True)
    what = "1 in flight: p50 of power by process and two commits' difference"
    yield Target(what, 1.3, 1.1, power_alone, at_most=True)
    what = "half of the knee: p99 / p50 by the floor's at that rate"
    yield Target(what, 2.0, 1.2, tail_at_half, at_most=True)
    for log, must, goal in (("process", 0.75, 0.9), ("power", 0.5, 0.75)):
        measure = ratio_of(rate, log, "memory", Load())
        yield Target(f"64 in flight: rate of {log} by memory's", must, goal, measure)
    full, empty = Load(in_flight=MANY), Load(in_flight=FEW)
    measure = ratio_of(rate, "process", "process", full, empty)
    yield Target("100,000 sagas open: rate by that with 10", 0.75, 0.9, measure)
    measure = ratio_of(p50, "process", "process", full, empty)
    yield Target("100,000 sagas open: p50 by that with 10", 1.25, 1.1, measure, at_most=True)
    yield Target("bytes of the launcher a saga open", 6000, 3000, memory_of_a_saga, at_most=True)
    measure = ratio_of(rate, "process", "process", Load(observers=64), Load())
    yield Target("64 observers: rate by that with one", 0.4, 0.7, measure)
    for other in ("dbos", "dbos-wal"):
        measure = ratio_of(rate, "process", other, Load(16))
        yield Target(f"16 in flight: rate by that of {other}", 20, 60, measure)


TARGETS = tuple(_targets())
"""What is wanted, in the order of `docs/performance.md`."""
