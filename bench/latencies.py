"""Latencies in HdrHistograms: three significant digits from a nanosecond to an hour.

<https://hdrhistogram.github.io/HdrHistogram/>
"""

from collections.abc import Iterable, Sequence

from hdrh.histogram import HdrHistogram

from bench.result import Latency, Moment

SECOND = 1_000_000_000
MICROSECOND = 1_000
LONGEST = 3600 * SECOND
SIGNIFICANT_DIGITS = 3


def histogram_of(latencies: Iterable[int]) -> HdrHistogram:
    """Give the histogram of latencies in nanoseconds; what is longer than an hour counts as one."""
    histogram = HdrHistogram(1, LONGEST, SIGNIFICANT_DIGITS)
    for latency in latencies:
        histogram.record_value(min(latency, LONGEST))
    return histogram


def encoded(histogram: HdrHistogram) -> str:
    """Give a histogram as a document holds it."""
    return str(histogram.encode().decode("ascii"))


def decoded(text: str) -> HdrHistogram:
    """Give the histogram that a document holds."""
    return HdrHistogram.decode(text)


def merged(texts: Iterable[str]) -> HdrHistogram:
    """Give one histogram of all runs of a series."""
    histogram = HdrHistogram(1, LONGEST, SIGNIFICANT_DIGITS)
    for text in texts:
        histogram.add(decoded(text))
    return histogram


def latency_of(histogram: HdrHistogram) -> Latency:
    """Give the figures of a histogram, in microseconds."""
    p50, p90, p99, p99_9 = (at_percentile(histogram, each) for each in (50, 90, 99, 99.9))
    return Latency(
        p50=p50,
        p90=p90,
        p99=p99,
        p99_9=p99_9,
        max=histogram.get_max_value() / MICROSECOND,
        mean=histogram.get_mean_value() / MICROSECOND,
    )


def at_percentile(histogram: HdrHistogram, percent: float) -> float:
    """Give the latency that so many percent do not exceed, in microseconds."""
    return float(histogram.get_value_at_percentile(percent)) / MICROSECOND


def time_series(
    completions: Sequence[tuple[int, int]], began: int, seconds: float, moments: int
) -> list[Moment]:
    """Cut the measured part into equal stretches.

    Args:
        completions: when each promote completed, and its latency, in nanoseconds.
        began: when the measured part began, on the same clock.
        seconds: how long it lasted.
        moments: how many stretches.
    """
    stretch = max(1, round(seconds * SECOND / moments))
    by_moment: list[list[int]] = [[] for _ in range(moments)]
    for at, latency in completions:
        by_moment[min(moments - 1, max(0, at - began) // stretch)].append(latency)
    return [
        _moment(index * stretch / SECOND, latencies) for index, latencies in enumerate(by_moment)
    ]


def _moment(at_s: float, latencies: Sequence[int]) -> Moment:
    if not latencies:
        return Moment(at_s=at_s, completed=0, p50_us=0, p99_us=0)
    histogram = histogram_of(latencies)
    return Moment(
        at_s=at_s,
        completed=len(latencies),
        p50_us=at_percentile(histogram, 50),
        p99_us=at_percentile(histogram, 99),
    )
