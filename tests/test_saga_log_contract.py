"""What every saga log promises, whatever it is made of."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import (
    BlobAppended,
    DeadlineExtended,
    EpochSuperseded,
    EventDelivered,
    ReportsTaken,
    SagaClosed,
    SagaLog,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from actors.sqlite_saga_log import SqliteSagaLog
from tests.launcher_harness import PlayedLauncher, promote_reports
from tests.test_engine_rebuild import reregister
from transport.codec import MESSAGE_LIMIT, as_map, encode, encode_blob, encode_map
from transport.event_stream.query_session import JournalView
from transport.messages import (
    CommandIdentity,
    Event,
    PanesReaped,
    PoolWindowAdded,
    ReportPanesReaped,
    ReportPoolWindowAdded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    SpawnPoolWindow,
)

LOG_ID = "f" * 32
COMMAND = encode(SpawnPoolWindow(identity=CommandIdentity(LOG_ID, 1, 0)))
MakeLog = Callable[[int], SagaLog]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLog]:
    opened: list[SqliteSagaLog] = []

    def make_log(journal_events: int) -> SagaLog:
        if request.param == "memory":
            return MemorySagaLog(LOG_ID, journal_events=journal_events)
        path = tmp_path / "log.sqlite"
        log = SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 0, journal_events=journal_events)
        opened.append(log)
        return log

    yield make_log
    for log in opened:
        log.close()


def blob(first: int, count: int = 1) -> BlobAppended:
    events: list[Event] = [
        PanesReaped(label=f"label-{version}", version=version)
        for version in range(first, first + count)
    ]
    frames = [encode(event) for event in events]
    return BlobAppended(first, first + count - 1, encode_blob(LOG_ID, first, frames))


def added(saga_id: int, version: int) -> PoolWindowAdded:
    return PoolWindowAdded(label="a", saga_id=saga_id, version=version)


def opened(saga_id: int) -> SagaOpened:
    return SagaOpened(saga_id, "pool_refill", {"host": "h"}, None, "h", "1" * 32, 5)


def test_an_empty_log_begins_at_the_beginning(make: MakeLog) -> None:
    contents = make(100).load()
    assert (contents.log_id, contents.version, contents.next_saga_id) == (LOG_ID, 0, 1)
    assert contents.open_sagas == []
    assert contents.mirror.hosts == {}


def test_an_open_sagas_rows_come_back_together(make: MakeLog) -> None:
    log = make(100)
    event = PoolWindowAdded(label="a", saga_id=1, version=2)
    log.commit([opened(1), StepIssued(1, 0, "host", b"one"), StepClosed(1, 0, None)])
    log.commit([EventDelivered(1, event), StepIssued(1, 1, "srv", b"two")])
    log.commit([DeadlineExtended(1, 9)])
    [record] = log.load().open_sagas
    assert record.opened == opened(1)
    assert record.steps == [StepIssued(1, 0, "host", b"one"), StepIssued(1, 1, "srv", b"two")]
    assert record.closed_steps == [StepClosed(1, 0, None)]
    assert record.delivered == [event]
    assert (record.deadline, record.extensions) == (9, 1)


def test_a_closed_saga_is_open_no_more_and_its_id_is_never_given_again(make: MakeLog) -> None:
    log = make(100)
    log.commit([opened(1), opened(2), SagaClosed(2, None, "failed"), SagaClosed(1, "a", None)])
    contents = log.load()
    assert contents.open_sagas == []
    assert contents.next_saga_id == 3


def test_what_was_taken_and_superseded_comes_back(make: MakeLog) -> None:
    log = make(100)
    log.commit([ReportsTaken("h", "1" * 32, 7), ReportsTaken("h", "1" * 32, 9)])
    assert log.load().reports_taken == {("h", "1" * 32): 9}
    log.commit([EpochSuperseded("h", "1" * 32, "2" * 32)])
    contents = log.load()
    assert contents.reports_taken == {}
    assert contents.superseded == {("h", "1" * 32): "2" * 32}


def test_the_last_report_taken_comes_back_by_its_event_or_by_its_row(make: MakeLog) -> None:
    launcher = PlayedLauncher()
    launcher.log = log = make(100)  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    host = launcher.filled_host()
    epoch = (host.name, host.epoch)

    def taken() -> tuple[int, int]:
        return log.load().reports_taken[epoch], log.load().mirror.hosts[host.name].sequence

    host.promote(launcher.pool_of(host)[0], "one")
    assert taken() == (host.sequence, host.sequence)
    host.report(ReportPanesReaped(label="nobody's"))
    assert host.refusals() == ["contradiction"]
    assert taken() == (host.sequence, host.sequence - 1)
    host.answer_all()
    assert taken() == (host.sequence, host.sequence)


def test_a_closed_sagas_steps_are_settled(make: MakeLog) -> None:
    log = make(100)
    log.commit([opened(1), StepIssued(1, 0, "host", COMMAND), EventDelivered(1, added(1, 2))])
    log.commit([StepClosed(1, 0, None), StepIssued(1, 1, "host", COMMAND)])
    log.commit([EventDelivered(1, added(1, 3)), StepClosed(1, 1, None), SagaClosed(1, "a", None)])
    log.commit([opened(2), StepIssued(2, 0, "host", COMMAND)])
    log.commit([StepClosed(2, 0, "no memory"), SagaClosed(2, None, "no memory")])
    stories = [log.reader().saga(saga_id).saga for saga_id in (1, 2)]
    assert [
        [(step["state"], step["failure"]) for step in story["steps"]] for story in stories if story
    ] == [[("settled", None), ("settled", None)], [("failed", "no memory")]]


def test_blobs_come_back_whole_from_the_one_that_holds_a_version(make: MakeLog) -> None:
    log = make(100)
    rows = [blob(1, 3), blob(4), blob(5, 2)]
    log.commit(rows)
    reader = log.reader()
    assert reader.view() == JournalView(1, 6)
    assert reader.blobs_from(2, 10**6) == [row.blob for row in rows]
    assert reader.blobs_from(4, 10**6) == [row.blob for row in rows[1:]]
    assert reader.blobs_from(1, 1) == [rows[0].blob]
    assert reader.blobs_from(7, 10**6) == []


def test_a_journal_keeps_its_newest_events_and_says_where_it_begins(make: MakeLog) -> None:
    log = make(100)
    for first in range(1, 502):
        log.commit([blob(first)])
    view = log.reader().view()
    assert view.last == 501
    assert 100 <= view.last - view.first + 1 <= 111
    assert log.reader().blobs_from(view.first - 1, 10**6) == []
    assert len(log.reader().blobs_from(view.first, 10**6)) == view.last - view.first + 1


def played(log: SagaLog) -> PlayedLauncher:
    launcher = PlayedLauncher()
    launcher.log = log  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    return launcher


def test_a_trimmed_journal_and_its_snapshot_give_the_whole_mirror(make: MakeLog) -> None:
    launcher = played(make(20))
    host = launcher.filled_host()
    for number in range(40):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    page = launcher.log.reader().snapshot_page(0, 10**6)
    assert page.truncated_before == launcher.log.reader().view().first > 100
    ours, theirs = launcher.engine.state.mirror.hosts, launcher.log.load().mirror.hosts
    assert list(ours["host-1"].pool) == list(theirs["host-1"].pool)
    assert list(ours["host-1"].opened) == list(theirs["host-1"].opened)


def test_a_launcher_that_begins_with_it_goes_on_with_every_saga(make: MakeLog) -> None:
    launcher = played(make(1000))
    host = launcher.filled_host(target=8)
    for number, label in enumerate(launcher.pool_of(host)):
        host.report(*promote_reports(label, f"promote-{number}"))
    host.report(
        ReportPoolWindowAdded(label=host.new_label(), identity=host.commands.pop(0).identity)
    )
    host.commands.clear()
    launcher.restart()
    reregister(launcher, host)
    assert len(host.commands) == 7
    host.answer_all()
    assert launcher.of_type(SagaFailed) == []
    assert len(launcher.of_type(SagaCompleted)) == len(launcher.of_type(SagaStarted)) == 16


def types_of(events: list[dict[str, object]]) -> list[object]:
    return [event["type"] for event in events]


def test_a_sagas_story_has_its_trigger_its_steps_its_events_and_its_end(make: MakeLog) -> None:
    launcher = played(make(1000))
    host = launcher.filled_host()
    label = launcher.pool_of(host)[0]
    host.promote(label, "promote-1")
    reader = launcher.log.reader()
    is_open = reader.saga(3).saga
    assert is_open is not None
    assert (is_open["state"], is_open["awaited"]) == (
        "open",
        "the report of SpawnPoolWindow (step 0) from host host-1",
    )
    assert (is_open["trigger"]["type"], is_open["trigger"]["label"]) == (
        "PoolWindowPromoted",
        label,
    )
    assert types_of(is_open["events"]) == ["SagaStarted"]
    [new] = host.answer_all()
    closed = reader.saga(3).saga
    assert closed is not None
    assert (closed["state"], closed["result"], closed["awaited"]) == ("completed", new, None)
    assert types_of(closed["events"]) == ["SagaStarted", "PoolWindowAdded", "SagaCompleted"]
    assert [step["state"] for step in closed["steps"]] == ["settled"]
    assert (closed["input"], closed["host"], closed["epoch"]) == (
        {"promoted_label": label},
        "host-1",
        host.epoch,
    )


def test_a_saga_that_never_began_is_none_and_says_which_ids_did(make: MakeLog) -> None:
    log = make(100)
    log.commit([opened(1)])
    view = log.reader().saga(2)
    assert (view.saga, view.next_saga_id) == (None, 2)


def test_of_a_saga_that_the_journal_outlived_the_rows_are_still_told(make: MakeLog) -> None:
    launcher = played(make(20))
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    stuck = host.commands.pop(0)
    for number in range(2, 42):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    story = launcher.log.reader().saga(3).saga
    assert story is not None
    assert (story["state"], story["trigger"], story["events"]) == ("open", None, [])
    assert 0 < story["cause"] < story["journal_first"]
    assert [step["state"] for step in story["steps"]] == ["awaited"]
    host.report(ReportPoolWindowAdded(label=host.new_label(), identity=stuck.identity))
    story = launcher.log.reader().saga(3).saga
    assert story is not None
    assert types_of(story["events"]) == ["PoolWindowAdded", "SagaCompleted"]


def test_what_an_open_saga_was_fed_is_told_although_the_journal_has_it_no_more(
    make: MakeLog,
) -> None:
    log = make(20)
    log.commit([opened(1), EventDelivered(1, PoolWindowAdded(label="a", saga_id=1, version=1))])
    for first in range(1, 60):
        log.commit([blob(first)])
    story = log.reader().saga(1).saga
    assert story is not None
    assert story["journal_first"] > 1
    assert [(event["version"], event["label"]) for event in story["events"]] == [(1, "a")]


def test_events_of_another_saga_are_not_told(make: MakeLog) -> None:
    log = make(100)
    events: list[Event] = [
        SagaStarted(saga_id=1, name="pool_refill", cause=None, version=1),
        SagaStarted(saga_id=257, name="pool_refill", cause=None, version=2),
        PanesReaped(label="\x01saga_id\x01", saga_id=257, version=3),
        SagaFailed(saga_id=1, reason="r", version=4),
    ]
    frames = [encode(event) for event in events]
    log.commit([opened(1), opened(257), BlobAppended(1, 4, encode_blob(LOG_ID, 1, frames))])
    story = log.reader().saga(1).saga
    assert story is not None
    assert [event["version"] for event in story["events"]] == [1, 4]


def test_a_story_longer_than_a_message_says_how_many_events_it_leaves_out(make: MakeLog) -> None:
    log = make(100)
    log.commit([opened(1)])
    for version in range(1, 41):
        event = PanesReaped(label="l" * 255, saga_id=1, version=version)
        large = {**as_map(event), "note": "n" * 30_000}
        blob_of_one = encode_blob(LOG_ID, version, [encode_map(large)])
        log.commit([BlobAppended(version, version, blob_of_one)])
    story = log.reader().saga(1).saga
    assert story is not None
    assert len(story["events"]) + story["events_left_out"] == 40
    assert 10 < len(story["events"]) < 20
    assert len(encode_map(story)) < MESSAGE_LIMIT
