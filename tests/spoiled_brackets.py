"""Spoils of brackets, their order and their time: invariants 1, 2 and 9."""

from copy import deepcopy

from tests.history_edits import (
    delayed,
    event,
    event_at,
    events,
    inserted,
    line_of,
    moved,
    opening,
    own,
    renumbered,
    without,
    without_saga,
)
from tests.told_histories import CLEANUP, REFILL, RESPAWN, Line

# --- 1: brackets ----------------------------------------------------------------------------------


def terminal_dropped(lines: list[Line]) -> list[Line]:
    del lines[event_at(lines, "SagaCompleted", nth=3)]
    return renumbered(lines)


def open_at_the_end(lines: list[Line]) -> list[Line]:
    last = events(lines)[-1]
    assert last["type"] == "SagaCompleted"
    row = line_of(lines, "saga", saga_id=last["saga_id"])
    row.update(state="open", result=None)
    return renumbered(without(lines, lambda each: each is last))


def second_terminal(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "SagaCompleted")
    return renumbered(inserted(lines, at, lines[at]["event"]))


def failed_after_it_was_completed(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "SagaCompleted")
    failed = {**lines[at]["event"], "type": "SagaFailed", "reason": "saga timeout"}
    del failed["result"]
    return renumbered(inserted(lines, at, failed))


def terminal_of_another_saga_in_its_place(lines: list[Line]) -> list[Line]:
    one, two = (event_at(lines, "SagaCompleted", nth=nth) for nth in (1, 2))
    lines[two]["event"] = {**deepcopy(lines[one]["event"]), "version": 0}
    return renumbered(lines)


def terminal_without_a_start(lines: list[Line]) -> list[Line]:
    started = opening(lines, RESPAWN)
    return renumbered(without(lines, lambda each: each is started))


def closed_too_late(lines: list[Line]) -> list[Line]:
    """Of a host with a fault: deadline and ten seconds over."""
    start = event_at(lines, "SagaFailed")
    return delayed(lines, start, 10.5)


def closed_too_late_after_a_launcher_restart(lines: list[Line]) -> list[Line]:
    return delayed(lines, event_at(lines, "SagaCompleted", nth=-1) - 1, 2)


def closed_too_late_before_a_launcher_restart(lines: list[Line]) -> list[Line]:
    """Its time was over when the launcher was killed; the restart does not excuse that."""
    return delayed(lines, lines.index(line_of(lines, "process", did="killed")), 7)


def closed_too_late_after_an_outage(lines: list[Line]) -> list[Line]:
    return delayed(lines, event_at(lines, "SagaCompleted", nth=-1) - 1, 2)


def promote_without_a_bracket(lines: list[Line]) -> list[Line]:
    return renumbered(without_saga(lines, opening(lines, RESPAWN)["saga_id"]))


def promote_on_a_living_host_that_nobody_heard_of(lines: list[Line]) -> list[Line]:
    promote_id = event(lines, "PoolWindowPromoted")["promote_id"]
    saga_id = opening(lines, RESPAWN)["saga_id"]
    heard = without(lines, lambda each: each.get("promote_id") == promote_id)
    return renumbered(without_saga(heard, saga_id))


def promote_on_a_host_that_did_not_die(lines: list[Line]) -> list[Line]:
    """Of two hosts, the other one was killed."""
    promoted = line_of(lines, "host", did="promoted", nth=-1)
    assert promoted["host"] == "shelf"
    return renumbered(
        without_saga(
            without(lines, lambda each: each.get("promote_id") == promoted["promote_id"]),
            opening(lines, RESPAWN, nth=-1)["saga_id"],
        )
    )


def two_sagas_for_one_promote(lines: list[Line]) -> list[Line]:
    opening(lines, RESPAWN, nth=1)["cause"] = opening(lines, RESPAWN)["cause"]
    return lines


def close_without_a_cleanup(lines: list[Line]) -> list[Line]:
    return renumbered(without_saga(lines, opening(lines, CLEANUP)["saga_id"]))


def cold_promote_with_a_saga(lines: list[Line]) -> list[Line]:
    cold = event(lines, "WindowOpened", lambda each: each["cold"])
    refill = event(
        lines,
        "SagaStarted",
        lambda each: each["version"] > cold["version"] and each["name"] == REFILL,
    )
    refill.update(name=RESPAWN, cause=cold["version"])
    line_of(lines, "saga", saga_id=refill["saga_id"]).update(name=RESPAWN, cause=cold["version"])
    return lines


def saga_for_a_crash(lines: list[Line]) -> list[Line]:
    event(lines, "WindowClosed")["crash_detected"] = True
    line_of(lines, "host", type="ReportWindowClosed")["crash_detected"] = True
    return lines


def close_that_nobody_heard_of(lines: list[Line]) -> list[Line]:
    at = lines.index(line_of(lines, "host", did="closed"))
    return [*lines[:at], {**lines[at], "label": "window-lost"}, *lines[at:]]


def end_of_a_bracket_that_was_open_where_an_observer_joined(lines: list[Line]) -> list[Line]:
    """And it was not told so."""
    version = opening(lines, RESPAWN)["version"]

    def missed(line: Line) -> bool:
        hers = line["kind"] == "event" and line["observer"] == "mirror"
        return bool(hers and line["event"]["version"] <= version)

    joined = next(n for n, line in enumerate(lines) if missed(line))
    truncated = {"kind": "truncated", "observer": "mirror", "before": version + 1, "open": []}
    lines[joined] = {**truncated, "at_ns": lines[joined]["at_ns"]}
    return [line for line in lines if not missed(line)]


def recovered_saga_without_time(lines: list[Line]) -> list[Line]:
    """It had four of its five seconds before the launcher was killed, and gets no more."""
    return delayed(lines, event_at(lines, "SagaFailed"), -4)


BRACKETS = {
    "simulated": [
        terminal_dropped,
        open_at_the_end,
        second_terminal,
        failed_after_it_was_completed,
        terminal_of_another_saga_in_its_place,
        terminal_without_a_start,
        close_without_a_cleanup,
        saga_for_a_crash,
    ],
    "busy": [
        promote_without_a_bracket,
        promote_on_a_living_host_that_nobody_heard_of,
        two_sagas_for_one_promote,
        cold_promote_with_a_saga,
        close_that_nobody_heard_of,
    ],
    "busy, two observers": [end_of_a_bracket_that_was_open_where_an_observer_joined],
    "host restart": [promote_on_a_host_that_did_not_die],
    "late window": [closed_too_late],
    "launcher restart": [
        closed_too_late_after_a_launcher_restart,
        closed_too_late_before_a_launcher_restart,
    ],
    "outage": [closed_too_late_after_an_outage],
    "short of time": [recovered_saga_without_time],
}


# --- 2: order -------------------------------------------------------------------------------------


def start_after_its_events(lines: list[Line]) -> list[Line]:
    start = event_at(lines, "SagaStarted")
    saga_id = lines[start]["event"]["saga_id"]
    added = event_at(lines, "PoolWindowAdded", own(saga_id))
    return renumbered(moved(lines, start, added + 1))


def event_of_a_saga_after_its_terminal(lines: list[Line]) -> list[Line]:
    end = event_at(lines, "SagaCompleted", nth=2)
    return renumbered(moved(lines, end, end - 1))


def event_of_a_saga_that_never_started(lines: list[Line]) -> list[Line]:
    end = event(lines, "SagaCompleted", nth=2)
    saga_id = end["saga_id"]
    terms = {"SagaStarted", "SagaCompleted"}
    return renumbered(
        without(lines, lambda each: each["type"] in terms and each["saga_id"] == saga_id)
    )


def started_before_its_cause(lines: list[Line]) -> list[Line]:
    start = event_at(lines, "SagaStarted", lambda each: each["name"] == RESPAWN)
    return renumbered(moved(lines, start, start - 3))


ORDER = {
    "simulated": [
        start_after_its_events,
        event_of_a_saga_after_its_terminal,
        event_of_a_saga_that_never_started,
    ],
    "busy": [started_before_its_cause],
}


# --- 9: liveness ----------------------------------------------------------------------------------


def host_without_a_fault_missed_a_deadline(lines: list[Line]) -> list[Line]:
    """While another host's link is cut; late also by the bound of invariant 1."""
    last = event_at(lines, "PoolWindowAdded", nth=-1)
    assert lines[last]["event"]["origin"][0] == "shelf"
    return delayed(lines, last, 16)


def saga_of_a_host_without_a_fault_timed_out(lines: list[Line]) -> list[Line]:
    last = event_at(lines, "PoolWindowAdded", nth=-1)
    row = line_of(lines, "saga", saga_id=lines[last]["event"]["saga_id"])
    row.update(state="failed", result=None, failure="saga timeout")
    row["steps"][-1]["state"] = "failed"
    ended = lines[last + 1]["event"]
    ended.update(type="SagaFailed", reason="saga timeout")
    del ended["result"]
    lines[last]["event"]["saga_id"] = None
    return renumbered(moved(delayed(lines, last, 5), last + 1, last))


def saga_timed_out_in_peace_and_its_step_never_went_out(lines: list[Line]) -> list[Line]:
    """Something was done to its host, but long before."""
    saga_id = event(lines, "SagaCompleted", nth=-1)["saga_id"]
    spoiled = saga_of_a_host_without_a_fault_timed_out(lines)
    fault: Line = {"kind": "fault", "at_ns": spoiled[0]["at_ns"], "fault": "link break"}
    reports = ("command", "ready", "report")
    return [
        {**fault, "target": "shelf-launcher", "did": "happened"},
        *(
            line
            for line in spoiled
            if line.get("did") not in reports or (line.get("identity") or [0, 0])[1] != saga_id
        ),
    ]


LIVENESS = {
    "late window": [
        saga_timed_out_in_peace_and_its_step_never_went_out,
        host_without_a_fault_missed_a_deadline,
        saga_of_a_host_without_a_fault_timed_out,
    ],
}
