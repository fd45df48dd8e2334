from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from actors.command_line.summary import RunResult, complaints, document, summary_lines
from transport.checker import Invariant, Violation
from transport.history import HistoryWriter, read_history
from transport.history_counts import Counts, PoolCount
from transport.history_lines import EventLine
from transport.merged_history import merge_histories

EPOCH = "0" * 32

SOUND = Counts(
    promotes=4,
    completed=4,
    failed=0,
    open=0,
    cold=0,
    cleanups=4,
    failed_sagas=0,
    unclosed=0,
    duplicate_terminals=0,
    terminals_without_start=0,
    strays=0,
    foreign_completions=0,
    repeated_respawns=0,
    version_gaps=0,
    divergences=0,
    pool={"host-2": PoolCount(2, 2), "host-1": PoolCount(2, 2)},
    latency_ms={"p50": 1.0, "p90": 2.0, "p99": 3.0, "max": 3.0},
)


WHOLE = RunResult(
    counts=SOUND,
    promotes=4,
    hosts=("host-1", "host-2"),
    allow_cold=False,
    refusals=[],
    pids={"host-1": 11, "host-2": 12, "launcher": 13},
    bad_ends=[],
    history=None,
)


def spoiled(**counts: object) -> RunResult:
    return replace(WHOLE, counts=msgspec.structs.replace(SOUND, **counts))


def test_a_sound_run_has_nothing_to_complain_of() -> None:
    assert complaints(WHOLE) == []


@pytest.mark.parametrize(
    "field",
    [
        "failed",
        "open",
        "cold",
        "unclosed",
        "duplicate_terminals",
        "terminals_without_start",
        "strays",
        "foreign_completions",
        "repeated_respawns",
        "version_gaps",
        "divergences",
    ],
)
def test_every_count_of_something_wrong_is_a_complaint(field: str) -> None:
    assert any(complaint.startswith("3 ") for complaint in complaints(spoiled(**{field: 3})))


def test_a_failed_saga_of_another_kind_is_a_complaint() -> None:
    assert complaints(spoiled(failed_sagas=1)) == ["1 other sagas failed"]


def test_cold_promotes_are_no_complaint_where_they_are_allowed() -> None:
    assert complaints(replace(spoiled(cold=2), allow_cold=True)) == []


def test_a_pool_below_its_target_is_a_complaint() -> None:
    short = {"host-1": PoolCount(2, 1), "host-2": PoolCount(2, 3)}
    assert complaints(spoiled(pool=short)) == ["the pool of host-1 was at 1, its target is 2"]


def test_a_host_that_never_registered_is_a_complaint() -> None:
    assert complaints(spoiled(pool={"host-1": PoolCount(2, 2)})) == ["host-2 never registered"]


def test_promotes_that_did_not_happen_are_a_complaint() -> None:
    assert complaints(spoiled(promotes=3, completed=3, cleanups=3)) == [
        "3 promotes happened, 4 were asked for"
    ]


def test_refusals_are_a_complaint_and_do_not_fill_the_screen() -> None:
    found = complaints(replace(WHOLE, refusals=[f"host-1: no {each}" for each in range(9)]))
    assert found[0] == "refused: host-1: no 0"
    assert found[-1] == "and 6 more refusals"
    assert len(found) == 4


def test_a_process_that_did_not_end_well_is_a_complaint() -> None:
    assert complaints(replace(WHOLE, bad_ends=["launcher ended"])) == ["launcher ended"]


def test_the_document_has_exactly_the_promised_keys() -> None:
    assert document(replace(WHOLE, history=Path("h.jsonl"))) == {
        "promotes": 4,
        "completed": 4,
        "failed": 0,
        "open": 0,
        "cold": 0,
        "cleanups": 4,
        "duplicate_terminals": 0,
        "foreign_completions": 0,
        "version_gaps": 0,
        "pool": {"host-1": {"target": 2, "size": 2}, "host-2": {"target": 2, "size": 2}},
        "pids": {"host-1": 11, "host-2": 12, "launcher": 13},
        "latency_ms": {"p50": 1.0, "p90": 2.0, "p99": 3.0, "max": 3.0},
        "history": "h.jsonl",
        "violations": [],
    }


def test_a_violation_is_a_complaint_with_the_lines_that_prove_it_and_is_in_the_document() -> None:
    line = EventLine(10, "run", {"type": "X"})
    violation = Violation(Invariant.POOL, "a ghost", ((7, line),))
    result = replace(WHOLE, history=Path("h.jsonl"), violations=[violation])
    (complaint,) = complaints(result)
    assert complaint.startswith("h.jsonl:7: invariant 8 (pool): a ghost\n    h.jsonl:7: {")
    (shown,) = document(result)["violations"]
    assert (shown["invariant"], shown["name"], shown["message"]) == (8, "pool", "a ghost")
    assert shown["lines"] == [{"number": 7, "line": msgspec.to_builtins(line)}]


def test_the_summary_says_the_same_for_people() -> None:
    shown = "\n".join(summary_lines(WHOLE))
    for part in ("4 completed", "host-1 2/2, host-2 2/2", "p99 3.0 ms", "launcher 13", "0 gaps"):
        assert part in shown


def test_histories_are_merged_by_time_and_keep_every_field(tmp_path: Path) -> None:
    observed, did = tmp_path / "observed", tmp_path / "did"
    with HistoryWriter(observed) as writer:
        writer.write(EventLine(at, "run", {"type": "X"}) for at in (10, 30))
    happened = {
        "kind": "host",
        "did": "reaped",
        "host": "a",
        "epoch": EPOCH,
        "at_ns": 20,
        "panes": 3,
    }
    cut_off = '{"kind":"ho'
    did.write_bytes(msgspec.json.encode(happened) + b"\n" + cut_off.encode())
    whole = tmp_path / "whole"
    whole.write_text("replaced")
    merge_histories([observed, did, tmp_path / "absent"], whole)
    assert [line.at_ns for line in read_history(whole)] == [10, 20, 30]
    second = msgspec.json.decode(whole.read_bytes().splitlines()[1])
    assert second["panes"] == 3
    assert second["did"] == "reaped"
