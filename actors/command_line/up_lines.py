"""What `muxsaga up` says as things happen: a line for people, or a JSON map a line."""

import json
import time
from dataclasses import fields

from actors.supervision.child_spec import ExitReason
from actors.supervision.process_events import (
    ChildForgotten,
    ChildKilled,
    ChildRefused,
    ChildStarting,
    ChildStopping,
    Path,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
    RestartWaits,
    SupervisorEnded,
    SupervisorReady,
)

JSON_NAMES = {
    ChildStarting: "starting",
    ChildStopping: "stopping",
    ChildKilled: "killed",
    ProcessReady: "ready",
    ProcessEnded: "ended",
    RestartWaits: "restart_waits",
    ChildForgotten: "forgotten",
    ChildRefused: "refused",
    SupervisorReady: "all_ready",
    SupervisorEnded: "over",
}


def line_of(event: ProcessEvent) -> str:
    """Give the line that tells a person of an event."""
    match event:
        case ChildStarting():
            what = f"starting (pid {event.pid})"
        case ProcessReady():
            what = f"ready in {event.seconds:.2f} s (pid {event.pid})"
        case ChildStopping():
            what = f"stopping (pid {event.pid})"
        case ChildKilled():
            what = f"killed: {event.why} (pid {event.pid})"
        case ProcessEnded(pid=None):
            what = f"could not be started: {event.reason.detail}"
        case ProcessEnded():
            what = f"{_ended(event)} (pid {event.pid})"
        case RestartWaits(restarts=0):
            what = f"restart in {event.seconds:.2f} s"
        case RestartWaits():
            what = f"restart {event.restarts} in {event.seconds:.2f} s"
        case ChildForgotten() | ChildRefused():
            what = f"is not started again: {event.reason}"
        case SupervisorReady():
            what = "ready"
        case SupervisorEnded():
            what = f"over: {event.reason}"
    return f"{_who(event.path)}: {what}"


def json_of(event: ProcessEvent) -> str:
    """Give the line that tells a program of an event; `at` is the wall clock's time in seconds."""
    told: dict[str, object] = {"event": JSON_NAMES[type(event)], "at": round(time.time(), 3)}
    for field in fields(event):
        value = getattr(event, field.name)
        match value:
            case tuple():
                told["name"] = _who(value)
            case ExitReason():
                told["kind"], told["detail"] = value.kind.value, value.detail
            case _:
                told[field.name] = value
    return json.dumps(told)


def _who(path: Path) -> str:
    return "/".join(map(str, path)) or "all"


def _ended(event: ProcessEnded) -> str:
    if event.reason.abnormal:
        how = "" if event.how in event.reason.detail else f" ({event.how})"
        what = "ended" if event.ready else "could not start"
        return f"{what}: {event.reason.detail}{how}"
    return f"ended in order: {event.reason.detail or event.how}"
