"""Whatever ends a saga: its rows are closed with the reason, and its command is never sent."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from actors.engine import STOPPING, Engine, EngineSettings
from actors.saga_brackets import OVERFLOW, TIMED_OUT, UNREACHABLE
from actors.sagas import PoolRefill, WindowCleanupCascade
from actors.sqlite_saga_log import RETENTION, SqliteSagaLog
from actors.step_queue import UNSENT_LIMIT
from tests.launcher_harness import SECOND, PlayedHost, PlayedLauncher
from tests.test_engine_rebuild import reregister
from transport.messages import (
    Goodbye,
    Ping,
    ReportActionFailed,
    ReportPanesReaped,
    ReportWindowClosed,
    SagaCompleted,
    SagaFailed,
)

LOG_ID = "f" * 32


@dataclass
class Scene:
    """A launcher with its log in a file, and a host with a full pool."""

    launcher: PlayedLauncher
    host: PlayedHost
    path: Path

    def promote(self) -> int:
        """Promote a window, and give the id of the saga that it starts."""
        before = self.launcher.engine.state.next_saga_id
        self.host.promote(self.launcher.pool_of(self.host)[0], f"promote-{before}")
        return before

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql, values).fetchall()


@dataclass
class Wall:
    """The wall clock that the log sees."""

    now: int = 0


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def scene(tmp_path: Path, wall: Wall) -> Iterator[Scene]:
    path = tmp_path / "log.sqlite"
    log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: wall.now, journal_events=50)
    launcher = PlayedLauncher()
    launcher.log = log  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    yield Scene(launcher, launcher.filled_host(), path)
    log.close()


def host_reports_a_failure(scene: Scene) -> None:
    [command] = scene.host.commands
    assert command.identity is not None
    scene.host.report(ReportActionFailed(identity=command.identity, reason="no memory"))


def deadline_passes(scene: Scene) -> None:
    for _ in range(6):
        scene.launcher.advance(0.9)
        scene.host.say(Ping(last=scene.host.sequence))


def host_says_goodbye(scene: Scene) -> None:
    scene.host.say(Goodbye())


def host_is_there_anew(scene: Scene) -> None:
    scene.launcher.host(scene.host.name, "2" * 32).register()


def somebody_cancels_it(scene: Scene) -> None:
    [saga_id] = scene.launcher.engine.state.sagas
    scene.launcher.cancel(saga_id, "not wanted")


def launcher_stops_now(scene: Scene) -> None:
    scene.launcher.engine.stop_now(scene.launcher.now)
    scene.launcher.end_pass()


def program_knows_it_no_more(scene: Scene) -> None:
    restart_with(scene, (WindowCleanupCascade, PoolRefill))


def restart_with(scene: Scene, kinds: tuple[type, ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actors.launcher_extension.CORE_SAGAS", kinds)
        scene.launcher.restart()


End = Callable[[Scene], None]

ENDS: tuple[tuple[End, str], ...] = (
    (host_reports_a_failure, "no memory"),
    (deadline_passes, TIMED_OUT),
    (host_says_goodbye, "host left"),
    (host_is_there_anew, "host restarted"),
    (somebody_cancels_it, "cancelled: not wanted"),
    (launcher_stops_now, STOPPING),
    (program_knows_it_no_more, "saga pool_respawn_on_promote is not known any more"),
)


@pytest.mark.parametrize(("end", "reason"), ENDS)
def test_a_failing_step_is_closed_as_failed_with_the_reason_of_its_saga(
    scene: Scene, end: End, reason: str
) -> None:
    saga_id = scene.promote()
    end(scene)
    [failed] = [e for e in scene.launcher.of_type(SagaFailed) if e.saga_id == saga_id]
    assert failed.reason == reason
    saga = "SELECT closed_at IS NOT NULL, result, failure FROM saga WHERE saga_id = ?"
    assert scene.rows(saga, saga_id) == [(1, None, reason)]
    step = "SELECT step, is_closed, failure FROM step WHERE saga_id = ?"
    assert scene.rows(step, saga_id) == [(0, 1, reason)]
    assert scene.rows("SELECT * FROM event_delivered WHERE saga_id = ?", saga_id) == []


def test_of_two_steps_the_one_that_was_done_has_no_failure(scene: Scene) -> None:
    saga_id = scene.promote()
    scene.host.answer_all()
    [opened] = scene.launcher.opened_of(scene.host)
    scene.host.report(ReportWindowClosed(label=opened))
    [reap] = scene.host.commands
    scene.host.commands.clear()
    scene.host.report(ReportPanesReaped(label=opened, identity=reap.identity))
    delivered = "SELECT count(*) FROM event_delivered WHERE saga_id = ?"
    assert scene.rows(delivered, saga_id + 1) == [(1,)]
    host_reports_a_failure(scene)
    step = "SELECT step, is_closed, failure FROM step WHERE saga_id = ? ORDER BY step"
    assert scene.rows(step, saga_id + 1) == [(0, 1, None), (1, 1, "no memory")]
    assert scene.rows(delivered, saga_id + 1) == [(0,)]


UNSENT_ENDS: tuple[tuple[End, str], ...] = (
    (deadline_passes, UNREACHABLE),
    (somebody_cancels_it, "cancelled: not wanted"),
    (launcher_stops_now, STOPPING),
)


@pytest.mark.parametrize(("end", "reason"), UNSENT_ENDS)
def test_a_saga_that_ends_takes_its_unsent_command_with_it(
    scene: Scene, end: End, reason: str
) -> None:
    launcher, host = scene.launcher, scene.host
    launcher.engine.stream_heartbeat("ok")
    launcher.full.add(host.connection)
    saga_id = scene.promote()
    end(scene)
    assert [e.reason for e in launcher.of_type(SagaFailed) if e.saga_id == saga_id] == [reason]
    assert host.commands == []
    queue = launcher.engine.state.queue_of((host.name, host.epoch))
    assert queue.never_handed == len(queue) == len(launcher.engine.state.sagas)

    launcher.full.clear()
    host.say(Ping(last=host.sequence))
    reregister(launcher, host)
    sent = [command.identity.saga_id for command in host.commands if command.identity is not None]
    assert saga_id not in sent


def test_a_saga_that_finds_no_room_in_the_queue_leaves_none_of_its_own_there(scene: Scene) -> None:
    launcher, host = scene.launcher, scene.host
    launcher.full.add(host.connection)
    label = launcher.pool_of(host)[0]
    for number in range(UNSENT_LIMIT + 1):
        host.promote(label, f"promote-{number}")
        host.add_again(label)
    overflown = [e.saga_id for e in launcher.of_type(SagaFailed)]
    assert [e.reason for e in launcher.of_type(SagaFailed)] == [OVERFLOW]
    step = "SELECT is_closed, failure FROM step WHERE saga_id = ?"
    assert scene.rows(step, overflown[0]) == [(1, OVERFLOW)]
    launcher.full.clear()
    reregister(launcher, host)
    sent = [command.identity.saga_id for command in host.commands if command.identity is not None]
    assert len(sent) == UNSENT_LIMIT
    assert overflown[0] not in sent


def test_neither_retention_nor_trimming_loses_an_open_saga_or_frees_an_id(
    scene: Scene, wall: Wall
) -> None:
    launcher, host = scene.launcher, scene.host
    settings = EngineSettings(timeouts={"pool_respawn_on_promote": 30 * 24 * 3600.0})
    launcher.engine = Engine(settings, contents=launcher.log.load(), epoch="b" * 32, now=0)
    reregister(launcher, host)
    stays = scene.promote()
    [command] = host.commands
    host.commands.clear()
    for _ in range(200):
        host.add_again(launcher.opened_of(host)[0])
        scene.promote()
        host.answer_all()
    last = launcher.engine.state.next_saga_id - 1
    wall.now = RETENTION + SECOND
    for number in range(10):
        wall.now += 2 * SECOND
        host.add_again(launcher.opened_of(host)[0])
        host.promote(launcher.pool_of(host)[-1], f"late-{number}")
        host.answer_all()
    assert launcher.log.reader().view().first > 200

    # Only what is young or open is left of the sagas; the next id is as if nothing had gone.
    kept = [saga_id for (saga_id,) in scene.rows("SELECT saga_id FROM saga ORDER BY saga_id")]
    assert kept == [stays, *range(last + 1, last + 11)]
    contents = launcher.log.load()
    assert contents.next_saga_id == last + 11
    [record] = contents.open_sagas
    assert (record.opened.saga_id, len(record.steps), record.closed_steps) == (stays, 1, [])
    page = launcher.log.reader().snapshot_page(0, 10**6)
    assert stays in [getattr(row, "saga_id", None) for row in page.rows]

    # And it goes on: its command is what it was, and its bracket closes once.
    launcher.engine = Engine(settings, contents=contents, epoch="c" * 32, now=launcher.now)
    launcher.end_pass()
    reregister(launcher, host)
    assert host.commands == [command]
    [label] = host.answer_all()
    ends = [e for e in launcher.of_type(SagaCompleted) if e.saga_id == stays]
    assert [e.result for e in ends] == [label]
    assert scene.promote() == last + 11
