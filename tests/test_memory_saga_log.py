import pytest
from msgspec.structs import replace

from actors.memory_saga_log import FINISHED_SAGAS, MemorySagaLog
from actors.saga_log import (
    BlobAppended,
    EpochSuperseded,
    EventDelivered,
    LogUnavailableError,
    ReportsTaken,
    SagaClosed,
    SagaOpened,
    StepClosed,
    StepIssued,
)
from tests.launcher_harness import PlayedLauncher
from transport.codec import as_map, encode, encode_blob
from transport.event_stream.query_session import JournalView
from transport.messages import (
    PanesReaped,
    PoolWindowAdded,
    Register,
    RegisterAgain,
    ReportPoolWindowRemoved,
    Reports,
)

LOG_ID = "f" * 32


def blob(first: int, count: int = 1) -> BlobAppended:
    events = [
        encode(PanesReaped(label=f"label-{version}", version=version))
        for version in range(first, first + count)
    ]
    return BlobAppended(first, first + count - 1, encode_blob(LOG_ID, first, events))


def opened(saga_id: int) -> SagaOpened:
    return SagaOpened(saga_id, "pool_refill", {"host": "h"}, None, "h", "1" * 32, 5)


def test_a_sagas_rows_are_kept_together_until_it_closes_and_after() -> None:
    log = MemorySagaLog(LOG_ID)
    event = PoolWindowAdded(label="a", saga_id=1, version=2)
    log.commit([opened(1), StepIssued(1, 0, "host", b"command")])
    log.commit([StepClosed(1, 0, None), EventDelivered(1, event)])
    assert log.open_sagas[1].delivered == [event]
    log.commit([SagaClosed(1, "a", None)])
    assert log.open_sagas == {}
    record = log.finished_sagas[1]
    assert (record.steps[0].command, record.closed) == (b"command", SagaClosed(1, "a", None))
    assert record.delivered == []


def test_the_newest_finished_sagas_are_kept() -> None:
    log = MemorySagaLog(LOG_ID)
    for saga_id in range(1, FINISHED_SAGAS + 11):
        log.commit([opened(saga_id), SagaClosed(saga_id, "", None)])
    assert list(log.finished_sagas) == list(range(11, FINISHED_SAGAS + 11))


def test_what_was_taken_and_superseded_is_kept() -> None:
    log = MemorySagaLog(LOG_ID)
    log.commit([ReportsTaken("h", "1" * 32, 7), ReportsTaken("h", "1" * 32, 9)])
    assert log.reports_taken == {("h", "1" * 32): 9}
    log.commit([EpochSuperseded("h", "1" * 32, "2" * 32)])
    assert log.reports_taken == {}
    assert log.superseded == {("h", "1" * 32): "2" * 32}


def test_a_refused_commit_keeps_nothing_and_can_be_tried_again() -> None:
    log = MemorySagaLog(LOG_ID)
    log.refuse_commits("disk full")
    with pytest.raises(LogUnavailableError, match="disk full"):
        log.commit([opened(1), blob(1)])
    assert log.open_sagas == {}
    assert log.reader().view() == JournalView(1, 0)
    log.refuse_commits(None)
    log.commit([opened(1), blob(1)])
    assert list(log.open_sagas) == [1]
    assert log.reader().view() == JournalView(1, 1)


def test_blobs_come_back_whole_from_the_one_that_holds_a_version() -> None:
    log = MemorySagaLog(LOG_ID)
    rows = [blob(1, 3), blob(4), blob(5, 2)]
    log.commit(rows)
    reader = log.reader()
    assert reader.blobs_from(2, 10**6) == [row.blob for row in rows]
    assert reader.blobs_from(4, 10**6) == [row.blob for row in rows[1:]]
    assert reader.blobs_from(1, 1) == [rows[0].blob]
    assert reader.blobs_from(7, 10**6) == []


def test_a_journal_keeps_its_newest_events_and_says_where_it_begins() -> None:
    log = MemorySagaLog(LOG_ID, journal_events=100)
    for first in range(1, 1001):
        log.commit([blob(first)])
    view = log.reader().view()
    assert view.last == 1000
    assert 100 <= view.last - view.first + 1 <= 110
    assert log.reader().blobs_from(view.first - 1, 10**6) == []
    assert len(log.reader().blobs_from(view.first, 10**6)) == view.last - view.first + 1


def test_what_was_trimmed_is_in_the_snapshot() -> None:
    launcher = PlayedLauncher()
    launcher.log = MemorySagaLog(LOG_ID, journal_events=20)
    host = launcher.filled_host()
    for number in range(40):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    reader = launcher.log.reader()
    page = reader.snapshot_page(0, 10**6)
    assert page.truncated_before == reader.view().first > 100
    kinds = [type(row).__name__ for row in page.rows]
    assert kinds.count("SnapshotHost") == 1
    assert kinds.count("SnapshotWindow") > 30


def test_a_pass_that_takes_an_epochs_last_reports_and_ends_it_leaves_nothing_of_it() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    anew = launcher.host(epoch="2" * 32)
    engine, now = launcher.engine, launcher.now
    label = launcher.pool_of(host)[0]
    died = ReportPoolWindowRemoved(label=label, reason="died")
    last = Reports(sequence=host.sequence + 1, reports=[as_map(died)])
    register = Register(host=host.name, epoch=anew.epoch, first_held=1, as_of=0, pool_target=2)
    engine.receive(anew.connection, [encode(register)], now)
    launcher.end_pass()
    [again] = [each for each in anew.received if isinstance(each, RegisterAgain)]
    engine.receive(host.connection, [encode(last)], now)
    engine.receive(anew.connection, [encode(replace(register, confirms=again.token))], now)
    launcher.end_pass()
    assert launcher.log.superseded == {(host.name, host.epoch): anew.epoch}
    assert (host.name, host.epoch) not in launcher.log.reports_taken
