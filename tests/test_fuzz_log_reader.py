"""Fuzz: a spoiled log is refused by its own error and left as it is, or gives what it has."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actors.engine import Engine, EngineSettings
from actors.saga_log import LogContents, SagaLog
from actors.sqlite_log_file import LogRefusedError
from actors.sqlite_read_only import LogUnreadableError, reading
from actors.sqlite_saga_list import newest_sagas
from actors.sqlite_saga_log import SqliteSagaLog
from actors.sqlite_saga_rows import beginning, saga_view
from tests.fuzz_messages import hostile_values, packed
from tests.fuzz_profiles import fuzzed
from tests.launcher_harness import PlayedLauncher
from transport.messages import ReportPanesReaped, ReportWindowClosed

LOG_ID = "f" * 32
COLUMNS = {
    "log": ("log_id", "next_saga_id", "version", "before", "lowest_open"),
    "saga_opened": (
        *("name", "input", "cause", "host", "epoch", "deadline", "extended", "extensions"),
        *("opened_at", "target", "command"),
    ),
    "saga_closed": ("closed_at", "result", "failure"),
    "step_issued": ("step", "target", "command", "is_closed", "failure"),
    "event_delivered": ("event",),
    "blob": ("first", "last", "blob"),
    "snapshot": ("before", "number", "row"),
    "report_taken": ("host", "epoch", "sequence"),
    "superseded": ("host", "epoch", "by"),
}

sql_values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
    hostile_values.map(packed),
    hostile_values.map(lambda value: packed({"type": "Events", "first": 1, "events": [value]})),
    st.sampled_from(["{}", "[]", "null", "[" * 5_000, '{"promoted_label": [1]}', '{"host": 1}']),
    st.sampled_from([b"\x91" * 5_000, "host", "self", "f" * 32, 1, 0, -1]),
)
"""Whatever a cell of a table may have."""


def log_at(path: Path) -> SqliteSagaLog:
    return SqliteSagaLog(path, new_log_id=LOG_ID, wall=lambda: 0, journal_events=40)


def used(path: Path) -> Iterator[dict[str, bytes]]:
    """Use a log in every way; give its files as a kill leaves them, and as a close does."""
    log: SagaLog = log_at(path)
    launcher = PlayedLauncher()
    launcher.log = log  # type: ignore[assignment]
    launcher.engine = launcher.engine_from_log(frozenset())
    launcher.filled_host("left").promote(launcher.pool_of(launcher.hosts[b"connection-0"])[0], "p")
    launcher.filled_host("right", "2" * 32)
    later = launcher.filled_host("right", "3" * 32)
    for number in range(12):
        later.promote(launcher.pool_of(later)[0], f"p-{number}")
        later.answer_all()
    later.promote(launcher.pool_of(later)[0], "open")
    label = launcher.opened_of(later)[0]
    later.report(ReportWindowClosed(label=label))
    later.report(ReportPanesReaped(label=label, identity=later.commands[-1].identity))
    later.report(ReportPanesReaped(label=label))  # refused: no event tells that it was taken
    yield files_of(path)
    launcher.log.close()  # type: ignore[attr-defined]
    yield files_of(path)


def files_of(path: Path) -> dict[str, bytes]:
    names = (path.name, f"{path.name}-wal")
    files = {name: path.with_name(name) for name in names}
    return {name: file.read_bytes() for name, file in files.items() if file.exists()}


@cache
def whole() -> tuple[dict[str, bytes], ...]:
    """Give the files of a log that was killed, and of one that was closed."""
    with TemporaryDirectory() as directory:
        return tuple(used(Path(directory) / "log"))


def put_down(directory: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory / "log"


def loaded(path: Path) -> LogContents:
    with closing(log_at(path)) as log:
        return log.load()


def begin_with(contents: LogContents) -> None:
    """Let a launcher begin with what a log gave: open sagas are made anew."""
    engine = Engine(EngineSettings(), contents=contents, epoch="a" * 32, now=0)
    engine.end_pass()
    engine.fire_timers(3_600_000_000_000, drained=True)
    engine.end_pass()


def read_only(path: Path) -> tuple[Callable[[], Any], ...]:
    """Give what reads a log while it may be another's."""

    def story(saga_id: int) -> Any:
        with reading(path) as db:
            return saga_view(db, saga_id)

    def started() -> Any:
        with reading(path) as db:
            return beginning(db)

    return (lambda: newest_sagas(path), started, lambda: story(1), lambda: story(5))


def check_reading(path: Path) -> None:
    before = files_of(path)
    for read in read_only(path):
        with suppress(LogUnreadableError):
            read()
    assert files_of(path) == before


def check_starting(path: Path) -> None:
    before = files_of(path)
    try:
        contents = loaded(path)
    except LogRefusedError as error:
        said = str(error)
    else:
        begin_with(contents)
        return
    assert str(path) in said
    assert "\n" not in said
    # A file that passed the first look has been opened for writing: SQLite folds its tail in.
    if f"{path.name}-wal" not in before and "a row of it" not in said:
        assert files_of(path) == before


def test_the_log_that_is_spoiled_here_is_whole_before() -> None:
    for files in whole():
        with TemporaryDirectory() as directory:
            path = put_down(Path(directory), files)
            check_reading(path)
            contents = loaded(path)
            assert {each.opened.host for each in contents.open_sagas} == {"left", "right"}
            begin_with(contents)
    with TemporaryDirectory() as directory:
        path = put_down(Path(directory), whole()[1])
        with closing(sqlite3.connect(path)) as db:
            for table in COLUMNS:
                assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table  # noqa: S608 - ours


@fuzzed(100)
@given(
    files=st.sampled_from([0, 1]),
    spoils=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=16)),
        min_size=1,
        max_size=4,
    ),
    name=st.sampled_from(["log", "log-wal"]),
    cut=st.one_of(st.none(), st.floats(0, 1)),
)
def test_bytes_of_the_files_are_spoiled(
    files: int, spoils: list[tuple[float, bytes]], name: str, cut: float | None
) -> None:
    spoiled = dict(whole()[files])
    name = name if name in spoiled else "log"
    content = bytearray(spoiled[name])
    for where, data in spoils:
        at = int(where * len(content))
        content[at : at + len(data)] = data
    spoiled[name] = bytes(content[: None if cut is None else int(cut * len(content))])
    with TemporaryDirectory() as directory:
        path = put_down(Path(directory), spoiled)
        check_reading(path)
        check_starting(path)


@st.composite
def spoiled_cells(draw: st.DrawFn) -> tuple[str, str, Any, float]:
    table = draw(st.sampled_from(sorted(COLUMNS)))
    column = draw(st.sampled_from(COLUMNS[table]))
    return table, column, draw(sql_values), draw(st.floats(0, 1))


@fuzzed(250)
@given(cells=st.lists(spoiled_cells(), min_size=1, max_size=2))
def test_cells_of_the_tables_are_spoiled(cells: list[tuple[str, str, Any, float]]) -> None:
    with TemporaryDirectory() as directory:
        path = put_down(Path(directory), whole()[1])
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for table, column, value, where in cells:
                spoil(db, table, column, value, where)
        check_reading(path)
        check_starting(path)


def spoil(db: sqlite3.Connection, table: str, column: str, value: Any, where: float) -> None:
    db.execute("PRAGMA foreign_keys = OFF")
    (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    key = db.execute(f"SELECT * FROM {table} LIMIT 1 OFFSET ?", (int(where * (count - 1)),))  # noqa: S608
    names = [each[0] for each in key.description]
    row = key.fetchone()
    places = " AND ".join(f"{name} IS ?" for name in names)
    with suppress(sqlite3.IntegrityError, sqlite3.DataError):
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {places}", (value, *row))  # noqa: S608
