from pathlib import Path

import pytest

from tests.event_stream_builders import EPOCH, LOG, added, label, numbered, started
from transport.codec import Codec
from transport.event_stream import Batch, Snapshot, Truncated
from transport.history import (
    HistoryError,
    HistoryWriter,
    host_line,
    lines_of,
    read_history,
    recorded,
)
from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostLine,
    OpenBracket,
    ProcessLine,
    TruncatedLine,
)
from transport.messages import CommandIdentity, OpaqueEvent


def test_every_kind_of_line_is_read_as_it_was_written(tmp_path: Path) -> None:
    (event_line,) = lines_of(Batch(numbered(added(1)), at_ns=5), "renderer")
    identity = CommandIdentity(LOG, 7, 0)
    lines: list[HistoryLine] = [
        ProcessLine(1, "launcher", 4711, "started"),
        HostLine(2, "desk", EPOCH, "ready", label=label(3), identity=identity),
        HostLine(3, "desk", EPOCH, "promoted", label=label(1), promote_id="p1", cold=True),
        event_line,
        TruncatedLine(6, "renderer", 9, (OpenBracket(7, "mine"),)),
    ]
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path) as writer:
        writer.write(lines[:2])
        writer.flush()
        writer.write(lines[2:])
    assert list(read_history(path)) == lines


def test_an_event_line_has_the_wires_map() -> None:
    (event,) = numbered(added(1, saga_id=7))
    (line,) = lines_of(Batch((event,), at_ns=5), "renderer")
    assert isinstance(line, EventLine)
    assert line.event["type"] == "PoolWindowAdded"
    assert (line.at_ns, line.event["version"], line.event["saga_id"]) == (5, 1, 7)
    assert recorded(line, Codec()) == event


def test_an_opaque_event_keeps_its_map() -> None:
    raw = {"type": "New", "version": 1, "saga_id": None, "origin": None, "more": 2}
    opaque = OpaqueEvent(version=1, saga_id=None, origin=None, type_name="New", fields=raw)
    (line,) = lines_of(Batch((opaque,)), "renderer")
    assert isinstance(line, EventLine)
    assert recorded(line, Codec()) == opaque


def test_a_truncation_names_the_brackets_that_are_open_there() -> None:
    snapshot = Snapshot()
    snapshot.fold(numbered(started(7, None, "mine")))
    (line,) = lines_of(Truncated(2, snapshot, at_ns=4), "renderer")
    assert line == TruncatedLine(4, "renderer", 2, (OpenBracket(7, "mine"),))


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        '{"kind": "nonsense"}',
        '{"kind": "process", "at_ns": 1}',
        "[]",
        '{"kind":"host"}',
        "\x80",
    ],
)
def test_a_bad_line_is_an_error_with_file_and_line_number(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path) as writer:
        writer.write([ProcessLine(1, "launcher", 4711, "started")])
    with path.open("a", encoding="latin-1") as file:
        file.write(bad + "\n")
    with pytest.raises(HistoryError, match=r"history\.jsonl, line 2: "):
        list(read_history(path))


def test_an_event_line_that_is_no_event_is_an_error() -> None:
    with pytest.raises(HistoryError, match="observer 'renderer' at 5 ns"):
        recorded(EventLine(5, "renderer", {"type": 3}), Codec())


def test_a_hosts_record_may_have_more_than_is_read() -> None:
    record = {"at_ns": 1, "host": "desk", "epoch": EPOCH, "did": "reaped", "panes": 3}
    assert host_line(record) == HostLine(1, "desk", EPOCH, "reaped")


def test_a_hosts_record_without_a_time_is_an_error() -> None:
    with pytest.raises(HistoryError, match="at_ns"):
        host_line({"host": "desk", "epoch": EPOCH, "did": "reaped"})
