import json

import pytest

from actors.command_line.up_lines import JSON_NAMES, json_of, line_of
from actors.supervision.child_spec import ExitKind, ExitReason
from actors.supervision.process_events import (
    ChildForgotten,
    ChildKilled,
    ChildRefused,
    ChildStarting,
    ChildStopping,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
    RestartWaits,
    SupervisorEnded,
    SupervisorReady,
)

LEFT = ("left",)
CRASH = ExitReason(ExitKind.CRASHED, "signal SIGKILL")
SILENT = ExitReason(ExitKind.CRASHED, "its loop was silent for 10 s: killed")
IN_ORDER = ExitReason(ExitKind.SHUTDOWN)
FENCED = ExitReason(ExitKind.NORMAL, "exit status 3, after which it is not restarted")

LINES = [
    (ChildStarting(LEFT, 1, 7), "left: starting (pid 7)"),
    (ProcessReady(LEFT, 1, 7, 0.256), "left: ready in 0.26 s (pid 7)"),
    (ChildStopping(LEFT, 1, 7), "left: stopping (pid 7)"),
    (ChildKilled(LEFT, 1, 7, "so it is"), "left: killed: so it is (pid 7)"),
    (
        ProcessEnded(LEFT, 1, 7, CRASH, ready=True, how="signal SIGKILL"),
        "left: ended: signal SIGKILL (pid 7)",
    ),
    (
        ProcessEnded(LEFT, 1, 7, SILENT, ready=True, how="signal SIGKILL"),
        "left: ended: its loop was silent for 10 s: killed (signal SIGKILL) (pid 7)",
    ),
    (
        ProcessEnded(LEFT, 1, 7, CRASH, ready=False, how="signal SIGKILL"),
        "left: could not start: signal SIGKILL (pid 7)",
    ),
    (
        ProcessEnded(LEFT, 1, None, CRASH, ready=False),
        "left: could not be started: signal SIGKILL",
    ),
    (
        ProcessEnded(LEFT, 1, 7, IN_ORDER, ready=True, how="exit status 0"),
        "left: ended in order: exit status 0 (pid 7)",
    ),
    (
        ProcessEnded(LEFT, 1, 7, FENCED, ready=True, how="exit status 3"),
        "left: ended in order: exit status 3, after which it is not restarted (pid 7)",
    ),
    (RestartWaits(LEFT, 0.5, 2), "left: restart 2 in 0.50 s"),
    (RestartWaits((), 0.5, 0), "all: restart in 0.50 s"),
    (ChildForgotten(LEFT, CRASH), "left: is not started again: crashed: signal SIGKILL"),
    (ChildRefused(LEFT, CRASH), "left: is not started again: crashed: signal SIGKILL"),
    (SupervisorReady(("group",)), "group: ready"),
    (SupervisorEnded((), IN_ORDER), "all: over: shutdown"),
]


@pytest.mark.parametrize(("event", "line"), LINES)
def test_an_event_is_a_line_for_people(event: ProcessEvent, line: str) -> None:
    assert line_of(event) == line


@pytest.mark.parametrize("event", [event for event, _ in LINES])
def test_an_event_is_a_map_for_machines(event: ProcessEvent) -> None:
    told = json.loads(json_of(event))
    assert told["event"] == JSON_NAMES[type(event)]
    assert told["name"] == ("/".join(map(str, event.path)) or "all")
    assert ("kind" in told) == hasattr(event, "reason")


def test_every_kind_of_event_has_a_name_for_machines_and_a_line() -> None:
    assert {type(event) for event, _ in LINES} == set(JSON_NAMES)
