"""The checker finds nothing in sound histories, and what was spoiled in spoiled ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.command_line.main import make_parser
from actors.command_line.run_judgement import lines_before
from tests.checker_edits import Lines, Spoil, event_of, find, of, told
from tests.checker_histories import SECOND, TIMEOUTS, closed_history, open_history, whole
from tests.checker_spoils import SPOILS
from tests.simulated_histories import simulated
from transport.checker import Invariant, Rules, check, judge
from transport.history import HistoryError, HistoryWriter, read_history
from transport.history_lines import (
    EventLine,
    FaultLine,
    HistoryLine,
    HostLine,
    LogLine,
    OutageLine,
    ProcessLine,
    SagaLine,
    TimeoutsLine,
    TruncatedLine,
)

COMMAND = [sys.executable, "-m", "actors.command_line.main"]


def muxsaga(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*COMMAND, *arguments], input=stdin, capture_output=True, check=False, timeout=50
    )


@pytest.fixture(scope="module")
def real_history(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """A history of real processes, with a log."""
    place = tmp_path_factory.mktemp("run")
    path, log = place / "history.jsonl", place / "log.sqlite"
    options = ("--promotes", "6", "--spawn-time", "20ms", "--json")
    done = muxsaga("run", *options, "--history", str(path), "--log", str(log))
    assert done.returncode == 0, done.stderr
    return list(read_history(path))


def broken(lines: Lines) -> set[int]:
    return {int(violation.invariant) for violation in check(lines)}


# --- sound ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 6))
def test_sound_histories_have_no_violation_and_nearly_everything_is_judged(seed: int) -> None:
    for history in (open_history(seed), closed_history(seed)):
        report = judge(history)
        assert report.violations == ()
        assert [each.invariant for each in report.unjudged] == [Invariant.WRITE_AHEAD]
        assert report.line_count == len(history)


def test_a_history_of_real_processes_has_no_violation(real_history: Lines) -> None:
    report = judge(real_history)
    assert report.violations == ()
    assert [each.reason for each in report.unjudged] == [
        "no line tells of an outage: what leaves during one does not show"
    ]


# --- spoiled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.name)
def test_a_spoiled_history_is_caught_by_what_was_spoiled(spoil: Spoil) -> None:
    found = broken(spoil.change(list(open_history())))
    assert spoil.breaks <= found <= spoil.breaks | spoil.also


NEEDS_OPEN_WINDOWS = {
    "a_host_has_another_window_than_told",
    "a_pool_is_short_at_the_end",
    "a_user_has_no_window_that_is_told",
}


@pytest.mark.parametrize(
    "spoil",
    [each for each in SPOILS if each.name not in NEEDS_OPEN_WINDOWS],
    ids=lambda spoil: spoil.name,
)
def test_a_spoiled_history_of_real_processes_is_caught(spoil: Spoil, real_history: Lines) -> None:
    assert spoil.breaks <= broken(spoil.change(list(real_history)))


def test_there_are_spoils_of_every_invariant() -> None:
    assert set().union(*(spoil.breaks for spoil in SPOILS)) == {int(each) for each in Invariant}
    assert len({spoil.name for spoil in SPOILS}) == len(SPOILS)


HISTORY: Lines = list(closed_history(2))
EVENTS = [index for index, line in enumerate(HISTORY) if isinstance(line, EventLine)]
PROOFS = [
    index
    for index, line in enumerate(HISTORY)
    if isinstance(line, HostLine) and line.did in {"report", "ready"}
]
ONCE = [
    index
    for index, line in enumerate(HISTORY)
    if isinstance(line, HostLine) and line.did in {"command", "ready"} and not line.repeated
]


@given(st.sampled_from(EVENTS))
def test_any_event_that_is_dropped_is_missed(index: int) -> None:
    assert 7 in broken([*HISTORY[:index], *HISTORY[index + 1 :]])


@given(st.sampled_from(EVENTS), st.sampled_from(EVENTS))
def test_any_event_that_is_told_again_is_caught(index: int, later: int) -> None:
    place = max(index, later) + 1
    assert 7 in broken([*HISTORY[:place], HISTORY[index], *HISTORY[place:]])


@given(st.sampled_from(EVENTS), st.sampled_from(EVENTS))
def test_any_two_events_that_are_swapped_are_caught(one: int, other: int) -> None:
    lines = [*HISTORY]
    lines[one], lines[other] = lines[other], lines[one]
    assert (7 in broken(lines)) == (one != other)


@given(st.sampled_from(PROOFS))
def test_what_a_host_did_cannot_be_dropped(index: int) -> None:
    assert broken([*HISTORY[:index], *HISTORY[index + 1 :]]) & {3, 4, 8}


@given(st.sampled_from(ONCE))
def test_what_a_host_does_once_cannot_be_doubled(index: int) -> None:
    assert broken([*HISTORY[:index], HISTORY[index], *HISTORY[index:]]) == {4}


@given(st.sampled_from(PROOFS), st.sampled_from(PROOFS))
def test_the_order_of_other_lines_proves_nothing(one: int, other: int) -> None:
    lines = [*HISTORY]
    lines[one], lines[other] = lines[other], lines[one]
    assert broken(lines) == set()


# --- bounds ---------------------------------------------------------------------------------------


def last_terminal(lines: Lines) -> int:
    return find(lines, told("SagaCompleted"), -1)


def with_end_later(lines: Lines, seconds: int, *between: HistoryLine) -> Lines:
    index = last_terminal(lines) - 1
    later = [replace(line, at_ns=line.at_ns + seconds * SECOND) for line in lines[index:]]
    return [*lines[:index], *between, *later]


def test_time_counts_anew_from_each_start_of_the_launcher_and_each_end_of_an_outage() -> None:
    lines = list(open_history())
    at = lines[last_terminal(lines)].at_ns
    killed = ProcessLine(at + 4 * SECOND, "launcher", 0, "killed")
    started = ProcessLine(at + 30 * SECOND, "launcher", 0, "started")
    assert broken(with_end_later(lines, 42, killed, started)) == set()
    assert broken(with_end_later(lines, 50, killed, started)) == {1}
    began = OutageLine(at + 4 * SECOND, "began")
    ended = OutageLine(at + 30 * SECOND, "ended")
    assert broken(with_end_later(lines, 42, began, ended)) == set()
    assert broken(with_end_later(lines, 50, began, ended)) == {1}


def test_a_host_with_a_fault_need_not_keep_its_deadlines_but_others_do() -> None:
    lines = list(open_history())
    at = lines[last_terminal(lines)].at_ns
    saga_id = event_of(lines[last_terminal(lines)])["saga_id"]
    (host,) = {
        line.host
        for line in lines
        if isinstance(line, HostLine) and line.identity and line.identity.saga_id == saga_id
    }
    (other,) = {"host-1", "host-2"} - {host}
    assert broken(with_end_later(lines, 8)) == {9}
    assert broken(with_end_later(lines, 8, FaultLine(at, "break", f"{host}-launcher"))) == set()
    assert broken(with_end_later(lines, 8, FaultLine(at, "break", f"{other}-launcher"))) == {9}


def test_a_host_that_is_slow_of_itself_may_let_a_saga_time_out_and_the_launcher_may_not() -> None:
    lines: Lines = [line for line in open_history() if not isinstance(line, SagaLine | LogLine)]
    index = last_terminal(lines)
    ended = event_of(lines[index])
    failed = {"type": "SagaFailed", "saga_id": ended["saga_id"], "reason": "saga timeout"}
    lines[index] = replace(lines[index], event={**failed, "version": ended["version"]})
    assert broken(lines) == {9}
    silent = [line for line in lines if not _answers(line, ended["saga_id"])]
    assert 9 not in broken(silent)


def _answers(line: HistoryLine, saga_id: int) -> bool:
    of_it = isinstance(line, HostLine) and line.identity and line.identity.saga_id == saga_id
    return bool(of_it) and isinstance(line, HostLine) and line.did == "report"


def test_without_deadlines_no_bound_is_judged_and_everything_is_closed_all_the_same() -> None:
    lines: Lines = [line for line in open_history() if not isinstance(line, TimeoutsLine)]
    late = with_end_later(lines, 50)
    assert broken(late) == set()
    unjudged = {each.invariant for each in judge(late).unjudged}
    assert {Invariant.BRACKETS, Invariant.LIVENESS} <= unjudged
    assert broken([line for line in lines if line is not lines[last_terminal(lines)]]) == {1, 7}


def test_a_promote_that_was_not_told_before_its_host_died_needs_no_bracket() -> None:
    lines = list(open_history())
    index = next(i for i, line in enumerate(lines) if isinstance(line, HostLine))
    line = lines[index]
    assert isinstance(line, HostLine)
    lost = replace(line, host="host-9", did="promoted", promote_id="lost", identity=None)
    killed = ProcessLine(line.at_ns, "host-9", 0, "killed")
    assert broken([*lines[:index], lost, *lines[index:]]) == {1}
    assert broken([*lines[:index], lost, killed, *lines[index:]]) == set()
    assert broken([*lines[:index], killed, lost, *lines[index:]]) == {1}


# --- observers ------------------------------------------------------------------------------------


def test_an_observer_that_is_told_where_it_is_truncated_misses_nothing_silently() -> None:
    lines = list(closed_history())
    copies = [replace(line, observer="late") for line in lines if isinstance(line, EventLine)]
    filled = find(lines, told("PoolWindowRemoved"))
    before = event_of(lines[filled])["version"]
    truncated = TruncatedLine(lines[filled].at_ns, "late", before)
    rest = [line for line in copies if event_of(line)["version"] >= before]
    end = find(lines, of(SagaLine))
    assert broken([*lines[:end], truncated, *rest, *lines[end:]]) == set()
    assert broken([*lines[:end], *rest, *lines[end:]]) >= {7}
    assert broken([*lines[:end], truncated, *rest[1:], *lines[end:]]) >= {7}


# --- what cannot be judged ------------------------------------------------------------------------


def unjudged(lines: Lines) -> set[int]:
    return {int(each.invariant) for each in judge(lines).unjudged}


def test_what_has_no_proof_is_said() -> None:
    lines = list(open_history())
    assert {3, 4, 8} <= unjudged([line for line in lines if isinstance(line, EventLine)])
    assert {5, 6, 7} <= unjudged([line for line in lines if not isinstance(line, LogLine)])
    assert {7} <= unjudged([])


def test_sagas_of_unknown_names_are_judged_by_what_holds_for_every_saga() -> None:
    lines = list(open_history())
    index = last_terminal(lines)
    wrong: Lines = [*lines]
    wrong[index] = replace(lines[index], event={**event_of(lines[index]), "result": "x"})
    no_rows: Lines = [line for line in wrong if not isinstance(line, SagaLine)]
    assert broken(no_rows) == {4}
    assert check(no_rows, Rules(triggers=(), fills=frozenset())) == []


def test_a_map_that_is_no_event_is_an_error_that_names_the_line() -> None:
    line = EventLine(0, "one", {"type": "X", "version": "first"})
    with pytest.raises(HistoryError, match=r"line 1: .*version"):
        check([line])


def test_an_iterator_is_judged_as_a_list_is() -> None:
    spoiled = [line for line in open_history() if not told("WindowOpened")(line)]
    assert check(iter(spoiled)) == check(spoiled) != []


def test_violations_of_one_kind_are_counted_beyond_a_hundred() -> None:
    versions = range(2, 602, 2)
    lines = [EventLine(0, "one", {"type": "X", "version": version}) for version in versions]
    report = judge(lines)
    assert len(report.violations) == 100
    assert report.omitted == {Invariant.VERSIONS: 200}


def test_a_runs_history_names_deadlines_and_the_faults_that_were_asked_for() -> None:
    arguments = ("run", "--crash-sagas", "0.1", "--crash-coordinator", "2")
    options = make_parser().parse_args([*arguments, "--fault", "creation_failed:2"])
    timeouts, *faults = lines_before(options, ["host-1"], 7)
    assert timeouts == TimeoutsLine(7, TIMEOUTS)
    assert faults == [
        FaultLine(7, "saga crashes", "launcher"),
        FaultLine(7, "coordinator crashes", "launcher"),
        FaultLine(7, "creation_failed", "host-1"),
    ]


# --- the command ----------------------------------------------------------------------------------


def written(path: Path, lines: Lines) -> str:
    with HistoryWriter(path) as writer:
        writer.write(lines)
    return str(path)


def test_the_command_shows_violations_with_file_and_line_and_what_was_not_judged(
    tmp_path: Path,
) -> None:
    lines = list(open_history())
    sound = written(tmp_path / "sound.jsonl", lines)
    index = last_terminal(lines)
    spoiled = written(tmp_path / "spoiled.jsonl", [*lines[:index], *lines[index + 1 :]])
    done = muxsaga("check", sound)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"{sound}: {len(lines)} lines, no violations" in done.stdout.decode()
    assert "not judged, of invariant 5" in done.stdout.decode()
    done = muxsaga("check", sound, spoiled)
    assert done.returncode == 1
    assert "invariant 1 (brackets): saga" in done.stdout.decode()
    assert f"{spoiled}:" in done.stdout.decode()
    done = muxsaga("check", "--json", "-", stdin=Path(spoiled).read_bytes())
    assert done.returncode == 1
    (document,) = json.loads(done.stdout)
    assert {each["invariant"] for each in document["violations"]} == {1, 7}
    proof = document["violations"][0]["lines"][0]
    assert proof["line"]["kind"] == "event"
    assert (
        json.loads(Path(spoiled).read_text().splitlines()[proof["number"] - 1])["event"]
        == (proof["line"]["event"])
    )


@pytest.mark.parametrize("text", [b"{}\n", b'{"kind": "event"}\n', b"\xff\n"])
def test_a_file_that_is_no_history_has_a_status_of_its_own(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(text)
    done = muxsaga("check", str(path))
    assert done.returncode == 2
    assert f"history {path} cannot be read".encode() in done.stderr
    assert muxsaga("check", str(tmp_path / "none")).returncode == 2


def test_every_simulated_seed_is_sound_as_it_comes() -> None:
    for seed in range(20, 30):
        lines = simulated(seed, promotes=20)
        assert check(lines) == []
        assert check(whole(lines)) == []
