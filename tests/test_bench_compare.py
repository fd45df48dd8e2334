import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bench.__main__ import main
from bench.comparison import ComparedFigure, Outcome, compare
from bench.result import (
    Document,
    Environment,
    Latency,
    Run,
    Series,
    read_document,
    write_document,
)
from tests.bench_documents import ENVIRONMENT

STEADY = (1000.0, 1001, 1002, 1003, 1004)


def run(rate: float) -> Run:
    """Give a run whose latencies are what a closed loop of one gives at that rate."""
    us = 1e6 / rate
    latency = Latency(p50=us, p90=us, p99=2 * us, p99_9=us, max=us, mean=us)
    return Run(rate=rate, promotes=10, seconds=1, latency_us=latency, histogram="")


def series(name: str, rates: tuple[float, ...], *, concurrency: int = 64) -> Series:
    variant = name.partition(",")[0]
    runs = [run(rate) for rate in rates]
    return Series(name=name, variant=variant, arrivals="closed", concurrency=concurrency, runs=runs)


def document(*several: Series, environment: Environment = ENVIRONMENT) -> Document:
    return Document(benchmark="promotes", environment=environment, series=list(several))


def scaled(by: float) -> tuple[float, ...]:
    return tuple(rate * by for rate in STEADY)


def outcomes(before: Document, after: Document) -> dict[str, dict[str, Outcome]]:
    return {
        each.name: {figure.name: figure.outcome for figure in each.figures}
        for each in compare(before, after).series
    }


def test_a_higher_rate_and_lower_latencies_are_better() -> None:
    before, after = document(series("process", STEADY)), document(series("process", scaled(1.1)))
    assert outcomes(before, after) == {
        "process": {"rate": Outcome.BETTER, "p50": Outcome.BETTER, "p99": Outcome.BETTER}
    }
    assert outcomes(after, before) == {
        "process": {"rate": Outcome.WORSE, "p50": Outcome.WORSE, "p99": Outcome.WORSE}
    }


def test_the_figures_are_the_runs_own() -> None:
    before, after = document(series("process", STEADY)), document(series("process", scaled(2)))
    rate, p50, p99 = compare(before, after).series[0].figures
    assert (rate.change.before.median, rate.change.after.median) == (1002, 2004)
    assert rate.change.share == pytest.approx(1.0)
    assert p50.change.before.median == pytest.approx(1e6 / 1002)
    assert p99.change.before.median == pytest.approx(2e6 / 1002)


def test_a_slower_machine_is_not_worse_against_its_floor() -> None:
    before = document(series("floor", scaled(2)), series("process", STEADY))
    after = document(series("floor", scaled(1)), series("process", scaled(0.5)))
    found = outcomes(before, after)
    assert found["floor"]["rate"] is Outcome.WORSE
    assert found["process"]["rate"] is Outcome.WORSE
    assert [found["process"][f"{each}/floor"] for each in ("rate", "p50", "p99")] == [
        Outcome.NOISE
    ] * 3


def test_a_quotient_is_by_the_floors_run_of_the_same_round() -> None:
    before = document(series("floor", (1000, 2000)), series("process", (500, 500)))
    figures = {each.name: each for each in compare(before, before).series[1].figures}
    quotient: ComparedFigure = figures["rate/floor"]
    assert (quotient.change.before.least, quotient.change.before.most) == (0.25, 0.5)
    assert quotient.outcome is Outcome.UNKNOWN


def test_series_are_paired_by_what_they_measure_and_not_by_their_names() -> None:
    before = document(series("process", STEADY), series("process, 8", STEADY, concurrency=8))
    after = document(
        series("process, renamed", STEADY),
        replace(series("process, tcp", STEADY), transport="tcp"),
    )
    comparison = compare(before, after)
    assert [each.name for each in comparison.series] == ["process, renamed"]
    assert comparison.only_before == ["process, 8"]
    assert comparison.only_after == ["process, tcp"]


@pytest.mark.parametrize(
    "other",
    [
        {"arrivals": "constant", "concurrency": None, "offered_rate": 64.0},
        {"transport": "tcp"},
        {"hosts": 2},
        {"observers": 2},
        {"in_flight": 10},
        {"spawn_time": "1ms"},
        {"cpus": "apart"},
        {"variant": "power"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_series_of_another_load_or_variant_is_no_pair(other: dict[str, Any]) -> None:
    one = series("process", STEADY)
    assert compare(document(one), document(replace(one, **other))).series == []


def test_a_series_with_time_stamps_is_no_pair_of_one_without() -> None:
    plain = series("process", STEADY)
    stamped = replace(plain, runs=[replace(each, breakdown_us={"log": 1}) for each in plain.runs])
    assert compare(document(plain), document(stamped)).series == []


def test_series_that_are_alike_in_all_are_paired_in_their_order() -> None:
    twins = document(series("process, one", STEADY), series("process, two", scaled(2)))
    comparison = compare(twins, twins)
    assert [each.name for each in comparison.series] == ["process, one", "process, two"]
    assert all(figure.change.share == 0 for each in comparison.series for figure in each.figures)


def test_environments_that_differ_are_told_with_both_values() -> None:
    other = replace(ENVIRONMENT, cores=4, libraries={"pykka": "4.4", "pyzmq": "27"}, revision="def")
    comparison = compare(document(), document(environment=other))
    assert comparison.differences == [
        "cores: 2 before, 4 after",
        "pykka: 4 before, 4.4 after",
        "pyzmq: none before, 27 after",
    ]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Give the files of a result and of a slower one, from another kernel."""
    slower = replace(ENVIRONMENT, kernel="6.2", calibration_before=0.5, calibration_after=0.5)
    before = document(series("process [64]", STEADY), series("gone", STEADY, concurrency=1))
    before = replace(before, series=[replace(each, variant="process") for each in before.series])
    after = document(series("process [64]", scaled(0.8)), environment=slower)
    after = replace(after, series=[replace(each, variant="process") for each in after.series])
    names = [tmp_path / "before.json", tmp_path / "after.json"]
    for name, each in zip(names, (before, after), strict=True):
        write_document(name, each)
        assert read_document(name) == each
    return list(map(str, names))


def test_the_command_says_what_changed_and_what_else_did(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files]) == 0
    shown = capsys.readouterr().out
    for told in (
        "process [64]",
        "1,002 /s [1,000..1,004]",
        "-20.0%",
        "worse",
        "warning: the environments differ in kernel: 6 before, 6.2 after",
        "the fixed loop ran 0.50 times as fast",
        "3 figures: 0 better, 3 worse",
        "only before: gone",
    ):
        assert told in shown


def test_the_exit_status_tells_of_a_regression_where_that_is_asked_for(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--fail-on-regression"]) == 1
    assert main(["compare", *reversed(files), "--fail-on-regression"]) == 0
    assert "better" in capsys.readouterr().out


def test_the_json_has_every_figure(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["after"]["kernel"] == "6.2"
    assert told["only_before"] == ["gone"]
    (only,) = told["series"]
    assert [each["name"] for each in only["figures"]] == ["rate", "p50", "p99"]
    rate = only["figures"][0]
    assert rate["outcome"] == "worse"
    assert rate["change"]["share"] == pytest.approx(-0.2)


def test_a_file_that_is_no_result_is_refused_by_name(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    assert main(["compare", files[0], str(other)]) == 1
    assert "other.json is no document of a benchmark" in capsys.readouterr().err
