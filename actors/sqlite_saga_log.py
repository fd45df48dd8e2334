"""The saga log in an SQLite file: it survives `kill -9` of anything, or a power cut, as asked.

WAL, one writer, `BEGIN IMMEDIATE`, foreign keys; one transaction a pass. What the file promises:

* `durability="process"` (`synchronous=NORMAL`): every commit survives the end of the process.
* `durability="power"` (`synchronous=FULL`): and a power cut. See
  <https://www.sqlite.org/pragma.html#pragma_synchronous>.

A file that cannot be opened for writing, is corrupt, is none of ours or is of a newer version is
refused and left as it is. One process has it at a time; the second is told which is the first.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from actors.journal_trim import JournalTrim
from actors.saga_log import LogContents, LogUnavailableError, Row, SagaRecord, last_reports
from actors.sqlite_checked_rows import SupersededRow, TakenRow, checked, log_row
from actors.sqlite_checkpoint import Checkpointer
from actors.sqlite_journal_reader import SqliteJournalReader
from actors.sqlite_log_file import (
    Durability,
    LogRefusedError,
    hold_log_file,
    open_log_file,
    refusal,
)
from actors.sqlite_row_writer import RowBatch
from actors.sqlite_saga_rows import open_ids, open_sagas, steps_of
from actors.state import OpenIds
from transport.codec import Codec, encode, unpack
from transport.event_stream.query_session import JournalReader
from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded, SnapshotRow

SECOND = 1_000_000_000
RETENTION = 7 * 24 * 3600 * SECOND
"""How long finished sagas are kept, in nanoseconds; unfinished ones always are."""

LOOKED_AT_A_COMMIT = 64
"""At how many of the oldest sagas one commit looks, whether their retention is over."""

SWEPT_A_COMMIT = 64
"""How many blobs, and snapshot rows, that readers do not see any more one commit deletes."""

__all__ = ["RETENTION", "Durability", "LogRefusedError", "SqliteSagaLog", "WallClock"]

WallClock = Callable[[], int]

_snapshot_row = msgspec.msgpack.Decoder(SnapshotRow)


class SqliteSagaLog:
    """A saga log in a file; it belongs to the thread that opened it.

    Args:
        path: the file; made if it is not there.
        new_log_id: the id of a log that is made: 128 random bits, as 32 hexadecimal digits.
        durability: what a commit survives.
        journal_events: how many events the journal keeps, at least.
        codec: knows the event types of the sagas and the snapshot.
        wall: gives the wall clock for retention, in nanoseconds.

    Raises:
        LogRefusedError: the file cannot be used.
        EndpointError: another process has it; names that one.
    """

    def __init__(
        self,
        path: Path,
        *,
        new_log_id: str,
        wall: WallClock,
        durability: Durability = "process",
        journal_events: int = 200_000,
        codec: Codec | None = None,
    ) -> None:
        self._path = path
        self._codec = codec or Codec()
        self._wall = wall
        self._lock = hold_log_file(path)
        try:
            self._db = open_log_file(path, durability=durability, new_log_id=new_log_id)
        except LogRefusedError:
            self._lock.release()
            raise
        try:
            with refusal(path):
                found = log_row(self._db)
                snapshot = self._stored_snapshot(found.before)
                sql = "SELECT count(*) FROM snapshot WHERE before = ?"
                (rows_shown,) = self._db.execute(sql, (found.before,)).fetchone()
                fed = self._db.execute("SELECT DISTINCT saga_id FROM event_delivered")
                self._fed = {saga_id for (saga_id,) in fed.fetchall()}
                self._open = OpenIds()
                for saga_id in open_ids(self._db):
                    self._open.add(saga_id)
        except LogRefusedError:
            self._db.close()
            self._lock.release()
            raise
        self._log_id = found.log_id
        self._last = found.version
        self._next_saga_id = found.next_saga_id
        self._committed = (found.version, found.before)
        self._is_swept = False
        self._trim = JournalTrim(journal_events, snapshot, rows_shown)
        self._checkpointer = Checkpointer(path)
        self._forget_at = 0
        self._forgotten_up_to = 0
        self._look_at = 0
        self._file = path.stat()

    @property
    def log_id(self) -> str:
        """The log's own id: saga ids and versions belong to it."""
        return self._log_id

    def close(self) -> None:
        """Close the file and let the next process have it."""
        self._checkpointer.close()
        self._db.close()
        self._lock.release()

    # --- writing ------------------------------------------------------------------------------

    def commit(self, rows: Sequence[Row]) -> None:
        """Make all rows durable, in one transaction.

        Raises:
            LogUnavailableError: none of them is; the same commit can be tried again.
            sqlite3.IntegrityError: none of them is, and none ever can be: they contradict the log.
        """
        db, wall = self._db, self._wall()
        if wall >= self._look_at:
            self._look_for_file(wall)
        batch = RowBatch.of(rows, wall)
        try:
            db.execute("BEGIN IMMEDIATE")
            batch.write(db, self._fed, self._lowest_open())
            self._last = batch.version or self._last
            if wall >= self._forget_at:
                self._forget_old(wall)
            if not self._is_swept or self._trim.is_due(self._last):
                self._trim_journal()
            db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if db.in_transaction:
                    db.execute("ROLLBACK")
            self._recall()
            if isinstance(error, sqlite3.IntegrityError):
                raise
            msg = f"{self._path}: {error}"
            raise LogUnavailableError(msg) from error
        self._committed = (self._last, self._trim.shown)
        self._fed |= batch.fed
        self._fed.difference_update(batch.closed)
        for saga_id in batch.opened:
            self._open.add(saga_id)
        for saga_id in batch.closed:
            self._open.discard(saga_id)
        self._next_saga_id = batch.next_saga_id or self._next_saga_id
        self._checkpointer.committed(db, len(rows), batch.blob_bytes)

    def _lowest_open(self) -> int:
        """Give an id such that no saga with a lower one is open, before and after a commit."""
        lowest = self._open.lowest()
        return self._next_saga_id if lowest is None else lowest

    def _look_for_file(self, wall: int) -> None:
        """Make sure that the file is where the next launcher will look for it.

        Raises:
            LogUnavailableError: it was taken away, or another one is in its place.
        """
        try:
            is_there = os.path.samestat(self._path.stat(), self._file)
        except OSError:
            is_there = False
        if not is_there:
            msg = f"{self._path}: the file was taken away while it was in use: put it back"
            raise LogUnavailableError(msg)
        self._look_at = wall + SECOND

    def _forget_old(self, wall: int) -> None:
        """Delete finished sagas past their retention, by id: a saga is older than those after it.

        So closing a saga costs no index. Having come to one that is too young to be over, it begins
        again a second later.
        """
        sql = (
            "SELECT saga_id, closed_at < ?1, opened_at >= ?1 FROM saga WHERE saga_id > ?2 "
            "ORDER BY saga_id LIMIT ?3"
        )
        oldest = (wall - RETENTION, self._forgotten_up_to, LOOKED_AT_A_COMMIT)
        found = self._db.execute(sql, oldest).fetchall()
        over = [(saga_id,) for saga_id, is_over, _ in found if is_over]
        self._db.executemany("DELETE FROM saga_opened WHERE saga_id = ?", over)
        self._db.executemany("DELETE FROM saga_closed WHERE saga_id = ?", over)
        last_id, _, is_young = found[-1] if found else (0, False, True)
        if is_young or len(found) < LOOKED_AT_A_COMMIT:
            self._forgotten_up_to = 0
            self._forget_at = wall + SECOND
        else:
            self._forgotten_up_to = last_id

    def _trim_journal(self) -> None:
        trim, db = self._trim, self._db
        shown = trim.shown
        added = self._last - self._committed[0]
        written = trim.advance(self._last, added, self._blobs_from(trim.snapshot.before))
        if written.rows:
            before = trim.snapshot.before
            numbered = enumerate(written.rows, written.first)
            rows = [(before, number, encode(row)) for number, row in numbered]
            db.executemany("REPLACE INTO snapshot VALUES (?, ?, ?)", rows)
        if trim.shown != shown:
            db.execute("UPDATE log SET before = ?", (trim.shown,))
            self._is_swept = False
        if not self._is_swept:
            self._sweep()

    def _sweep(self) -> None:
        """Delete some of what readers do not see any more."""
        db, shown = self._db, self._trim.shown
        rows = db.execute(
            "DELETE FROM snapshot WHERE (before, number) IN "
            "(SELECT before, number FROM snapshot WHERE before < ? LIMIT ?)",
            (shown, SWEPT_A_COMMIT),
        )
        blobs = db.execute(
            "DELETE FROM blob WHERE first IN (SELECT first FROM blob WHERE first < ? LIMIT ?)",
            (shown, SWEPT_A_COMMIT),
        )
        self._is_swept = max(rows.rowcount, blobs.rowcount) < SWEPT_A_COMMIT

    # --- reading ------------------------------------------------------------------------------

    def load(self) -> LogContents:
        """Give everything that is committed, for a launcher to begin with.

        Raises:
            LogRefusedError: something of it cannot be read.
        """
        with refusal(self._path):
            return self._contents()

    def _contents(self) -> LogContents:
        db = self._db
        log = log_row(db)
        snapshot = self._stored_snapshot(log.before)
        for events in self._blobs_from(log.before):
            snapshot.fold(events)
        if snapshot.before != log.version + 1:
            msg = f"the journal ends before version {snapshot.before}, not after {log.version}"
            raise ValueError(msg)
        (last_saga_id,) = db.execute("SELECT ifnull(max(saga_id), 0) FROM saga_opened").fetchone()
        if last_saga_id >= log.next_saga_id:
            msg = f"there is a saga {last_saga_id}, but the next id is {log.next_saga_id}"
            raise ValueError(msg)
        if log.lowest_open > log.next_saga_id:
            msg = (
                f"the lowest open saga is {log.lowest_open}, but the next id is {log.next_saga_id}"
            )
            raise ValueError(msg)
        taken = checked(db.execute("SELECT host, epoch, sequence FROM report_taken"), TakenRow)
        superseded = checked(db.execute("SELECT host, epoch, by FROM superseded"), SupersededRow)
        return LogContents(
            log_id=self._log_id,
            version=log.version,
            next_saga_id=log.next_saga_id,
            mirror=snapshot.mirror,
            open_sagas=list(self._open_sagas()),
            reports_taken=last_reports(
                {each[:2]: each.sequence for each in taken}, snapshot.mirror
            ),
            superseded={each[:2]: each.by for each in superseded},
        )

    def reader(self) -> JournalReader:
        """Give a reader of what is committed, for one other thread."""
        return SqliteJournalReader(self._path, self._log_id)

    def _open_sagas(self) -> Iterator[SagaRecord]:
        for opened, row in open_sagas(self._db):
            record = SagaRecord(opened, row.extended or row.deadline, row.extensions)
            steps = steps_of(self._db, row.saga_id, is_open=True)
            record.steps, record.closed_steps = steps
            sql = "SELECT event FROM event_delivered WHERE saga_id = ? ORDER BY number"
            for (frame,) in self._db.execute(sql, (row.saga_id,)):
                record.delivered.append(self._codec.decode_event(unpack(frame)))
            yield record

    def _stored_snapshot(self, before: int) -> Snapshot:
        sql = "SELECT row FROM snapshot WHERE before = ? ORDER BY number"
        frames = self._db.execute(sql, (before,))
        rows = (_snapshot_row.decode(frame) for (frame,) in frames)
        return Snapshot.from_rows(rows, self._codec, before=before)

    def _blobs_from(self, version: int) -> Iterator[list[Recorded]]:
        sql = "SELECT blob FROM blob WHERE first >= ? ORDER BY first"
        for (blob,) in self._db.execute(sql, (version,)):
            yield self._codec.decode_blob(blob)

    def _recall(self) -> None:
        """Know again what is committed, after a commit that failed."""
        self._last, shown = self._committed
        self._trim.not_committed(shown)
        self._is_swept = False
