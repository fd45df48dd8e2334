"""What is left to judge a run of `tests.random_kills` by, and how it is read from the files."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transport.codec import Codec, unpack
from transport.messages import Event, Recorded

HostLine = Mapping[str, Any]
"""One happening of a host's own record, as `host_sim.history` writes it."""


@dataclass(frozen=True, slots=True)
class SagaRow:
    """A saga as the log has it. `state`: `open`, `completed` or `failed`."""

    saga_id: int
    name: str
    host: str | None
    epoch: str | None
    state: str
    end: str | None


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """What the log has.

    Attributes:
        sagas: all of them, by id, rising.
        awaited: sagas and steps that no report has settled.
        blobs: the journal, from `before` on: each blob's first and last version and its events.
    """

    log_id: str
    version: int
    next_saga_id: int
    before: int
    sagas: tuple[SagaRow, ...]
    awaited: tuple[tuple[int, int], ...]
    blobs: tuple[tuple[int, int, tuple[Recorded, ...]], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the checks judge.

    Attributes:
        events: all that the observer was handed, in that order.
        holes: what it was told of events that it cannot have.
        hosts: the records of all lives of all hosts.
        states: what each host says of itself at the end.
    """

    events: tuple[Event, ...]
    holes: tuple[str, ...]
    log: LogEvidence
    hosts: tuple[HostLine, ...]
    states: Mapping[str, Mapping[str, Any]]


_SAGAS = (
    "SELECT saga_id, name, host, epoch, "
    "CASE WHEN closed_at IS NULL THEN 'open' WHEN failure IS NULL THEN 'completed' "
    "ELSE 'failed' END, coalesce(failure, result) FROM saga"
)


def open_sagas(log: Path) -> list[SagaRow]:
    """Give the sagas that a log has open, without changing it."""
    with _reading(log) as db:
        return [SagaRow(*row) for row in db.execute(f"{_SAGAS} WHERE closed_at IS NULL")]


def committed_version(log: Path) -> int:
    """Give the version of the last event in a log, without changing it."""
    with _reading(log) as db:
        version: int = db.execute("SELECT version FROM log").fetchone()[0]
        return version


@contextmanager
def copy_of(log: Path) -> Iterator[Path]:
    """Give a copy of what a killed launcher left: the next one is to find the files untouched."""
    with tempfile.TemporaryDirectory(prefix="muxsaga-") as directory:
        copy = Path(directory) / log.name
        for suffix in ("", "-wal"):
            part = log.with_name(log.name + suffix)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        yield copy


def read_log(log: Path) -> LogEvidence:
    """Give everything that is committed in a log, as of one moment."""
    codec = Codec()
    with _reading(log) as db:
        log_id, next_saga_id, version, before = db.execute(
            "SELECT log_id, next_saga_id, version, before FROM log"
        ).fetchone()
        blobs = []
        for first, last, blob in db.execute("SELECT first, last, blob FROM blob ORDER BY first"):
            events = codec.decode_events(first, unpack(blob)["events"])
            blobs.append((first, last, tuple(events)))
        awaited = db.execute(
            "SELECT saga_id, step FROM step JOIN saga USING (saga_id) "
            "WHERE NOT is_closed AND closed_at IS NULL"
        ).fetchall()
        return LogEvidence(
            log_id=log_id,
            version=version,
            next_saga_id=next_saga_id,
            before=before,
            sagas=tuple(SagaRow(*row) for row in db.execute(f"{_SAGAS} ORDER BY saga_id")),
            awaited=tuple(awaited),
            blobs=tuple(blobs),
        )


def host_lines(path: Path) -> Iterator[HostLine]:
    """Give the records of one life; the last line may be torn, for its writer was killed."""
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def epoch_in(path: Path) -> str | None:
    """Give the epoch of the life that a history is of; None if it has no record yet."""
    lines: Iterable[HostLine] = host_lines(path) if path.exists() else ()
    return next((str(line["epoch"]) for line in lines), None)


@contextmanager
def _reading(log: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{log.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
        db.execute("BEGIN")
        yield db
