import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace

from bench.__main__ import main
from bench.latencies import histogram_of
from bench.plot import plots
from bench.plotting.percentile_spectrum import spectrum
from bench.plotting.style import COLOURS, colours_of
from bench.plotting.time_series import median_run, rates_of
from bench.result import Document, Knee, Moment, Series, write_document
from bench.scenario import ClosedArrivals, Ground, OpenArrivals, Scenario, Variant
from tests.bench_documents import document_of, run_at

REPOSITORY = Path(__file__).parent.parent
MOMENTS = [
    Moment(at_s=at / 2, completed=completed, p50_us=900, p99_us=2_500)
    for at, completed in enumerate((20, 0, 40))
]


def closed(variant: Variant, rates: list[float], ground: Ground | None = None) -> Series:
    runs = [replace(run_at(rate), time_series=MOMENTS, seconds=1.5) for rate in rates]
    return Scenario(variant, ClosedArrivals(8, 100), ground or Ground()).series(runs)


def offered(variant: Variant, rate: float, runs: int) -> Series:
    scenario = Scenario(variant, OpenArrivals("poisson", rate, 1, 1))
    return scenario.series([run_at(20 * rate)] * runs, f" of {runs}")


def swept() -> Document:
    series = [
        *(offered(Variant.FLOOR, rate, 1) for rate in (500, 250, 1000)),
        *(offered(Variant.PROCESS, rate, 1) for rate in (250, 500)),
        offered(Variant.PROCESS, 300, 3),
    ]
    knee = Knee(
        load="process, poisson", variant="process", arrivals="poisson", rate=500, reason="any"
    )
    return replace(document_of(*series), knees=[knee])


def lines(figure: Figure, axes: int = 0) -> dict[str, list[tuple[float, float]]]:
    """Give the drawn lines by label; those without one by their number."""
    found = {}
    for line in figure.axes[axes].lines:
        xs: Any = line.get_xdata()
        ys: Any = line.get_ydata()
        found[str(line.get_label())] = list(zip(map(float, xs), map(float, ys), strict=True))
    return found


def test_a_load_has_a_spectrum_and_a_run_over_time_with_all_its_variants() -> None:
    document = document_of(
        closed(Variant.FLOOR, [2000]),
        closed(Variant.PROCESS, [1000]),
        closed(Variant.PROCESS, [900], Ground(transport="curve", hosts=2)),
    )
    drawn = dict(plots(document))
    assert list(drawn) == [
        "percentiles-8-in-flight",
        "over-time-8-in-flight",
        "percentiles-8-in-flight-curve-2-hosts",
        "over-time-8-in-flight-curve-2-hosts",
    ]
    spectra = drawn["percentiles-8-in-flight"]
    assert lines(spectra).keys() == {"floor", "process"}
    assert spectra.axes[0].get_title(loc="left") == "closed loop, 8 in flight"
    assert spectra.axes[0].get_xscale() == "log"


def test_a_spectrum_goes_from_the_shortest_latency_to_the_longest() -> None:
    ones, latencies = spectrum(histogram_of(range(1_000_000, 101_000_000, 100_000)))
    assert (ones[0], ones[-1]) == (1, 1000)
    assert (latencies[0], latencies[-1]) == pytest.approx((1, 100.9), rel=1e-3)
    at = dict(zip((round(one, 6) for one in ones), latencies, strict=True))
    assert at[10] == pytest.approx(90.9, rel=2e-3)
    assert at[100] == pytest.approx(99.9, rel=2e-3)
    assert latencies == sorted(latencies)


def test_a_sweep_is_drawn_by_rate_with_its_knee_and_without_what_was_measured_beside_it() -> None:
    drawn = dict(plots(swept()))
    assert list(drawn) == ["percentiles-poisson-300-s", "latency-by-rate-poisson"]
    by_rate = lines(drawn["latency-by-rate-poisson"])
    assert [rate for rate, _ in by_rate["floor"]] == [250, 500, 1000]
    assert by_rate["floor"][0][1] == pytest.approx(1000 / (20 * 250), rel=1e-3)
    assert [rate for rate, _ in by_rate["process"]] == [250, 500]
    knees = [points for points in by_rate.values() if points and points[0][0] == points[-1][0]]
    assert [points[0][0] for points in knees] == [500]


def test_a_run_over_time_shows_completions_a_second_to_its_end() -> None:
    series = closed(Variant.PROCESS, [1000, 3000, 2000, 500])
    run = median_run(series)
    assert run.rate == 1000
    assert rates_of(run) == ([0, 0.5, 1.0, 1.5], [40, 0, 80, 80])
    drawn = dict(plots(document_of(series)))["over-time-8-in-flight"]
    assert lines(drawn)["process"] == [(0, 40), (0.5, 0), (1, 80), (1.5, 80)]
    p50, p99 = list(lines(drawn, axes=1).values())[:2]
    assert p50 == [(0, 0.9), (1, 0.9)]
    assert p99 == [(0, 2.5), (1, 2.5)]


def test_every_variant_has_a_colour_of_its_own() -> None:
    colours = colours_of(["dbos", "process", "xoscar", "floor", "dbos"])
    assert list(colours) == ["dbos", "process", "xoscar", "floor"]
    assert len(set(colours.values())) == 4
    assert colours["process"] == COLOURS["process"]


def test_the_same_result_gives_the_same_files_in_any_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    document = document_of(closed(Variant.FLOOR, [2000]), closed(Variant.PROCESS, [1000]))
    write_document(result, document)
    here, there = tmp_path / "here", tmp_path / "there"
    assert main(["plot", str(result), "--directory", str(here)]) == 0
    command = [sys.executable, "-m", "bench", "plot", str(result), "--directory", str(there)]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=50, stdout=subprocess.DEVNULL)
    names = sorted(file.name for file in here.iterdir())
    assert names == [
        f"{plot}-8-in-flight.{ending}"
        for plot in ("over-time", "percentiles")
        for ending in ("png", "svg")
    ]
    assert capsys.readouterr().out.split() == [
        str(here / f"{plot}-8-in-flight.{ending}")
        for plot in ("percentiles", "over-time")
        for ending in ("svg", "png")
    ]
    for name in names:
        content = (here / name).read_bytes()
        assert content == (there / name).read_bytes()
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
        assert b"<dc:date>" not in content


def test_a_result_without_anything_to_draw_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    write_document(result, document_of(offered(Variant.PROCESS, 250, 1)))
    assert main(["plot", str(result), "--directory", str(tmp_path / "plots")]) == 1
    assert "result.json has no series to draw" in capsys.readouterr().err


def test_a_directory_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    write_document(result, document_of(closed(Variant.FLOOR, [2000])))
    assert main(["plot", str(result), "--directory", str(result / "plots"), "--formats=svg"]) == 1
    assert "give another '--directory'" in capsys.readouterr().err


@pytest.mark.parametrize("formats", ["gif", "svg,svg", ""])
def test_a_wrong_format_is_refused_by_name(
    formats: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["plot", "result.json", "--formats", formats])
    assert "once at most" in capsys.readouterr().err
