from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from bench.__main__ import main
from bench.floor_frames import (
    EVENTS,
    LOGICAL_MESSAGES,
    SIZES,
    TRIGGER,
    Kind,
    frame_of,
    read_frame,
)
from bench.report import compared, loads, print_document, rate, ratio
from bench.result import Document, Knee, Series
from bench.scenario import Ground, Variant
from bench.spread import Spread
from tests.bench_documents import document_of, run_at, series_at

FLOOR = series_at(Variant.FLOOR, [1000, 4000, 2000])
MEMORY = series_at(Variant.MEMORY, [500, 1000, 1000])
PROCESS = series_at(Variant.PROCESS, [400])
CURVE_FLOOR = series_at(Variant.FLOOR, [900], Ground("curve"))
CURVE = series_at(Variant.PROCESS, [300], Ground("curve", in_flight=10))


def printed(document: Document) -> str:
    text = StringIO()
    print_document(Console(file=text, width=200), document)
    return text.getvalue()


def names(pairs: list[tuple[Series, Series]]) -> list[tuple[str, str]]:
    return [(one.name.rpartition(", ")[0], by.name.rpartition(", ")[0]) for one, by in pairs]


def test_a_spread_is_the_median_between_the_least_and_the_most() -> None:
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert Spread.of([5]) == Spread(5, 5, 5)


def test_the_ratio_is_that_of_the_medians_with_the_spread_over_the_pairs() -> None:
    assert ratio(MEMORY, FLOOR, rate) == Spread(0.5, 0.25, 0.5)


def test_everything_is_compared_with_the_floor_memory_and_itself_on_its_ground() -> None:
    group = [FLOOR, MEMORY, PROCESS, CURVE_FLOOR, CURVE]
    assert names(list(compared(group))) == [
        ("memory", "floor"),
        ("process", "floor"),
        ("process", "memory"),
        ("floor, curve", "floor"),
        ("process, curve, 10 sagas open", "floor, curve"),
        ("process, curve, 10 sagas open", "process"),
    ]


def test_series_of_different_loads_are_not_compared() -> None:
    other = replace(MEMORY, concurrency=64, name="memory, 64 in flight")
    swept = replace(MEMORY, name="memory, 8 in flight (again)")
    assert loads([FLOOR, other, MEMORY, swept]) == [[FLOOR, MEMORY], [other], [swept]]


def test_the_tables_show_figures_ratios_and_what_processes_used() -> None:
    text = printed(document_of(FLOOR, MEMORY))
    assert "2,000 [1,000..4,000]" in text
    assert "memory / floor" in text
    assert "0.500 [0.250..0.500]" in text
    assert "memory, 8 in flight: launcher 50 % 500 us 34 MB" in text
    assert "commit 10 us NORMAL, 1,000 us FULL" in text


def test_the_tables_show_the_memory_of_a_saga_in_flight() -> None:
    few = series_at(Variant.PROCESS, [400], Ground(in_flight=10))
    many = series_at(Variant.PROCESS, [400], Ground(in_flight=1010))
    many.runs[0] = run_at(400, launcher_bytes=2**25 + 3_000_000)
    assert "3,000 bytes of the launcher's memory for each saga" in printed(document_of(few, many))


def test_the_tables_show_a_breakdown_and_the_knee() -> None:
    run = replace(run_at(1000), breakdown_us={"wire": 600.0, "commit": 400.0})
    knee = Knee(load="process, poisson", variant="process", arrivals="poisson", rate=1, reason="x")
    document = replace(document_of(replace(PROCESS, runs=[run])), knees=[knee])
    text = printed(document)
    assert "of 1,000 us (mean): wire 600, commit 400" in text
    assert "process, poisson: knee at 1 promotes/s: x" in text


def test_the_floor_sends_the_eleven_logical_messages_of_a_promote() -> None:
    assert len(LOGICAL_MESSAGES) == len(set(LOGICAL_MESSAGES)) == 11
    assert set(LOGICAL_MESSAGES) | set(TRIGGER) | {Kind.HELLO, Kind.BEACON} == set(Kind)
    assert len(EVENTS) == 6
    assert set(EVENTS) < set(LOGICAL_MESSAGES)


@pytest.mark.parametrize("kind", Kind)
def test_a_floor_frame_has_its_size_and_carries_number_and_time(kind: Kind) -> None:
    frame = frame_of(kind, 2**40, 2**60)
    assert len(frame) == SIZES[kind]
    assert read_frame(frame) == (kind, 2**40, 2**60)


@pytest.mark.parametrize(
    "options",
    [
        ["--concurrency", "0"],
        ["--concurrency", "1,x"],
        ["--repeats", "-1"],
        ["--run-seconds", "0"],
        ["--variants", "memory,disk"],
        ["--variants", "memory,memory"],
        ["--transport", "udp"],
        ["--hosts", "5"],
        ["--observers", "65"],
        ["--in-flight", "100001"],
        ["--spawn-time", "soon"],
        ["--arrivals", "constant", "--rates", "0"],
    ],
)
def test_a_wrong_option_is_refused_with_its_value(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["promotes", *options])
    assert exit_info.value.code == 2
    assert options[-2] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rates", "100"], "--rates is for --arrivals constant or poisson"),
        (["--sweep"], "--sweep is for --arrivals constant or poisson"),
        (["--breakdown", "--in-flight", "9"], "--breakdown is without --in-flight"),
        (["--arrivals", "poisson"], "--arrivals poisson needs --rates or --sweep"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["promotes", *options]) == 2
    assert complaint in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["promotes", "--output", "/nowhere/result.json"]) == 1
    assert "/nowhere/result.json cannot be written" in capsys.readouterr().err
