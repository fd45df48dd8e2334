"""What is wanted is measured from the right series, and judged by the right bound."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.__main__ import main
from bench.result import Document, Knee, Series, write_document
from bench.scenario import ClosedArrivals, Ground, OpenArrivals, Scenario, Variant
from bench.targets import TARGETS, Target, judged
from tests.bench_documents import document_of, run_at, series_at


def at(variant: str, concurrency: int, rate: float, ground: Ground | None = None) -> Series:
    """Give a series of a closed loop with three runs about a rate."""
    scenario = Scenario(Variant.PROCESS, ClosedArrivals(concurrency, 100), ground or Ground())
    series = scenario.series([run_at(each * rate) for each in (0.9, 1.0, 1.2)])
    return replace(series, name=f"{variant}, {scenario.name}", variant=variant)


def values(*documents: Document) -> dict[str, float]:
    return {line.what: line.value for line in judged(documents) if line.value is not None}


def test_ratios_are_of_medians_under_the_load_that_is_meant() -> None:
    found = values(
        document_of(
            at("floor", 64, 4000),
            at("process", 64, 2000),
            at("memory", 64, 2500),
            at("process", 512, 1000),
            at("process", 1, 500),
            at("floor", 1, 1000),
            at("process", 64, 1500, Ground(observers=64)),
            at("process", 64, 100, Ground(transport="tcp")),
        )
    )
    assert found == pytest.approx(
        {
            "64 in flight: rate by the floor's": 0.5,
            "512 in flight: rate by that at 64": 0.5,
            "1 in flight: p50 by the floor's": 2.0,
            "64 in flight: rate of process by memory's": 0.8,
            "64 observers: rate by that with one": 0.75,
        },
        rel=0.02,
    )


def test_a_ratio_is_within_one_document() -> None:
    assert values(document_of(at("floor", 64, 4000)), document_of(at("process", 64, 2000))) == {}


def test_commits_that_survive_a_power_cut_are_measured_by_what_two_of_them_cost() -> None:
    found = values(document_of(at("process", 1, 1000), at("power", 1, 250)))
    assert found["1 in flight: p50 of power by process and two commits' difference"] == (
        pytest.approx(4000 / (1000 + 2 * 990), rel=0.02)
    )


def test_memory_is_what_the_sagas_in_flight_added() -> None:
    few = at("process", 64, 1000, Ground(in_flight=10))
    many = replace(
        at("process", 64, 900, Ground(in_flight=100_000)),
        runs=[run_at(900, launcher_bytes=2**25 + 99_990 * 2000)],
    )
    found = values(document_of(few, many))
    assert found["bytes of the launcher a saga open"] == pytest.approx(2000)
    assert found["100,000 sagas open: rate by that with 10"] == pytest.approx(0.9)


def test_the_tail_is_compared_at_half_of_the_knee() -> None:
    arrivals = OpenArrivals("poisson", 500.0, 1.0, 1)
    both = [
        Scenario(variant, arrivals).series([run_at(1000)], " (half of the knee of process)")
        for variant in (Variant.FLOOR, Variant.PROCESS)
    ]
    knee = Knee(load="", variant="process", arrivals="poisson", rate=1000.0, reason="")
    document = replace(document_of(*both), knees=[knee])
    assert values(document)["half of the knee: p99 / p50 by the floor's at that rate"] == 1.0
    assert values(document_of(*both)) == {}


@pytest.mark.parametrize(
    ("at_most", "value", "verdict"),
    [
        (False, 0.7, "goal"),
        (False, 0.4, "must"),
        (False, 0.39, "missed"),
        (True, 0.4, "goal"),
        (True, 0.7, "must"),
        (True, 0.71, "missed"),
        (True, None, "not measured"),
    ],
)
def test_a_verdict(*, at_most: bool, value: float | None, verdict: str) -> None:
    must, goal = (0.7, 0.4) if at_most else (0.4, 0.7)
    target = Target("it", must, goal, lambda _: value, at_most=at_most)
    assert target.verdict(value) == verdict


def test_the_command_shows_every_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    write_document(path, document_of(series_at(Variant.PROCESS, [10])))
    assert main(["targets", str(path)]) == 0
    assert capsys.readouterr().out.count("not measured") == len(TARGETS)
    assert main(["targets", str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["targets"]) == len(TARGETS)


def test_a_file_that_is_no_result_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "/nowhere.json"]) == 1
    assert "/nowhere.json cannot be read" in capsys.readouterr().err
