import json

import pytest

from actors.command_line.watch_command import JsonLines, Silence, TextLines, event_line
from transport.event_stream import Batch, BracketBuffer, CaughtUp, NewHistory, Snapshot, Truncated
from transport.messages import (
    OpaqueEvent,
    Origin,
    PoolWindowAdded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

ORIGIN = Origin("desk", "a" * 32, 3)
STARTED = SagaStarted(name="pool_refill", saga_id=7, version=1)
ADDED = PoolWindowAdded(label="w", saga_id=7, version=2, origin=ORIGIN)
COMPLETED = SagaCompleted(result="w", saga_id=7, version=3)
FAILED = SagaFailed(reason="host left", saga_id=7, version=3)
ORGANIC = PoolWindowAdded(label="x", version=4, origin=ORIGIN, reconciled=True)


def test_an_event_is_one_line_with_version_origin_saga_name_and_fields() -> None:
    assert event_line(ADDED).split() == ["2", "desk#3", "saga", "7", "PoolWindowAdded", "label=w"]


def test_a_reconciled_event_says_so_and_an_organic_one_has_no_saga() -> None:
    assert event_line(ORGANIC).split() == [
        "4",
        "desk#3",
        "-",
        "PoolWindowAdded",
        "label=x",
        "reconciled",
    ]


def test_an_event_of_an_unknown_type_is_shown_by_its_wire_name() -> None:
    fields = {"type": "Painted", "version": 5, "saga_id": None, "origin": None, "colour": "red"}
    opaque = OpaqueEvent(version=5, saga_id=None, origin=None, type_name="Painted", fields=fields)
    assert event_line(opaque).split() == ["5", "-", "-", "Painted", "colour=red"]


def test_without_brackets_every_event_is_shown_as_it_comes() -> None:
    lines = list(TextLines().lines(Batch((STARTED, ADDED)), None))
    assert lines == [event_line(STARTED), event_line(ADDED)]


def test_with_brackets_a_group_is_shown_whole_when_it_closes() -> None:
    shown, buffer = TextLines(), BracketBuffer()
    assert list(shown.lines(Batch((STARTED, ADDED)), buffer)) == []
    lines = list(shown.lines(Batch((COMPLETED, ORGANIC)), buffer))
    assert lines == [
        "=== saga 7 pool_refill completed",
        f"  {event_line(STARTED)}",
        f"  {event_line(ADDED)}",
        f"  {event_line(COMPLETED)}",
        event_line(ORGANIC),
    ]


def test_a_failed_bracket_says_so() -> None:
    lines = list(TextLines().lines(Batch((STARTED, ADDED, FAILED)), BracketBuffer()))
    assert lines[0] == "=== saga 7 pool_refill failed"
    assert lines[-1].endswith("reason=host left")


def test_truncation_a_new_history_and_being_caught_up_are_told() -> None:
    shown = TextLines()
    snapshot = Snapshot()
    assert "before version 9" in next(iter(shown.lines(Truncated(9, snapshot), BracketBuffer())))
    assert "log abc" in next(iter(shown.lines(NewHistory("abc"), BracketBuffer())))
    assert "version 12" in next(iter(shown.lines(CaughtUp(12), None)))


def test_a_new_history_forgets_what_waited() -> None:
    shown, buffer = TextLines(), BracketBuffer()
    list(shown.lines(Batch((STARTED, ADDED)), buffer))
    list(shown.lines(NewHistory("abc"), buffer))
    assert buffer.open_groups == ()


def test_json_lines_are_the_events_as_on_the_wire() -> None:
    lines = [json.loads(line) for line in JsonLines().lines(Batch((STARTED, ADDED)), None)]
    assert [line["type"] for line in lines] == ["SagaStarted", "PoolWindowAdded"]
    assert lines[1]["origin"] == ["desk", "a" * 32, 3]


def test_json_lines_of_brackets_are_whole_groups() -> None:
    batch = Batch((STARTED, ADDED, COMPLETED))
    (line,) = JsonLines().lines(batch, BracketBuffer())
    group = json.loads(line)
    assert (group["bracket"], group["name"], group["completed"]) == (7, "pool_refill", True)
    assert [event["version"] for event in group["events"]] == [1, 2, 3]


def test_json_lines_tell_of_truncation_a_new_history_and_being_caught_up() -> None:
    shown = JsonLines()
    lines = [
        json.loads(line)
        for item in (Truncated(9, Snapshot()), NewHistory("abc"), CaughtUp(12))
        for line in shown.lines(item, BracketBuffer())
    ]
    assert lines == [
        {"watch": "truncated", "before": 9},
        {"watch": "new_history", "log": "abc"},
        {"watch": "caught_up", "version": 12},
    ]


def test_a_launcher_that_is_not_heard_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    silence = Silence("ipc:///run/events")
    for now in range(10):
        silence.look(heard=False, now=float(now))
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "ipc:///run/events" in told


def test_a_launcher_that_was_heard_in_time_is_not_told_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silence = Silence("ipc:///run/events")
    for now in range(10):
        silence.look(heard=now > 1, now=float(now))
    assert capsys.readouterr().err == ""


def test_why_the_launcher_lets_nobody_in_is_told_once_until_it_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silence = Silence("tcp://127.0.0.1:7401")
    for now in range(10):
        silence.look(heard=False, now=float(now), complaint="refused" if now != 5 else None)
    assert capsys.readouterr().err == "muxsaga: refused\nmuxsaga: refused\n"
