"""A document for people: medians with their spread, ratios, and what processes used."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.result import Document, Knee, Run, Series
from bench.scenario import Variant
from bench.spread import Spread

Figure = Callable[[Run], float]
"""One figure of a run."""

TABLE_WIDTH = 120
"""The tables need so many columns; a pipe or a narrow terminal gets them too."""

DURABLE = (Variant.PROCESS, Variant.POWER)


def rate(run: Run) -> float:
    """Give completed promotes a second."""
    return run.rate


def p50(run: Run) -> float:
    """Give the median latency in microseconds."""
    return run.latency_us.p50


def p99(run: Run) -> float:
    """Give the 99th percentile of the latency in microseconds."""
    return run.latency_us.p99


def longest(run: Run) -> float:
    """Give the longest latency in microseconds."""
    return run.latency_us.max


def spread(series: Series, figure: Figure) -> Spread:
    """Give a figure's spread over the runs of a series."""
    return Spread.of(figure(run) for run in series.runs)


def ratio(one: Series, by: Series, figure: Figure) -> Spread:
    """Give a figure of one series by another's: of the medians, and over runs in turn."""
    pairs = [figure(run) / figure(other) for run, other in zip(one.runs, by.runs, strict=False)]
    of_medians = median(map(figure, one.runs)) / median(map(figure, by.runs))
    return Spread(of_medians, min(pairs), max(pairs))


def compared(series: Sequence[Series]) -> Iterator[tuple[Series, Series]]:
    """Give what is compared with what, within one load.

    Everything is with the floor on the same ground, a log in a file with one in memory, and each
    variant with itself on the ground that was measured first.
    """
    for index, one in enumerate(series):
        if one.variant == Variant.FLOOR:
            others = []
        else:
            others = [each for each in series if each.variant == Variant.FLOOR]
            others = [each for each in others if _links(each) == _links(one)]
        if one.variant in DURABLE:
            others += [
                each
                for each in series
                if each.variant == Variant.MEMORY and _ground(each) == _ground(one)
            ]
        others += [each for each in series[:index] if each.variant == one.variant][:1]
        yield from ((one, other) for other in others)


def loads(series: Sequence[Series]) -> list[list[Series]]:
    """Give the series that had the same load together, in their order."""
    groups: dict[object, list[Series]] = {}
    for each in series:
        _, _, remark = each.name.partition(" (")
        key = (each.arrivals, each.concurrency, each.offered_rate, remark)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def print_document(console: Console, document: Document) -> None:
    """Print everything."""
    console = Console(file=console.file, width=max(console.width, TABLE_WIDTH))
    _print_environment(console, document)
    console.print(_table(document.series))
    _print_usage(console, document.series)
    _print_breakdowns(console, document.series)
    for knee in document.knees:
        console.print(_knee_line(knee), highlight=False)


def _links(series: Series) -> tuple[object, ...]:
    return series.transport, series.hosts, series.observers


def _ground(series: Series) -> tuple[object, ...]:
    return (*_links(series), series.in_flight, series.spawn_time)


def _print_environment(console: Console, document: Document) -> None:
    here = document.environment
    libraries = ", ".join(f"{name} {number}" for name, number in here.libraries.items())
    for line in (
        f"{here.cpu}, {here.cores} cores, Linux {here.kernel}, Python {here.python}, {libraries}",
        f"revision {here.revision}, {here.code}, began {here.began}",
        f"load {here.load_before[0]:.2f} before, {here.load_after[0]:.2f} after",
        f"calibration {_turned(here.calibration_before, here.calibration_after)} (rounds a second)",
        f"commit {here.commit.normal_us:,.0f} us NORMAL, {here.commit.full_us:,.0f} us FULL",
    ):
        console.print(line, highlight=False)


def _turned(before: float, after: float) -> str:
    return f"{before:,.0f} before, {after:,.0f} after"


def _table(series: Sequence[Series]) -> Table:
    table = Table(title="promotes; medians over the runs [least..most]")
    table.add_column("what")
    for heading in ("promotes/s", "p50 ms", "p99 ms", "longest ms"):
        table.add_column(heading, justify="right")
    for group in loads(series):
        for each in group:
            milliseconds = (_milliseconds(spread(each, figure)) for figure in (p50, p99, longest))
            table.add_row(each.name, _count(spread(each, rate)), *milliseconds)
        for one, by in compared(group):
            quotients = (_quotient(ratio(one, by, figure)) for figure in (rate, p50, p99))
            table.add_row(f"  {_without_load(one)} / {_without_load(by)}", *quotients)
        table.add_section()
    return table


def _without_load(series: Series) -> str:
    """Give the name without its last part, which tells of the load."""
    return series.name.partition(" (")[0].rpartition(", ")[0]


def _print_usage(console: Console, series: Sequence[Series]) -> None:
    console.print("CPU in percent of one core and for a promote, memory; medians", highlight=False)
    for each in series:
        names = [name for name in each.runs[0].cpu_s if all(name in run.cpu_s for run in each.runs)]
        used = [
            f"{name} {median(100 * run.cpu_s[name] / run.seconds for run in each.runs):.0f} % "
            f"{median(1e6 * run.cpu_s[name] / run.promotes for run in each.runs):.0f} us "
            f"{median(run.rss_bytes[name] / 1e6 for run in each.runs):.0f} MB"
            for name in names
        ]
        console.print(f"  {each.name}: {', '.join(used)}", highlight=False)
    for one, by in _memory_pairs(series):
        grown = _launcher_memory(one) - _launcher_memory(by)
        each_saga = grown / (one.in_flight - by.in_flight)
        console.print(
            f"  {one.name}: {each_saga:,.0f} bytes of the launcher's memory for each saga open "
            f"more than in {by.name}",
            highlight=False,
        )


def _memory_pairs(series: Sequence[Series]) -> Iterator[tuple[Series, Series]]:
    for group in loads(series):
        for index, one in enumerate(group):
            for by in group[:index]:
                same = (one.variant, *_links(one)) == (by.variant, *_links(by))
                if same and one.in_flight > by.in_flight:
                    yield one, by
                    break


def _launcher_memory(series: Series) -> float:
    return median(run.rss_bytes.get("launcher", 0) for run in series.runs)


def _print_breakdowns(console: Console, series: Sequence[Series]) -> None:
    for each in series:
        breakdowns = [run.breakdown_us for run in each.runs if run.breakdown_us]
        if not breakdowns:
            continue
        mean = median(run.latency_us.mean for run in each.runs)
        parts = ", ".join(
            f"{segment} {median(one[segment] for one in breakdowns):,.0f}"
            for segment in breakdowns[0]
        )
        console.print(f"{each.name}: of {mean:,.0f} us (mean): {parts}", highlight=False)


def _knee_line(knee: Knee) -> str:
    if knee.rate is None:
        return f"{knee.load}: no rate was served: {knee.reason}"
    return f"{knee.load}: knee at {knee.rate:,.0f} promotes/s: {knee.reason}"


def _count(values: Spread) -> str:
    return _text(values, ",.0f", 1)


def _milliseconds(values: Spread) -> str:
    return _text(values, ".2f", 1000)


def _quotient(values: Spread) -> str:
    return _text(values, ".3f", 1)


def _text(values: Spread, form: str, unit: float) -> str:
    least, middle, most = (
        format(value / unit, form) for value in (values.least, values.median, values.most)
    )
    return middle if least == most else f"{middle} [{least}..{most}]"
