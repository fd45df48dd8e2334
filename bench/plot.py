"""`python -m bench plot`: a result as SVG and PNG."""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from bench.load import Load, by_load
from bench.plotting.latency_by_rate import latency_by_rate
from bench.plotting.percentile_spectrum import percentile_spectrum
from bench.plotting.style import METADATA, save
from bench.plotting.time_series import time_series
from bench.result import Document, Knee, ResultError, Series, read_document

FEWEST_RATES = 2
"""A sweep of fewer is no line."""

FEWEST_RUNS = 3
"""An open loop's series of fewer runs is a point of a sweep, and has no plot of its own."""

EPILOG = """\
examples:
  python -m bench promotes --output result.json
  python -m bench plot result.json --directory plots
      every plot of the result, as SVG and as PNG
  python -m bench plot result.json --directory docs/plots --formats svg
      only SVG, for a page in the repository: the same result gives the same files, byte for byte

For every load, all variants together:
  percentiles-...    the percentile spectrum, all runs of a variant in one histogram; its axis is
                     logarithmic in 1/(1-q)
  over-time-...      what completed and the latencies over time, of the run whose rate is the median
and for every sweep of an open loop:
  latency-by-rate-... p50 and p99 against the offered rate; the dotted line is the knee
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Draw a result."
    parser.epilog = EPILOG
    add = parser.add_argument
    add("result", type=Path, metavar="RESULT.json", help="what is drawn")
    add(
        "--directory",
        type=Path,
        default=Path("plots"),
        metavar="DIR",
        help="where the files go; made if it is not there (default: plots)",
    )
    add(
        "--formats",
        type=_formats,
        default=list(METADATA),
        metavar="FORMATS",
        help="svg,png (default: both)",
    )


def execute(options: argparse.Namespace) -> int:
    """Draw a file's result; give the exit status.

    Raises:
        ResultError: the file cannot be used, has nothing to draw, or a plot cannot be written.
    """
    written = 0
    for name, figure in plots(read_document(options.result)):
        for file in save(figure, options.directory, name, options.formats):
            print(file)
            written += 1
    if not written:
        msg = f"{options.result} has no series to draw: measure something"
        raise ResultError(msg)
    return 0


def plots(document: Document) -> Iterator[tuple[str, Figure]]:
    """Give every plot of a document, each with its file's name without an ending."""
    by_variant_of: dict[Load, dict[str, Series]] = {}
    for (variant, load), series in by_load(document.series).items():
        by_variant_of.setdefault(load, {})[variant] = series
    for load, by_variant in by_variant_of.items():
        drawn = {
            variant: series
            for variant, series in by_variant.items()
            if load.offered_rate is None or len(series.runs) >= FEWEST_RUNS
        }
        if drawn:
            words = load.words()
            loop = "closed loop" if load.offered_rate is None else "open loop"
            title, name = ", ".join([loop, *words]), _name(words)
            yield f"percentiles-{name}", percentile_spectrum(drawn, title)
            if any(run.time_series for series in drawn.values() for run in series.runs):
                yield f"over-time-{name}", time_series(drawn, title)
    yield from _sweeps(document, by_variant_of)


def _sweeps(
    document: Document, by_variant_of: Mapping[Load, Mapping[str, Series]]
) -> Iterator[tuple[str, Figure]]:
    points: dict[Load, dict[str, list[tuple[float, Series]]]] = {}
    for load, by_variant in by_variant_of.items():
        if load.offered_rate is not None:
            whole = points.setdefault(load._replace(offered_rate=None, number=0), {})
            for variant, series in by_variant.items():
                whole.setdefault(variant, []).append((load.offered_rate, series))
    for load, points_of in points.items():
        sweeps = {variant: _swept(series) for variant, series in points_of.items()}
        sweeps = {variant: swept for variant, swept in sweeps.items() if len(swept) >= FEWEST_RATES}
        words = [load.arrivals, *load.ground()]
        if sweeps:
            title = f"open loop, {', '.join(words)}"
            figure = latency_by_rate(sweeps, _knees(document, load), title)
            yield f"latency-by-rate-{_name(words)}", figure


def _swept(points: list[tuple[float, Series]]) -> list[tuple[float, Series]]:
    """Give the points of a sweep by rate: what was measured more often than once is beside it."""
    few = [point for point in points if len(point[1].runs) < FEWEST_RUNS]
    return sorted(few if len(few) >= FEWEST_RATES else points, key=lambda point: point[0])


def _knees(document: Document, load: Load) -> dict[str, Knee]:
    """Give the knees under a load, by variant."""
    return {
        knee.variant: knee
        for knee in document.knees
        if knee.load == ", ".join([knee.variant, *load.ground(), load.arrivals])
    }


def _name(words: list[str]) -> str:
    return "-".join(re.sub(r"[^a-z0-9.]+", "-", each.lower().replace(",", "")) for each in words)


def _formats(text: str) -> list[str]:
    formats = text.split(",")
    for each in formats:
        if each not in METADATA or formats.count(each) > 1:
            msg = f"{each!r}: give each of {', '.join(METADATA)} once at most, with commas between"
            raise argparse.ArgumentTypeError(msg)
    return formats
