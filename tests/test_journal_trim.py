"""A journal is trimmed a bounded part a commit, whatever commits fail and whenever the log ends."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.journal_trim import EVENTS_A_ROW, FOLDED_A_COMMIT, WRITTEN_A_COMMIT, JournalTrim
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import BlobAppended, LogUnavailableError, SagaLog, SagaOpened
from actors.sqlite_saga_log import SWEPT_A_COMMIT, SqliteSagaLog
from tests.event_stream_builders import LOG, MemoryJournal, added, label, origin, registered
from transport.codec import Codec
from transport.event_stream import Snapshot
from transport.messages import Event, PoolWindowRemoved, Recorded

KEEP = 200
WINDOWS = 5 * WRITTEN_A_COMMIT
"""The state has so many rows that no single commit may write them all."""

MakeLog = Callable[[], SagaLog]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def open_file(path: Path) -> Iterator[MakeLog]:
    opened: list[SqliteSagaLog] = []

    def open_log() -> SqliteSagaLog:
        if opened:
            opened.pop().close()
        opened.append(SqliteSagaLog(path, new_log_id=LOG, wall=lambda: 0, journal_events=KEEP))
        return opened[0]

    yield open_log
    opened[0].close()


@pytest.fixture(params=["memory", "sqlite"])
def log(request: pytest.FixtureRequest) -> SagaLog:
    if request.param == "memory":
        return MemorySagaLog(LOG, journal_events=KEEP)
    made: SagaLog = request.getfixturevalue("open_file")()
    return made


def died(number: int) -> Event:
    return PoolWindowRemoved(label=label(number), reason="died", origin=origin(number))


class Story:
    """The journal as it should be, and the rows that write it."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.next_label = 1

    def register(self) -> BlobAppended:
        return self._row(self.journal.record(registered()), 1)

    def add(self, count: int = 1) -> BlobAppended:
        """Add windows to the pool, and take one out for every three."""
        events: list[Event] = []
        for _ in range(count):
            events.append(added(self.next_label))
            if self.next_label % 3 == 0:
                events.append(died(self.next_label // 3))
            self.next_label += 1
        return self._row(self.journal.record(*events), len(events))

    def come_and_go(self, count: int = 1) -> BlobAppended:
        """Add windows and take each out again: two events that leave no row."""
        events: list[Event] = []
        for _ in range(count):
            events += added(self.next_label), died(self.next_label)
            self.next_label += 1
        return self._row(self.journal.record(*events), len(events))

    def _row(self, blob: bytes, count: int) -> BlobAppended:
        return BlobAppended(self.journal.last - count + 1, self.journal.last, blob)

    def assert_shown_by(self, log: SagaLog) -> None:
        """What a reader gets is a snapshot of one moment, and the rest of the journal."""
        reader = log.reader()
        page = reader.snapshot_page(0, 10**6)
        assert page.truncated_before == reader.view().first
        assert page.total == len(page.rows)
        shown = Snapshot.from_rows(page.rows, Codec(), before=page.truncated_before)
        truth = self.journal.snapshot_before(page.truncated_before)
        assert list(page.rows) == list(shown.rows()) == list(truth.rows())
        assert reader.view().last == self.journal.last
        loaded = log.load().mirror
        whole = self.journal.snapshot_before(self.journal.last + 1).mirror
        assert {name: list(host.pool) for name, host in loaded.hosts.items()} == {
            name: list(host.pool) for name, host in whole.hosts.items()
        }


def test_no_commit_writes_more_rows_than_its_part() -> None:
    story = Story()
    trim = JournalTrim(KEEP, Snapshot())
    story.register()
    for _ in range(WINDOWS):
        story.add()
    waiting: list[list[Recorded]] = [[event] for event in story.journal.truth]
    written: list[int] = []
    numbers: list[int] = []
    assert len(waiting) > WINDOWS
    while trim.shown == 1:
        part = trim.advance(story.journal.last, 1, iter(waiting[trim.snapshot.before - 1 :]))
        written.append(len(part.rows))
        numbers += range(part.first, part.first + len(part.rows))
    assert max(written) == WRITTEN_A_COMMIT
    assert len([each for each in written if each]) > 2
    assert numbers == list(range(len(list(trim.snapshot.rows()))))


def test_no_commit_folds_more_than_its_part() -> None:
    story = Story()
    trim = JournalTrim(KEEP, Snapshot())
    story.register()
    for _ in range(2 * KEEP):
        story.come_and_go()
    events = story.journal.truth
    folded = []
    while trim.shown == 1:
        before = trim.snapshot.before
        trim.advance(story.journal.last, 10, iter([event] for event in events[before - 1 :]))
        folded.append(trim.snapshot.before - before)
    assert max(folded) == FOLDED_A_COMMIT + 20
    assert trim.snapshot.before == story.journal.last - KEEP + 1


def test_a_large_state_is_not_written_again_for_every_few_events() -> None:
    story = Story()
    trim = JournalTrim(KEEP, Snapshot())
    waiting = [story.register()]
    written = 0
    for number in range(20 * WINDOWS):
        waiting.append(story.add() if number < WINDOWS else story.come_and_go())
        if trim.is_due(story.journal.last):
            blobs = (Codec().decode_blob(row.blob) for row in waiting)
            before = trim.snapshot.before
            written += len(trim.advance(story.journal.last, 2, blobs).rows)
            while waiting[0].first < trim.snapshot.before != before:
                del waiting[0]
    rows = len(list(trim.snapshot.rows()))
    assert rows > WINDOWS // 2
    assert trim.shown > WINDOWS
    assert written - rows <= story.journal.last // EVENTS_A_ROW


def test_a_reader_sees_the_former_snapshot_until_the_next_one_is_whole(log: SagaLog) -> None:
    story = Story()
    log.commit([story.register()])
    befores: list[int] = []
    for _ in range(WINDOWS):
        log.commit([story.add(2)])
        if log.reader().view().first not in befores:
            befores.append(log.reader().view().first)
            story.assert_shown_by(log)
    assert len(befores) > 3
    assert log.reader().snapshot_page(0, 10**6).total > 2 * WRITTEN_A_COMMIT


def test_a_blob_that_spans_a_whole_step_is_kept_until_it_can_be_folded(log: SagaLog) -> None:
    story = Story()
    log.commit([story.register()])
    for _ in range(KEEP // 4):
        log.commit([story.come_and_go()])
    log.commit([story.come_and_go(KEEP // 2)])
    befores: list[int] = []
    for _ in range(KEEP):
        log.commit([story.come_and_go()])
        befores.append(log.reader().view().first)
        story.assert_shown_by(log)
    assert len(set(befores)) > 3


def test_commits_that_fail_while_a_snapshot_is_written_spoil_nothing(
    open_file: MakeLog,
) -> None:
    log = open_file()
    story = Story()
    log.commit([story.register(), SagaOpened(1, "s", {}, None, None, None, 0)])
    failing = SagaOpened(1, "its id is taken: the commit fails", {}, None, None, None, 0)
    befores: list[int] = []
    for _ in range(WINDOWS):
        row = story.add(2)
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            log.commit([row, failing])
        refuse_last_statement(log)
        with pytest.raises(LogUnavailableError, match="not authorized"):
            log.commit([row])
        allow_all(log)
        log.commit([row])
        if log.reader().view().first not in befores:
            befores.append(log.reader().view().first)
            story.assert_shown_by(log)
    assert len(befores) > 3


def test_a_log_that_ends_while_a_snapshot_is_written_goes_on(open_file: MakeLog) -> None:
    log = open_file()
    story = Story()
    log.commit([story.register()])
    befores: list[int] = []
    for number in range(WINDOWS):
        log.commit([story.add(2)])
        befores.append(log.reader().view().first)
        if number % 7 == 0:
            log = open_file()
    assert len(dict.fromkeys(befores)) > 3
    story.assert_shown_by(log)


def test_what_is_not_shown_any_more_is_swept_out(open_file: MakeLog) -> None:
    log = open_file()
    assert isinstance(log, SqliteSagaLog)
    story = Story()
    log.commit([story.register()])
    for _ in range(WINDOWS):
        log.commit([story.add(2)])
    view = log.reader().view()
    before = view.first
    while log.reader().view().first == before:
        log.commit([story.add()])
    for _ in range(story.journal.last // SWEPT_A_COMMIT):
        log.commit([])
    shown = log.reader().view().first
    db = log._db  # noqa: SLF001 - what is in the file
    assert db.execute("SELECT DISTINCT before FROM snapshot").fetchall() == [(shown,)]
    assert db.execute("SELECT min(first) FROM blob").fetchone() == (shown,)


def refuse_last_statement(log: SagaLog) -> None:
    """Have a commit fail at its very end: at COMMIT."""
    assert isinstance(log, SqliteSagaLog)

    def authorize(action: int, first: str | None, *_: object) -> int:
        commits = action == sqlite3.SQLITE_TRANSACTION and first == "COMMIT"
        return sqlite3.SQLITE_DENY if commits else sqlite3.SQLITE_OK

    log._db.set_authorizer(authorize)  # noqa: SLF001 - a failure that no real disk gives on demand


def allow_all(log: SagaLog) -> None:
    assert isinstance(log, SqliteSagaLog)
    log._db.set_authorizer(None)  # noqa: SLF001 - as above
