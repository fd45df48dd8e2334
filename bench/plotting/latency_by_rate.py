"""Latency against offered rate: how an open loop's latency grows up to the knee."""

from collections.abc import Mapping, Sequence
from statistics import median_low

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.plotting.style import INK, RULES, SIZE, colours_of, milliseconds_axis
from bench.result import Knee, Series

Sweep = Sequence[tuple[float, Series]]
"""Offered rates, rising, each with its series."""


def latency_by_rate(sweeps: Mapping[str, Sweep], knees: Mapping[str, Knee], title: str) -> Figure:
    """Give the plot of some variants' sweeps: p50 solid, p99 dashed, the knee dotted."""
    with mpl.rc_context(RULES):
        figure = Figure(figsize=SIZE)
        axes = figure.add_subplot()
        colours = colours_of(sweeps)
        for variant, sweep in sweeps.items():
            rates = [rate for rate, _ in sweep]
            for percentile, line in (("p50", "-"), ("p99", "--")):
                latencies = [_milliseconds(series, percentile) for _, series in sweep]
                label = variant if percentile == "p50" else None
                axes.plot(rates, latencies, line, color=colours[variant], marker=".", label=label)
            knee = knees.get(variant)
            if knee is not None and knee.rate is not None:
                axes.axvline(knee.rate, color=colours[variant], linewidth=0.9, linestyle=":")
        axes.plot([], [], "-", color=INK, label="p50")
        axes.plot([], [], "--", color=INK, label="p99")
        axes.plot([], [], ":", color=INK, linewidth=0.9, label="knee")
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:,.0f}"))
        axes.set_xlabel("offered promotes a second")
        milliseconds_axis(axes, "latency from the intended start, ms")
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _milliseconds(series: Series, percentile: str) -> float:
    # A rate that was tried again met a busy machine the first time: the lower of two counts.
    latencies = [run.latency_us for run in series.runs]
    if percentile == "p50":
        return median_low(each.p50 for each in latencies) / 1000
    return median_low(each.p99 for each in latencies) / 1000
