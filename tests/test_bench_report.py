import json
from io import StringIO

import pytest
from rich.console import Console

from bench.__main__ import main
from bench.closed_loop import Measured
from bench.driver import Variant
from bench.floor_frames import LOGICAL_MESSAGES, SIZES, TRIGGER, Kind, frame_of, read_frame
from bench.report import Comparison, as_document, print_table, rate
from bench.spread import Spread


def run_at(rate_of_run: float) -> Measured:
    return Measured(
        rate=rate_of_run, p50_us=1e6 / rate_of_run, p99_us=9, max_us=10, promotes=100, seconds=1
    )


COMPARISON = Comparison(
    concurrency=8,
    runs={
        Variant.FLOOR: [run_at(1000), run_at(4000), run_at(2000)],
        Variant.MEMORY: [run_at(500), run_at(1000), run_at(1000)],
    },
)


def test_a_spread_is_the_median_between_the_least_and_the_most() -> None:
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert Spread.of([5]) == Spread(5, 5, 5)


def test_the_ratio_is_that_of_the_medians_with_the_spread_over_the_pairs() -> None:
    assert COMPARISON.ratio(Variant.MEMORY, Variant.FLOOR, rate) == Spread(0.5, 0.25, 0.5)


def test_the_document_has_every_run_the_medians_and_the_ratios() -> None:
    document = json.loads(json.dumps(as_document(COMPARISON)))
    assert document.keys() == {"concurrency", "ratios", "variants"}
    (ratio,) = document["ratios"]
    assert (ratio["of"], ratio["by"]) == ("memory", "floor")
    assert ratio["rate"] == {"median": 0.5, "least": 0.25, "most": 0.5}
    assert document["variants"].keys() == {"floor", "memory"}
    floor = document["variants"]["floor"]
    assert floor["rate"] == {"median": 2000, "least": 1000, "most": 4000}
    assert [run["rate"] for run in floor["runs"]] == [1000, 4000, 2000]


def test_the_table_shows_both_variants_and_their_ratio() -> None:
    text = StringIO()
    print_table(Console(file=text, width=120), [COMPARISON])
    assert "2,000 [1,000..4,000]" in text.getvalue()
    assert "0.500 [0.250..0.500]" in text.getvalue()


def test_the_floor_sends_the_eleven_logical_messages_of_a_promote() -> None:
    assert len(LOGICAL_MESSAGES) == len(set(LOGICAL_MESSAGES)) == 11
    assert set(LOGICAL_MESSAGES) | set(TRIGGER) | {Kind.HELLO, Kind.BEACON} == set(Kind)


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
    ],
)
def test_a_wrong_option_is_refused_with_its_value(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["promotes", *options])
    assert exit_info.value.code == 2
    assert options[0] in capsys.readouterr().err
