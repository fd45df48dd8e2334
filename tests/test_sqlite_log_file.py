"""A log file is made whole, looked at before it is touched, and brought up to date."""

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from actors.saga_log import LogContents, ReportsTaken, SagaLog
from actors.sqlite_log_file import PAGE_BYTES, SCHEMA, LogRefusedError, Schema, open_log_file
from actors.sqlite_read_only import reading
from actors.sqlite_saga_list import newest_sagas
from actors.sqlite_saga_log import SqliteSagaLog
from actors.sqlite_saga_rows import beginning, saga_view
from tests.launcher_harness import PlayedLauncher
from tests.test_engine_rebuild import reregister
from transport.endpoints import EndpointError
from transport.messages import ReportPanesReaped, SagaCompleted, SagaFailed, SagaStarted

LOG_ID = "f" * 32
SCHEMA_1 = Schema(
    1,
    """
CREATE TABLE log (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL,
    next_saga_id INTEGER NOT NULL, version INTEGER NOT NULL, before INTEGER NOT NULL);
CREATE TABLE saga (saga_id INTEGER PRIMARY KEY, name TEXT NOT NULL, input TEXT NOT NULL,
    cause INTEGER, host TEXT, epoch TEXT, deadline INTEGER NOT NULL,
    extended INTEGER, extensions INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER NOT NULL, closed_at INTEGER, result TEXT, failure TEXT);
CREATE INDEX open_saga ON saga (saga_id) WHERE closed_at IS NULL;
CREATE INDEX closed_saga ON saga (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE step (saga_id INTEGER NOT NULL REFERENCES saga ON DELETE CASCADE,
    step INTEGER NOT NULL, target TEXT NOT NULL, command BLOB NOT NULL,
    is_closed INTEGER NOT NULL DEFAULT 0, failure TEXT, PRIMARY KEY (saga_id, step)) WITHOUT ROWID;
CREATE TABLE delivered (number INTEGER PRIMARY KEY,
    saga_id INTEGER NOT NULL REFERENCES saga ON DELETE CASCADE, event BLOB NOT NULL);
CREATE INDEX delivered_to ON delivered (saga_id);
CREATE TABLE blob (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE TABLE snapshot (number INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE report_taken (host TEXT NOT NULL, epoch TEXT NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (host, epoch)) WITHOUT ROWID;
CREATE TABLE superseded (host TEXT NOT NULL, epoch TEXT NOT NULL, by TEXT NOT NULL,
    PRIMARY KEY (host, epoch)) WITHOUT ROWID;
""",
)
"""What files looked like at first."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


def log_at(path: Path, journal_events: int = 200_000) -> SqliteSagaLog:
    return SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 0, journal_events=journal_events)


def playing(log: SagaLog) -> PlayedLauncher:
    launcher = PlayedLauncher()
    launcher.log = log  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    return launcher


def well_used(path: Path) -> None:
    """Make a log of many pages, with one saga open, and leave nothing in its tail."""
    log = log_at(path)
    launcher = playing(log)
    host = launcher.filled_host(target=4)
    for number in range(100):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    host.promote(launcher.pool_of(host)[0], "the-last")
    host.report(ReportPanesReaped(label="nobody's"))  # refused: no event tells that it was taken
    log.close()


def everything(path: Path) -> dict[str, bytes]:
    """Give what there is beside the lock, which says who had the log."""
    files = [each for each in path.parent.iterdir() if not each.name.endswith(".lock")]
    return {each.name: each.read_bytes() for each in files if each.is_file()}


def refused(path: Path) -> str:
    before = everything(path)
    with pytest.raises(LogRefusedError) as caught, closing(log_at(path)) as log:
        log.load()
    assert everything(path) == before
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    return said


def test_a_corrupt_page_anywhere_is_found_at_the_start_and_the_file_stays_as_it_is(
    path: Path,
) -> None:
    well_used(path)
    whole = path.read_bytes()
    generator = random.Random(4)
    pages = range(0, len(whole), PAGE_BYTES)
    assert len(pages) > 10
    for page in pages:
        path.write_bytes(
            whole[:page] + generator.randbytes(PAGE_BYTES) + whole[page + PAGE_BYTES :]
        )
        said = refused(path)
        assert "restore it from a backup" in said or "no saga log" in said
    path.write_bytes(whole)
    log = log_at(path)
    assert len(log.load().open_sagas) == 1
    log.close()


def with_noise(whole: bytes, page: int, generator: random.Random) -> bytes:
    return whole[:page] + generator.randbytes(PAGE_BYTES) + whole[page + PAGE_BYTES :]


def test_a_file_too_large_to_be_looked_through_is_refused_where_what_is_needed_is_corrupt(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well_used(path)
    monkeypatch.setattr("actors.sqlite_log_file.LOOKED_THROUGH_BYTES", 0)
    whole = path.read_bytes()
    generator = random.Random(4)
    refusals, pages = 0, range(0, len(whole), PAGE_BYTES)
    for page in pages:
        path.write_bytes(
            whole[:page] + generator.randbytes(PAGE_BYTES) + whole[page + PAGE_BYTES :]
        )
        try:
            with closing(log_at(path)) as log:
                [found] = log.load().open_sagas
        except LogRefusedError:
            refusals += 1
        else:
            assert found.opened.name == "pool_respawn_on_promote"
    assert 0 < refusals < len(pages)


@pytest.mark.parametrize("left", [100, PAGE_BYTES, 5 * PAGE_BYTES])
def test_a_truncated_file_is_refused_and_stays_as_it_is(path: Path, left: int) -> None:
    well_used(path)
    path.write_bytes(path.read_bytes()[:left])
    assert "restore it from a backup" in refused(path)


def test_an_empty_file_with_a_tail_is_no_new_log(path: Path) -> None:
    path.touch()
    path.with_name("log.sqlite-wal").write_bytes(b"what is left of a log")
    assert "is empty, but log.sqlite-wal is not" in refused(path)


def test_a_row_that_cannot_be_read_is_corrupt_too(path: Path) -> None:
    well_used(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE blob SET blob = x'c1' WHERE first = (SELECT max(first) FROM blob)")
    assert "a row of it cannot be read" in refused(path)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE log SET log_id = 5",
        "UPDATE log SET version = 'x'",
        "UPDATE log SET version = version - 1",
        "UPDATE log SET next_saga_id = 1",
        "UPDATE log SET lowest_open = next_saga_id + 1",
        "UPDATE log SET lowest_open = 'x'",
        "DELETE FROM log",
        "UPDATE saga_opened SET deadline = 'x'",
        "UPDATE saga_opened SET input = '[]'",
        "UPDATE saga_opened SET command = 'text'",
        "UPDATE report_taken SET sequence = 1.5",
        "DELETE FROM blob WHERE first = (SELECT max(first) FROM blob)",
    ],
)
def test_a_cell_or_a_number_that_no_launcher_wrote_is_corrupt_too(path: Path, spoil: str) -> None:
    well_used(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(spoil)
    assert "a row of it cannot be read" in refused(path)


def with_tail(path: Path, statement: str) -> None:
    """Change a log as a writer does that is killed: what it wrote is in the tail alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(statement)
        files = everything(path)
    for name, data in files.items():
        (path.parent / name).write_bytes(data)
    path.with_name("log.sqlite-shm").unlink()


def test_a_newer_log_that_was_not_closed_keeps_its_tail(path: Path) -> None:
    well_used(path)
    with_tail(path, "PRAGMA user_version = 99")
    before = {name: data for name, data in everything(path).items() if name.endswith("-wal")}
    main = path.read_bytes()
    with pytest.raises(LogRefusedError, match="has schema 99"):
        log_at(path)
    assert path.read_bytes() == main
    assert {name: (path.parent / name).read_bytes() for name in before} == before != {}


def test_a_start_that_was_killed_while_it_made_the_log_leaves_no_half_log(path: Path) -> None:
    path.with_name("log.sqlite.new").write_bytes(b"half of it")
    log = log_at(path)
    assert log.load().version == 0
    log.close()
    assert set(everything(path)) == {"log.sqlite"}


def test_a_new_log_appears_whole_or_not_at_all(path: Path) -> None:
    broken = replace(SCHEMA, creation=SCHEMA.creation + "CREATE TABLE log (again);")
    with pytest.raises(LogRefusedError, match="already exists"):
        open_log_file(path, durability="process", new_log_id=LOG_ID, schema=broken)
    assert everything(path) == {}


def test_a_log_with_two_names_is_one_log(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "another.sqlite"
    link.symlink_to(path)
    with closing(log_at(link)) as log:
        log.commit([ReportsTaken("h", "1" * 32, 7)])
        with pytest.raises(EndpointError, match=rf"the launcher of {link} \(pid {os.getpid()}\)"):
            log_at(path)
    assert link.is_symlink()
    assert set(everything(path)) == {"log.sqlite"}
    with_tail(path, "PRAGMA user_version = 99")
    with pytest.raises(LogRefusedError, match="has schema 99"):
        log_at(link)


def make_old(path: Path, schema: Schema, fill: Callable[[sqlite3.Connection], None]) -> None:
    with closing(open_log_file(path, durability="process", new_log_id=LOG_ID, schema=schema)) as db:
        fill(db)


def tables_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: db.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - the schema's names
            for (name,) in tables
        }


CONTENTS_1 = {
    "log": "SELECT one, log_id, next_saga_id, version, before FROM log",
    "saga": "SELECT * FROM saga",
    "step": "SELECT * FROM step",
    "delivered": "SELECT * FROM event_delivered",
    "blob": "SELECT * FROM blob",
    "snapshot": "SELECT number, row FROM snapshot",
    "report_taken": "SELECT * FROM report_taken",
    "superseded": "SELECT * FROM superseded",
}
"""What a log has, as rows of the first schema's tables."""


def copied_to_schema_1(path: Path, old: Path) -> None:
    """Make a file of the first schema with the contents of a log."""

    def fill(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM log")
        with closing(sqlite3.connect(path)) as new:
            for name, sql in CONTENTS_1.items():
                for row in new.execute(sql):
                    places = ", ".join("?" * len(row))
                    db.execute(f"INSERT INTO {name} VALUES ({places})", row)  # noqa: S608

    make_old(old, SCHEMA_1, fill)


def test_a_log_of_the_first_schema_is_brought_up_to_date_and_goes_on(
    path: Path, tmp_path: Path
) -> None:
    log = log_at(path, journal_events=50)
    launcher = playing(log)
    host = launcher.filled_host()
    for number in range(40):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    host.promote(launcher.pool_of(host)[0], "the-last")
    assert log.reader().view().first > 50
    contents = log.load()
    log.close()
    old = tmp_path / "old.sqlite"
    copied_to_schema_1(path, old)

    launcher.log = log_at(old, journal_events=50)  # type: ignore[assignment]
    assert _comparable(launcher.log.load()) == _comparable(contents)
    launcher.restart()
    reregister(launcher, host)
    host.commands = host.commands[-1:]
    host.answer_all()
    host.promote(launcher.pool_of(host)[0], "one-more")
    host.answer_all()
    assert launcher.of_type(SagaFailed) == []
    assert len(launcher.of_type(SagaCompleted)) == len(launcher.of_type(SagaStarted)) == 44
    launcher.log.close()  # type: ignore[attr-defined]
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA.version,)


@pytest.mark.parametrize("closed", [True, False])
def test_a_log_of_the_first_schema_is_read_as_it_stands(
    path: Path,
    tmp_path: Path,
    closed: bool,  # noqa: FBT001 - or as a kill leaves it
) -> None:
    well_used(path)
    old = tmp_path / "old" / "log.sqlite"
    old.parent.mkdir()
    copied_to_schema_1(path, old)
    if not closed:
        with_tail(old, "UPDATE log SET before = before")
    before = everything(old)

    def read(log: Path) -> tuple[object, ...]:
        with reading(log) as db:
            return beginning(db), newest_sagas(log), [saga_view(db, each) for each in (1, 2, 99)]

    assert read(old) == read(path)
    assert {name: data for name, data in everything(old).items() if name in before} == before


def _comparable(contents: LogContents) -> tuple[object, ...]:
    hosts = {
        name: (list(host.pool), list(host.opened), host.closed.ranges())
        for name, host in contents.mirror.hosts.items()
    }
    sagas = [(each.opened, each.steps, each.delivered) for each in contents.open_sagas]
    return contents.version, contents.next_saga_id, hosts, sagas, contents.reports_taken


TWICE = Schema(
    SCHEMA.version + 2,
    SCHEMA.creation,
    {
        **SCHEMA.migrations,
        SCHEMA.version: "ALTER TABLE saga_opened ADD COLUMN colour TEXT; "
        "UPDATE saga_opened SET colour = 'red'",
        SCHEMA.version + 1: "ALTER TABLE saga_opened RENAME COLUMN colour TO tint",
    },
)


def test_migrations_run_in_order_in_one_transaction(path: Path) -> None:
    well_used(path)
    with closing(open_log_file(path, durability="process", new_log_id=LOG_ID, schema=TWICE)) as db:
        assert db.execute("SELECT DISTINCT tint FROM saga_opened").fetchall() == [("red",)]
        assert db.execute("PRAGMA user_version").fetchone() == (TWICE.version,)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert f"has schema {TWICE.version}" in refused(path)


def test_a_migration_that_fails_leaves_the_log_as_it_was(path: Path) -> None:
    well_used(path)
    before = tables_of(path)
    migrations = {**TWICE.migrations, SCHEMA.version + 1: "ALTER TABLE missing RENAME TO more"}
    broken = replace(TWICE, migrations=migrations)
    with pytest.raises(LogRefusedError, match="no such table: missing"):
        open_log_file(path, durability="process", new_log_id=LOG_ID, schema=broken)
    assert tables_of(path) == before
    log = log_at(path)
    assert len(log.load().open_sagas) == 1
    log.close()


def test_a_log_too_old_to_be_brought_up_to_date_is_refused(path: Path) -> None:
    well_used(path)
    before = path.read_bytes()
    far = replace(TWICE, migrations={SCHEMA.version + 1: ""})
    with pytest.raises(LogRefusedError, match="cannot bring up to"):
        open_log_file(path, durability="process", new_log_id=LOG_ID, schema=far)
    assert path.read_bytes() == before


def test_a_commit_that_was_cut_off_anywhere_while_it_was_written_never_happened(
    path: Path, tmp_path: Path
) -> None:
    log = log_at(path)
    launcher = playing(log)
    host = launcher.filled_host()
    tail = path.with_name("log.sqlite-wal")
    main, before, size_before = path.read_bytes(), log.load(), tail.stat().st_size
    host.promote(launcher.pool_of(host)[0], "promote-1")
    after, written = log.load(), tail.read_bytes()
    log.close()

    torn = tmp_path / "torn" / "log.sqlite"
    torn.parent.mkdir()
    frame = 24 + PAGE_BYTES
    cuts = [*range(size_before, len(written), frame // 3), len(written) - 1]
    assert len(cuts) > 10
    for cut in cuts:
        torn.write_bytes(main)
        torn.with_name("log.sqlite-wal").write_bytes(written[:cut])
        with closing(log_at(torn)) as found:
            assert _comparable(found.load()) == _comparable(before)
    torn.write_bytes(main)
    torn.with_name("log.sqlite-wal").write_bytes(written)
    with closing(log_at(torn)) as found:
        assert _comparable(found.load()) == _comparable(after) != _comparable(before)
