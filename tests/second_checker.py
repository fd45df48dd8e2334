"""A second judge of histories, to run beside the first: an SQLite database, and queries over it.

It has no code in common with the product, and works another way than one would at first: a history
becomes tables (`second_checker_schema`), and every invariant is a set of queries that give a
message for each violation (`second_checker_order`, `second_checker_content`,
`second_checker_pools`). What the lines mean
is said in `transport.history_lines`, what the events mean in `docs/protocol.md`.

What was decided where the invariants leave a choice:

* The time of an event is when the first observer had it.
* A history is of a whole run: a bracket that is open at its end is a violation, and so is a pool
  that is short there, unless a fault is still on.
* A bracket is late if, from some moment at which its bound counts anew, the launcher lived and its
  log could be written for the whole of the bound, and the bracket was not closed in it.
* A host without a fault keeps its sagas' deadlines with 5 s to spare for the launcher's timers and
  the way to the observer, and none of them fails for want of time, unless something was done to
  the launcher or its log meanwhile.
* What was published in an outage is told by cause and effect: it came of a report that was made in
  it, or has a later version. What was committed before may be read in an outage.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from tests.second_checker_content import CORRELATION, DONE, WRITE_AHEAD
from tests.second_checker_order import BRACKETS, IDS, LIVENESS, ORDER, VERSIONS
from tests.second_checker_pools import POOL
from tests.second_checker_schema import DERIVED, TABLES
from tests.second_checker_windows import WINDOWS

Line = Mapping[str, Any]

INVARIANTS = {
    1: BRACKETS,
    2: ORDER,
    3: CORRELATION,
    4: DONE,
    5: WRITE_AHEAD,
    6: IDS,
    7: VERSIONS,
    8: (*POOL, *WINDOWS),
    9: LIVENESS,
}

SECOND = 1_000_000_000


def violations(lines: Iterable[Line]) -> list[tuple[int, str]]:
    """Give every violation as the number of its invariant and a message; none if all is sound."""
    with closing(_loaded(lines)) as database:
        return sorted(
            {
                (number, row[0])
                for number, queries in INVARIANTS.items()
                for query in queries
                for row in database.execute(query)
            }
        )


def unjudged(lines: Iterable[Line]) -> list[tuple[int, str]]:
    """Give what a history has no lines to judge by, as an invariant's number and the reason."""
    with closing(_loaded(lines)) as database:
        return [
            (number, reason)
            for number, reason, query in _NEEDED
            if database.execute(query).fetchone() is None
        ]


_NEEDED = (
    *(
        (number, "no event: nothing was published", "SELECT 1 FROM event")
        for number in range(1, 10)
    ),
    (1, "no timeouts: brackets have no bound", "SELECT 1 FROM allowed"),
    (9, "no timeouts: sagas have no deadline", "SELECT 1 FROM allowed"),
    (1, "no host: users' promotes are not known", "SELECT 1 FROM did"),
    (4, "no host: what hosts made is not known", "SELECT 1 FROM did"),
    (
        5,
        "no host: commands, and what was reported in an outage, are not known",
        "SELECT 1 FROM did",
    ),
    (5, "no saga: rows are not known", "SELECT 1 FROM saga_row"),
    (5, "no log: its last version is not known", "SELECT 1 FROM log"),
    (6, "no log: its next saga id is not known", "SELECT 1 FROM log"),
    (7, "no log: its journal is not known", "SELECT 1 FROM log"),
    (8, "no host_end: what hosts had at the end is not known", "SELECT 1 FROM host_end"),
    (
        8,
        "a fault was still on at the end: pools may be short",
        "SELECT 1 FROM last_fault WHERE at IS NOT NULL",
    ),
)


# --- from lines to tables -------------------------------------------------------------------------


def _loaded(lines: Iterable[Line]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(TABLES)
    for number, line in enumerate(lines):
        for statement, rows in _rows(number, line):
            database.executemany(statement, rows)
    # An observer that was started anew is another life of it.
    for statement in _LIVES:
        database.execute(statement)
    database.executescript(DERIVED)
    return database


_LIVES = (
    """UPDATE seen SET life = (SELECT count(*) FROM process WHERE did = 'started'
        AND name = seen.observer AND process.at <= seen.at)""",
    """UPDATE truncated SET life = (SELECT count(*) FROM process WHERE did = 'started'
        AND name = truncated.observer AND process.at <= truncated.at)""",
    """UPDATE begins SET life = (SELECT count(*) FROM process WHERE did = 'started'
        AND name = begins.observer AND process.at <= begins.at)""",
)

Rows = tuple[str, list[tuple[Any, ...]]]


def _rows(n: int, line: Line) -> Iterator[Rows]:
    at = line["at_ns"]
    yield "INSERT INTO moment VALUES (?)", [(at,)]
    match line["kind"]:
        case "event":
            yield _seen(n, line)
        case "host":
            yield _did(n, line)
        case "host_end":
            yield from _host_end(line)
        case "process":
            yield "INSERT INTO process VALUES (?, ?, ?, ?)", [(n, at, line["name"], line["did"])]
        case "fault":
            fault = (n, at, line["fault"], line["target"], line.get("did", "happened"))
            yield "INSERT INTO fault VALUES (?, ?, ?, ?, ?)", [fault]
        case "outage":
            yield "INSERT INTO outage VALUES (?, ?, ?)", [(n, at, line["did"])]
        case "timeouts":
            allowed = [(name, int(each * SECOND)) for name, each in line["seconds"].items()]
            yield "INSERT OR REPLACE INTO allowed VALUES (?, ?)", allowed
        case "saga":
            yield from _saga(line)
        case "log":
            log = (line["log"], line["version"], line["next_saga_id"])
            yield "INSERT INTO log VALUES (?, ?, ?)", [log]
            journal = [tuple(each) for each in line.get("journal", ())]
            yield "INSERT INTO journal (first, last) VALUES (?, ?)", journal
        case "truncated":
            told = (n, at, line["observer"], line["before"])
            yield "INSERT INTO truncated VALUES (?, ?, ?, NULL, ?)", [told]
            yield _open(n, line)
        case "begins":
            told = (n, at, line["observer"], line["after"])
            yield "INSERT INTO begins VALUES (?, ?, ?, NULL, ?)", [told]
            yield _open(n, line)
        case unknown:
            msg = f"line {n + 1} is of unknown kind {unknown!r}"
            raise ValueError(msg)


def _seen(n: int, line: Line) -> Rows:
    event = line["event"]
    host, epoch, sequence = event.get("origin") or (None, None, None)
    row = (
        n,
        line["at_ns"],
        line["observer"],
        None,
        *(event.get(name) for name in ("version", "type", "saga_id")),
        *(host, epoch, sequence),
        *(event.get(name) for name in ("label", "name", "cause", "result", "reason", "promote_id")),
        bool(event.get("crash_detected")),
        bool(event.get("reconciled")),
        event.get("pool_target"),
        json.dumps(event, sort_keys=True),
    )
    return "INSERT INTO seen VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", [row]


def _did(n: int, line: Line) -> Rows:
    log, saga, step = line.get("identity") or (None, None, None)
    row = (
        *(n, line["at_ns"], line["host"], line["epoch"], line["did"]),
        *(line.get("label"), line.get("promote_id"), bool(line.get("cold"))),
        *(log, saga, step, line.get("type"), line.get("sequence"), bool(line.get("repeated"))),
        len(line.get("labels") or ()),
    )
    return "INSERT INTO did VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", [row]


def _host_end(line: Line) -> Iterator[Rows]:
    life = (line["host"], line["epoch"])
    end = (*life, line["at_ns"], line["pool_target"], line["drained"])
    yield "INSERT INTO host_end VALUES (?, ?, ?, ?, ?)", [end]
    for place in ("pool", "open"):
        held = [(*life, place, label) for label in line[place]]
        yield "INSERT INTO held VALUES (?, ?, ?, ?)", held


def _saga(line: Line) -> Iterator[Rows]:
    names = ("saga_id", "name", "state", "host", "epoch", "cause", "result", "failure")
    saga = tuple(line.get(name) for name in names)
    yield "INSERT INTO saga_row VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [saga]
    steps = [
        (line["saga_id"], each["step"], each["command"], each["state"])
        for each in line.get("steps", ())
    ]
    yield "INSERT INTO step_row VALUES (?, ?, ?, ?)", steps


def _open(n: int, line: Line) -> Rows:
    rows = [
        (n, line["kind"], line["at_ns"], each["saga_id"], each["name"])
        for each in line.get("open", ())
    ]
    return "INSERT INTO open_at VALUES (?, ?, ?, ?, ?)", rows
