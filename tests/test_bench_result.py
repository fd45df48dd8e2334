import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.latencies import decoded, encoded, histogram_of, latency_of, merged, time_series
from bench.result import (
    Document,
    ResultError,
    check_writable,
    read_document,
    write_document,
)
from bench.scenario import Variant
from tests.bench_documents import document_of, series_at

MICROSECOND = 1_000
LATENCIES = [number * MICROSECOND for number in range(1, 1001)]


def document(*names: str) -> Document:
    series = series_at(Variant.PROCESS, [500, 1000])
    return document_of(*(replace(series, name=name) for name in names))


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_document(file, document("one", "two"))
    assert read_document(file) == document("one", "two")
    assert json.loads(file.read_bytes())["schema"] == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{", "no document of a benchmark"),
        (b"\xff", "no document of a benchmark"),
        (b"[]", "no document of a benchmark"),
        (b'{"benchmark": "promotes", "schema": 2}', "schema 2.*measure again"),
        (b'{"benchmark": "promotes", "schema": 3}', "no document of a benchmark"),
    ],
)
def test_another_file_is_refused_by_name(text: bytes, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_bytes(text)
    with pytest.raises(ResultError, match=rf"other\.json.*{complaint}"):
        read_document(file)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"missing\.json cannot be read"):
        read_document(tmp_path / "missing.json")
    with pytest.raises(ResultError, match=r"result\.json cannot be written"):
        write_document(tmp_path / "no" / "result.json", document("one"))


def test_a_document_with_two_series_of_one_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    write_document(file, document("one", "one"))
    with pytest.raises(ResultError, match="two series of the name 'one'"):
        read_document(file)


def test_the_figures_of_latencies_are_right_to_three_digits() -> None:
    figures = latency_of(histogram_of(LATENCIES))
    assert figures.p50 == pytest.approx(500, rel=1e-3)
    assert figures.p90 == pytest.approx(900, rel=1e-3)
    assert figures.p99 == pytest.approx(990, rel=1e-3)
    assert figures.p99_9 == pytest.approx(999, rel=1e-3)
    assert figures.max == pytest.approx(1000, rel=1e-3)
    assert figures.mean == pytest.approx(500.5, rel=1e-3)


def test_the_histograms_of_several_runs_are_merged_without_loss() -> None:
    halves = [encoded(histogram_of(LATENCIES[:500])), encoded(histogram_of(LATENCIES[500:]))]
    assert latency_of(merged(halves)) == latency_of(histogram_of(LATENCIES))
    assert decoded(halves[0]).get_total_count() == 500


def test_a_time_series_counts_every_completion_once_in_its_stretch() -> None:
    completions = [(100, 5_000), (100, 7_000), (1_000_000_050, 9_000), (2_000_000_100, 1_000)]
    series = time_series(completions, 100, 2.0, 4)
    assert [each.completed for each in series] == [2, 1, 0, 1]
    assert [each.at_s for each in series] == [0, 0.5, 1.0, 1.5]
    assert series[1].p50_us == series[1].p99_us == pytest.approx(9, rel=1e-3)
    assert series[2].p50_us == 0


def test_looking_whether_a_file_can_be_written_changes_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("old")
    for file in (old, new):
        check_writable(file)
    assert old.read_text() == "old"
    assert not new.exists()
    with pytest.raises(ResultError, match="cannot be written"):
        check_writable(tmp_path)
