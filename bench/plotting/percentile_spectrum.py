"""The percentile spectrum: the latency that each share of the promotes does not exceed.

The level axis is logarithmic in 1/(1-q), as HdrHistogram's own plots have it: each nine takes as
much room as the one before. <https://hdrhistogram.github.io/HdrHistogram/plotFiles.html>
"""

from collections.abc import Mapping

import matplotlib as mpl
from hdrh.histogram import HdrHistogram
from matplotlib.figure import Figure

from bench.latencies import merged
from bench.plotting.style import RULES, SIZE, colours_of, milliseconds_axis
from bench.result import Series

NINES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)

POINTS_A_NINE = 24
MILLISECOND = 1e6


def percentile_spectrum(by_variant: Mapping[str, Series], title: str) -> Figure:
    """Give the plot of some variants under one load; each of all its runs together."""
    with mpl.rc_context(RULES):
        figure = Figure(figsize=SIZE)
        axes = figure.add_subplot()
        colours = colours_of(by_variant)
        longest = 1.0
        for variant, series in by_variant.items():
            ones, latencies = spectrum(merged(run.histogram for run in series.runs))
            axes.plot(ones, latencies, color=colours[variant], label=variant)
            longest = max(longest, ones[-1])
        axes.set_xscale("log")
        axes.set_xlim(1, longest * 1.15)
        shown = [nine for nine in NINES if 1 / (1 - nine) <= longest * 1.15]
        axes.set_xticks([1 / (1 - nine) for nine in shown], [_percent(nine) for nine in shown])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("percentile")
        milliseconds_axis(axes)
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def spectrum(histogram: HdrHistogram) -> tuple[list[float], list[float]]:
    """Give 1/(1-q) for rising q, and the latency in milliseconds that q do not exceed.

    It ends where a single promote is left above q: beyond it there is nothing to know.
    """
    count = histogram.get_total_count()
    ones, latencies = [], []
    step = 10 ** (1 / POINTS_A_NINE)
    one = 1.0
    while one < count:
        ones.append(one)
        one *= step
    ones.append(float(count))
    for one in ones:
        percent = 100 * (1 - 1 / one)
        latencies.append(histogram.get_value_at_percentile(percent) / MILLISECOND)
    return ones, latencies


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"
