"""A run over time: what completed, and the latencies."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.plotting.style import (
    INK,
    RULES,
    TALL,
    colours_of,
    milliseconds_axis,
    thousands_axis,
)
from bench.result import Moment, Run, Series


def time_series(by_variant: Mapping[str, Series], title: str) -> Figure:
    """Give the plot of some variants under one load; of each the run whose rate is the median."""
    with mpl.rc_context(RULES):
        figure = Figure(figsize=TALL)
        above, below = figure.subplots(2, 1, sharex=True)
        colours = colours_of(by_variant)
        for variant, series in by_variant.items():
            run, colour = median_run(series), colours[variant]
            moments = [moment for moment in run.time_series if moment.completed]
            times = [moment.at_s for moment in moments]
            rates = rates_of(run)
            above.step(*rates, where="post", color=colour, label=variant)
            below.plot(times, [moment.p50_us / 1000 for moment in moments], color=colour)
            below.plot(times, [moment.p99_us / 1000 for moment in moments], "--", color=colour)
        below.plot([], [], "-", color=INK, label="p50")
        below.plot([], [], "--", color=INK, label="p99")
        thousands_axis(above, "completed a second")
        milliseconds_axis(below)
        below.set_xlabel("seconds of the measured part")
        below.set_xlim(left=0)
        above.set_title(title)
        figure.align_ylabels([above, below])
        above.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        below.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def median_run(series: Series) -> Run:
    """Give the run whose rate is the median; of an even number, the lower of the middle two."""
    by_rate = sorted(series.runs, key=lambda run: run.rate)
    return by_rate[(len(by_rate) - 1) // 2]


def rates_of(run: Run) -> tuple[list[float], list[float]]:
    """Give when each stretch begins, and its completions a second; the last one's twice.

    The last stretch is drawn up to the run's end.
    """
    moments: Sequence[Moment] = run.time_series
    begins = [*(moment.at_s for moment in moments), run.seconds]
    rates = [
        moment.completed / (end - moment.at_s)
        for moment, end in zip(moments, begins[1:], strict=True)
        if end > moment.at_s
    ]
    return begins[: len(rates) + 1], [*rates, *rates[-1:]]
