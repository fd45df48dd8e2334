"""`muxsaga run --log`: a run goes on with a log, and only what happens in it counts."""

import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from actors.command_line.command_error import CommandError
from actors.command_line.main import make_parser
from actors.command_line.run_processes import run_place, run_spec
from actors.command_line.run_start import RunStart, run_start
from actors.sqlite_saga_list import newest_sagas
from actors.sqlite_saga_log import SqliteSagaLog
from tests.event_stream_builders import RESPAWN, completed, failed, promote, registered, started
from tests.launcher_harness import LOG_ID, PlayedLauncher
from tests.real_system import RealSystem
from tests.test_history_counts import told
from tests.test_run_processes import run
from transport.history import read_history
from transport.history_counts import count
from transport.history_lines import BeginsLine, EventLine, HistoryLine, OpenBracket
from transport.messages import Event

QUICK = ("--promotes", "5", "--spawn-time", "0", "--json")


def document_of(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def events_in(history: Path) -> list[dict[str, Any]]:
    return [line.event for line in read_history(history) if isinstance(line, EventLine)]


def log_with_an_open_saga(path: Path) -> int:
    """Leave a log as a launcher does that was killed while saga 3 waited; give its version."""
    launcher = PlayedLauncher()
    log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 0)
    launcher.log = log  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    log.close()
    return len(launcher.events)


def test_a_second_run_goes_on_with_the_log_and_counts_only_what_is_its_own(tmp_path: Path) -> None:
    log, histories = tmp_path / "log.sqlite", [tmp_path / "one", tmp_path / "two"]
    documents = [
        document_of(run(*QUICK, "--log", str(log), "--history", str(history)))
        for history in histories
    ]
    assert [each["promotes"] for each in documents] == [5, 5]
    assert [each["completed"] for each in documents] == [5, 5]
    first, second = (events_in(history) for history in histories)
    assert first[0]["version"] == 1
    assert second[0]["version"] == first[-1]["version"] + 1
    ids = [
        {event["saga_id"] for event in events if event["type"] == "SagaStarted"}
        for events in (first, second)
    ]
    assert max(ids[0]) < min(ids[1])
    assert count(read_history(histories[1])).promotes == 5
    assert newest_sagas(log, 1)[0]["saga_id"] == max(ids[1])


def test_a_saga_that_an_earlier_run_left_open_is_ended_and_is_no_failure_of_this_one(
    tmp_path: Path,
) -> None:
    log, history = tmp_path / "log.sqlite", tmp_path / "history"
    version = log_with_an_open_saga(log)
    document = document_of(run(*QUICK, "--log", str(log), "--history", str(history)))
    assert (document["completed"], document["failed"], document["open"]) == (5, 0, 0)
    [begins] = [line for line in read_history(history) if isinstance(line, BeginsLine)]
    assert (begins.after, begins.open) == (version, (OpenBracket(3, RESPAWN),))
    ended = [event for event in events_in(history) if event["saga_id"] == 3]
    assert [(event["type"], event["reason"]) for event in ended] == [
        ("SagaFailed", "host restarted")
    ]


def test_a_log_that_is_none_ends_the_run_before_anything_is_started(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    log.write_bytes(b"nonsense" * 200)
    done = run(*QUICK, "--log", str(log))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"muxsaga: log {log} cannot be read: file is not a database\n"
    with pytest.raises(CommandError, match="not a database"):
        run_start(log)


def test_a_log_that_cannot_be_made_is_named_in_one_line_by_run_and_by_launcher(
    tmp_path: Path,
) -> None:
    log = tmp_path / "absent" / "log.sqlite"
    remedy = "make its directory writable, or name another file"
    why = f"log {log} cannot be used: No such file or directory: {remedy}\n"
    done = run(*QUICK, "--log", str(log))
    assert (done.returncode, done.stderr) == (1, f"muxsaga: launcher could not start: {why}")
    with RealSystem() as system:
        alone = system.command("launcher", "--log", str(log))
    assert (alone.returncode, alone.stderr) == (1, f"muxsaga: {why}")


def nothing(log: Path) -> None:
    """Leave no file."""


def an_empty_file(log: Path) -> None:
    log.touch()


@pytest.mark.parametrize("leave", [nothing, an_empty_file])
def test_a_run_without_a_log_so_far_begins_at_the_beginning(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    log = tmp_path / "log.sqlite"
    leave(log)
    assert run_start(log) == run_start(None) == RunStart()
    assert RunStart().lines(0, "run") == []


# --- what a history that goes on with a log adds up to --------------------------------------------


def going_on(*events: Event, left_open: Iterable[int] = (1,)) -> list[HistoryLine]:
    begins = BeginsLine(0, "renderer", 10, tuple(OpenBracket(each, RESPAWN) for each in left_open))
    return [begins, *told(*events, first=11)]


def test_brackets_of_before_are_to_close_once_and_count_for_nothing_else() -> None:
    counts = count(going_on(failed(1), registered(), *promote(1), started(2, 14)))
    assert (counts.promotes, counts.completed, counts.failed, counts.open) == (1, 0, 0, 1)
    assert (counts.failed_sagas, counts.version_gaps, counts.terminals_without_start) == (0, 0, 0)
    assert counts.unclosed == 1
    counts = count(going_on(completed(1, "label")))
    assert (counts.completed, counts.cleanups, counts.foreign_completions) == (0, 0, 0)


def test_brackets_of_before_that_never_close_or_close_twice_are_told() -> None:
    assert count(going_on(registered())).unclosed == 1
    assert count(going_on(failed(1), failed(1))).duplicate_terminals == 1
    assert count(going_on(failed(2))).terminals_without_start == 1


def test_versions_go_on_from_where_the_history_begins() -> None:
    lines = going_on(failed(1))
    assert count(lines).version_gaps == 0
    assert count([lines[0], *told(failed(1), first=13)]).version_gaps == 1


def test_the_runs_launcher_gets_the_log_and_its_durability(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    arguments = ["run", "--log", str(log), "--durability", "power", "--pool-target", "2"]
    options = make_parser().parse_args(arguments)
    place = run_place(options, ("host-1",), tmp_path / "scratch")
    launcher = run_spec(options, place).children[-1]
    [settings] = launcher.start.entry.args
    assert (settings.log, settings.durability) == (log, "power")
