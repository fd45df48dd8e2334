"""`muxsaga diag explain`: the story of one saga, in every way that it can go or stand still."""

from pathlib import Path

from actors.command_line.saga_story import story_lines
from actors.engine import EngineSettings
from actors.memory_saga_log import MemorySagaLog
from actors.open_saga_view import LoopHealth
from actors.sqlite_read_only import reading
from actors.sqlite_saga_log import SqliteSagaLog
from actors.sqlite_saga_rows import saga_view
from tests.launcher_harness import LOG_ID, PlayedHost, PlayedLauncher
from tests.test_command_targets import EXTENSION, launcher_with, opened
from transport.messages import Goodbye, ReportActionFailed

AT = 7_000_000_000
THEN = "1970-01-01T00:00:07.000+00:00"


def played(log: MemorySagaLog | SqliteSagaLog | None = None) -> PlayedLauncher:
    """Give a launcher whose log knows the time."""
    launcher = PlayedLauncher(EngineSettings())
    launcher.log = log or MemorySagaLog(LOG_ID, wall=lambda: AT)  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    return launcher


def promoted(launcher: PlayedLauncher) -> tuple[PlayedHost, str]:
    """Give a host and the label that it promoted; saga 3 waits for another."""
    host = launcher.filled_host()
    label = launcher.pool_of(host)[0]
    host.promote(label, "promote-1")
    return host, label


def story(
    launcher: PlayedLauncher, saga_id: int = 3, health: LoopHealth | None = None
) -> dict[str, str]:
    """Give a story's lines by their heads, as a running launcher has it told."""
    saga = launcher.log.reader().saga(saga_id).saga
    assert saga is not None
    is_open = saga["state"] == "open"
    live = launcher.engine.view.saga(saga_id, health or LoopHealth()) if is_open else None
    return heads_of(list(story_lines(saga, live)))


def heads_of(lines: list[str]) -> dict[str, str]:
    return {line[2:13].strip(): line[13:] for line in lines[1:]}


def test_one_that_completed_is_told_from_its_trigger_to_its_end() -> None:
    launcher = played()
    host, label = promoted(launcher)
    [new] = host.answer_all()
    saga = launcher.log.reader().saga(3).saga
    assert saga is not None
    assert list(story_lines(saga, None)) == [
        "saga 3  pool_respawn_on_promote  completed",
        f"  input      promoted_label={label}",
        (
            f"  began      {THEN} by PoolWindowPromoted (version 9): label={label}, "
            f"promote_id=promote-1, on host host-1 in epoch {host.epoch}, report 4"
        ),
        "  step 0     SpawnPoolWindow() to host host-1: settled by its report",
        f"  event      PoolWindowAdded (version 12): label={new}, reconciled=False",
        "  bracket    SagaStarted at version 11, SagaCompleted at version 13",
        f"  ended      {THEN} completed: {new}",
    ]


def test_one_that_its_host_could_not_do_says_so() -> None:
    launcher = played()
    host, _ = promoted(launcher)
    [command] = host.commands
    host.report(ReportActionFailed(reason="no memory", identity=command.identity))
    told = story(launcher)
    assert told["step 0"] == "SpawnPoolWindow() to host host-1: failed: no memory"
    assert told["ended"] == f"{THEN} failed: no memory"
    assert told["why"] == "whoever got its command reported that it could not be done, and why"


def test_one_that_timed_out_says_what_it_waited_for() -> None:
    launcher = played()
    promoted(launcher)
    launcher.advance(5.1)
    told = story(launcher)
    assert told["ended"] == f"{THEN} failed: saga timeout"
    assert told["waited for"] == "the report of SpawnPoolWindow (step 0) from host host-1"
    assert told["why"] == "its deadline passed before it was done"


def test_one_that_waits_within_its_time_says_that_nothing_is_wrong() -> None:
    launcher = played()
    promoted(launcher)
    launcher.advance(1.5)
    told = story(launcher)
    assert told["step 0"] == (
        "SpawnPoolWindow() to host host-1: handed over; its report is awaited"
    )
    assert told["waits for"] == (
        "the report of SpawnPoolWindow (step 0) from host host-1, for 1.5 s"
    )
    assert told["deadline"] == "in 3.5 s"
    assert told["why"] == "nothing is wrong: its time is not over"


def test_one_whose_host_is_cut_off_before_it_got_the_command_says_both() -> None:
    launcher = played()
    host = launcher.filled_host()
    launcher.unreachable.add(host.connection)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    saga = launcher.log.reader().saga(3).saga
    assert saga is not None
    lines = list(story_lines(saga, launcher.engine.view.saga(3)))
    assert [line[13:] for line in lines if line.startswith("  why")] == [
        "the connection of host host-1 is gone, last heard 0.0 s ago",
        "the command was never handed over",
    ]
    assert story(launcher)["step 0"] == (
        "SpawnPoolWindow() to host host-1: never handed over; its report is awaited"
    )
    launcher.advance(5.1)
    assert story(launcher)["why"] == (
        "its deadline passed, and no live connection ever took its command"
    )


def test_one_whose_service_nobody_runs_says_which() -> None:
    launcher = launcher_with(EXTENSION)
    opened(launcher)
    saga = launcher.log.reader().saga(1).saga
    assert saga is not None
    lines = list(story_lines(saga, launcher.engine.view.saga(1)))
    assert "  why        no service serves TakeThumbnail" in lines
    assert any("from the service of TakeThumbnail" in line for line in lines)


def test_one_that_waits_for_the_log_says_so() -> None:
    launcher = played()
    promoted(launcher)
    told = story(launcher, health=LoopHealth(outage="disk full", outage_s=3))
    assert told["why"] == "the log is unavailable for 3.0 s: disk full"


def test_one_whose_host_left_and_one_that_was_cancelled_say_who_ended_it() -> None:
    launcher = played()
    host, _ = promoted(launcher)
    host.promote(launcher.pool_of(host)[0], "promote-2")
    launcher.cancel(3, "not wanted")
    told = story(launcher)
    assert told["ended"] == f"{THEN} failed: cancelled: not wanted"
    assert told["why"] == "an operator ended it"
    host.say(Goodbye())
    assert story(launcher, 4)["why"] == "its host said goodbye while it was open"


def test_one_that_the_launcher_itself_began_says_so() -> None:
    launcher = played()
    host = launcher.filled_host()
    assert story(launcher, 1)["began"] == (
        f"{THEN} by the launcher itself, on host host-1 in epoch {host.epoch}"
    )
    assert "why" not in story(launcher, 1)


def test_one_whose_trigger_is_trimmed_says_what_is_still_known() -> None:
    launcher = played(MemorySagaLog(LOG_ID, journal_events=20, wall=lambda: AT))
    host, label = promoted(launcher)
    host.commands.clear()
    for number in range(2, 42):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    first = launcher.log.reader().view().first
    told = story(launcher)
    assert told["input"] == f"promoted_label={label}"
    assert told["began"] == (
        f"{THEN} by the event of version 9, which is trimmed (the journal begins at version "
        f"{first}), on host host-1 in epoch {host.epoch}"
    )
    assert told["bracket"] == f"its events are trimmed: the journal begins at version {first}"


def test_a_file_alone_tells_the_same_but_for_why_it_does_not_move(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: AT)
    launcher = played(log)
    _, label = promoted(launcher)
    with reading(path) as db:
        saga = saga_view(db, 3).saga
    log.close()
    assert saga is not None
    told = heads_of(list(story_lines(saga, None)))
    assert f"label={label}" in told["began"]
    assert told["waits for"] == "the report of SpawnPoolWindow (step 0) from host host-1"
    assert told["why"].startswith("only the file was read")


def test_a_recovered_one_says_that_its_command_is_of_a_launcher_before() -> None:
    launcher = played()
    promoted(launcher)
    launcher.advance(2)
    launcher.restart()
    told = story(launcher)
    assert told["recovered"] == "its deadline was extended to let a new launcher go on (1)"
    assert told["step 0"] == (
        "SpawnPoolWindow() to host host-1: in the log of a launcher before; its report is awaited"
    )
    assert told["why"] == "host host-1 did not register since this launcher started"
    launcher.advance(5.1)
    assert story(launcher)["ended"] == f"{THEN} failed: saga timeout"


def test_one_whose_host_came_back_in_another_epoch_says_so() -> None:
    launcher = played()
    promoted(launcher)
    launcher.host("host-1", "2" * 32).register()
    assert story(launcher)["why"] == "its host came back in another epoch; what it had was gone"
