"""Documents of benchmarks, made by hand."""

from collections.abc import Sequence

from bench.latencies import encoded, histogram_of, latency_of
from bench.result import CommitCost, Document, Environment, Run, Series
from bench.scenario import ClosedArrivals, Ground, Scenario, Variant

ENVIRONMENT = Environment(
    began="2026-01-01T00:00:00+00:00",
    cpu="any",
    cores=2,
    kernel="6",
    python="3",
    libraries={"pykka": "4"},
    revision="unknown",
    load_before=(0, 0, 0),
    load_after=(1, 0, 0),
    calibration_before=1,
    calibration_after=1,
    commit=CommitCost(normal_us=10, full_us=1000),
)


def run_at(rate: float, *, launcher_bytes: int = 2**25) -> Run:
    """Give a run of a hundred promotes, each of which took its turn alone."""
    histogram = histogram_of([round(1e9 / rate)] * 100)
    return Run(
        rate=rate,
        promotes=100,
        seconds=100 / rate,
        latency_us=latency_of(histogram),
        histogram=encoded(histogram),
        cpu_s={"launcher": 50 / rate},
        rss_bytes={"launcher": launcher_bytes},
    )


IPC = Ground()


def series_at(variant: Variant, rates: Sequence[float], ground: Ground = IPC) -> Series:
    """Give a series with eight in flight, a run for each rate."""
    scenario = Scenario(variant, ClosedArrivals(8, 100), ground)
    return scenario.series([run_at(rate) for rate in rates])


def document_of(*series: Series) -> Document:
    """Give a document of promotes."""
    return Document(benchmark="promotes", environment=ENVIRONMENT, series=list(series))
