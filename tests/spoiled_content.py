"""Spoils of what sagas did, and of what the log has: invariants 3, 4 and 5."""

from tests.history_edits import (
    delayed,
    event,
    event_at,
    events,
    inserted,
    line_of,
    renumbered,
    without,
)
from tests.told_histories import CLEANUP, RESPAWN, SECOND, Line

GHOST = "window-{}-99"


# --- 3: correlation -------------------------------------------------------------------------------


def _asked(each: Line) -> bool:
    return each["saga_id"] is not None


def organic_add_completed_a_saga(lines: list[Line]) -> list[Line]:
    event(lines, "PoolWindowAdded", _asked, nth=-1)["saga_id"] = None
    return lines


def add_of_another_saga_completed_a_saga(lines: list[Line]) -> list[Line]:
    """Two sagas are open, and each is completed by the other's window."""
    one, two = (event(lines, "PoolWindowAdded", nth=nth) for nth in (0, 1))
    one["saga_id"], two["saga_id"] = two["saga_id"], one["saga_id"]
    for line in lines:
        end = line.get("event", {})
        if end.get("type") == "SagaCompleted" and end["saga_id"] in {
            one["saga_id"],
            two["saga_id"],
        }:
            end["result"] = one["label"] if end["saga_id"] == one["saga_id"] else two["label"]
    return lines


def event_of_another_host_has_a_sagas_id(lines: list[Line]) -> list[Line]:
    added = event(lines, "PoolWindowAdded", _asked)
    other = next(
        each
        for each in events(lines)
        if each["type"] == "PoolWindowAdded" and each["origin"][0] != added["origin"][0]
    )
    added["origin"] = other["origin"]
    return lines


def add_with_the_id_of_a_cleanup(lines: list[Line]) -> list[Line]:
    reaped = event(lines, "PanesReaped")
    at = event_at(lines, "PanesReaped")
    added = {**reaped, "type": "PoolWindowAdded", "reconciled": False}
    return renumbered(inserted(lines, at, added))


def cleanup_says_drained_and_the_pool_was_not(lines: list[Line]) -> list[Line]:
    end = event(lines, "SagaCompleted", lambda each: each["result"] == "not_last")
    end["result"] = "drained"
    line_of(lines, "saga", saga_id=end["saga_id"])["result"] = "drained"
    return lines


def cleanup_of_another_window(lines: list[Line]) -> list[Line]:
    reaped = event(lines, "PanesReaped")
    reaped["label"] = GHOST.format(reaped["origin"][1])
    return lines


def cleanup_without_panes_reaped(lines: list[Line]) -> list[Line]:
    reaped = event(lines, "PanesReaped")
    return renumbered(without(lines, lambda each: each is reaped))


def completed_though_its_host_failed_it(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowAdded", _asked)
    failed = {**lines[at]["event"], "type": "ActionFailed", "reason": "quitting"}
    return renumbered(inserted(lines, at, failed))


def a_report_was_refused_and_told(lines: list[Line]) -> list[Line]:
    at = next(n for n, line in enumerate(lines) if line.get("did") == "report")
    refusal = {**lines[at], "did": "refused_by_launcher", "type": None}
    return [*lines[: at + 1], refusal, *lines[at + 1 :]]


CORRELATION = {
    "simulated": [
        a_report_was_refused_and_told,
        organic_add_completed_a_saga,
        add_of_another_saga_completed_a_saga,
        event_of_another_host_has_a_sagas_id,
        add_with_the_id_of_a_cleanup,
        cleanup_says_drained_and_the_pool_was_not,
        cleanup_of_another_window,
        cleanup_without_panes_reaped,
        completed_though_its_host_failed_it,
    ],
}


# --- 4: completed means done ----------------------------------------------------------------------


def result_names_another_window(lines: list[Line]) -> list[Line]:
    end = event(lines, "SagaCompleted", nth=1)
    end["result"] = GHOST.format("0" * 32)
    line_of(lines, "saga", saga_id=end["saga_id"])["result"] = end["result"]
    return lines


def one_step_made_two_windows(lines: list[Line]) -> list[Line]:
    at = lines.index(line_of(lines, "host", did="ready"))
    again = {**lines[at], "label": GHOST.format(lines[at]["epoch"])}
    return [*lines[: at + 1], again, *lines[at + 1 :]]


def one_saga_was_given_two_windows(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowAdded", _asked)
    label = GHOST.format(lines[at]["event"]["origin"][1])
    return renumbered(inserted(lines, at, lines[at]["event"], label=label))


def two_sagas_with_one_window(lines: list[Line]) -> list[Line]:
    one, two = (event(lines, "SagaCompleted", nth=nth) for nth in (0, 1))
    two["result"] = one["result"]
    line_of(lines, "saga", saga_id=two["saga_id"])["result"] = one["result"]
    return lines


def command_executed_twice(lines: list[Line]) -> list[Line]:
    at = lines.index(line_of(lines, "host", did="command", nth=2))
    return [*lines[:at], dict(lines[at]), *lines[at:]]


def step_settled_twice(lines: list[Line]) -> list[Line]:
    """Under a sequence of its own, which is what a repeated command must not get."""
    report = line_of(lines, "host", type="ReportPoolWindowAdded")
    sequence = max(line.get("sequence") or 0 for line in lines) + 1
    at = lines.index(report)
    return [*lines[: at + 1], {**report, "sequence": sequence}, *lines[at + 1 :]]


def completed_with_a_window_that_was_never_ready(lines: list[Line]) -> list[Line]:
    label = event(lines, "SagaCompleted", nth=2)["result"]
    return [line for line in lines if (line.get("did"), line.get("label")) != ("ready", label)]


def completed_with_a_window_made_for_another_saga(lines: list[Line]) -> list[Line]:
    one, two = (line_of(lines, "host", did="ready", nth=nth) for nth in (0, 1))
    one["label"], two["label"] = two["label"], one["label"]
    return lines


def label_used_again(lines: list[Line]) -> list[Line]:
    """By a window that was opened cold."""
    at = lines.index(line_of(lines, "host", did="ready"))
    return [*lines[: at + 1], {**lines[at], "identity": None}, *lines[at + 1 :]]


def late_report_with_a_sagas_id(lines: list[Line]) -> list[Line]:
    ended = event(lines, "SagaFailed")
    late = event(lines, "PoolWindowAdded", lambda each: each["version"] > ended["version"])
    assert late["saga_id"] is None
    late["saga_id"] = ended["saga_id"]
    return lines


def ready_after_its_saga_was_completed(lines: list[Line]) -> list[Line]:
    line_of(lines, "host", did="ready")["at_ns"] += 100 * SECOND
    return lines


DONE = {
    "simulated": [
        result_names_another_window,
        one_step_made_two_windows,
        one_saga_was_given_two_windows,
        two_sagas_with_one_window,
        command_executed_twice,
        step_settled_twice,
        completed_with_a_window_that_was_never_ready,
        completed_with_a_window_made_for_another_saga,
        label_used_again,
        ready_after_its_saga_was_completed,
    ],
    "late window": [late_report_with_a_sagas_id],
}


# --- 5: write ahead -------------------------------------------------------------------------------


def row_open_though_its_terminal_was_published(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", state="completed", nth=3).update(state="open", result=None)
    return lines


def row_says_failed_and_the_event_completed(lines: list[Line]) -> list[Line]:
    row = line_of(lines, "saga", state="completed")
    row.update(state="failed", result=None, failure="saga timeout")
    row["steps"][-1]["state"] = "failed"
    return lines


def row_closed_and_its_bracket_open(lines: list[Line]) -> list[Line]:
    """The terminal was committed and never published."""
    end = event(lines, "SagaCompleted", nth=-1)
    return renumbered(without(lines, lambda each: each is end))


def row_has_another_result(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", name=CLEANUP)["result"] = "something"
    return lines


def row_has_another_failure(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", state="failed")["failure"] = "something"
    return lines


def row_has_another_cause(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", name=RESPAWN)["cause"] += 1
    return lines


def row_closed_with_a_step_awaited(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", state="failed")["steps"][-1]["state"] = "awaited"
    return lines


def command_of_a_step_that_the_log_does_not_have(lines: list[Line]) -> list[Line]:
    line_of(lines, "saga", name=CLEANUP)["steps"].pop()
    return lines


def command_of_a_saga_that_never_started(lines: list[Line]) -> list[Line]:
    at = lines.index(line_of(lines, "host", did="command"))
    log, _, step = lines[at]["identity"]
    return [*lines[:at], {**lines[at], "identity": [log, 9_999, step]}, *lines[at:]]


def row_missing(lines: list[Line]) -> list[Line]:
    lines.remove(line_of(lines, "saga", nth=-1))
    return lines


def row_of_a_saga_that_was_never_published(lines: list[Line]) -> list[Line]:
    row = line_of(lines, "saga", nth=-1)
    log = line_of(lines, "log")
    more = {**row, "saga_id": log["next_saga_id"], "state": "open", "result": None, "steps": []}
    log["next_saga_id"] += 1
    return [*lines, more]


def log_ends_before_what_was_published(lines: list[Line]) -> list[Line]:
    log = line_of(lines, "log")
    log["version"] -= 2
    return lines


def published_during_an_outage(lines: list[Line]) -> list[Line]:
    """The log was out all the time while a window was made and its bracket closed."""
    ended = line_of(lines, "outage", did="ended")
    last = lines[event_at(lines, "SagaCompleted", nth=-1)]
    ended["at_ns"] = last["at_ns"] + SECOND
    return sorted(lines, key=lambda line: line["at_ns"])


def command_long_after_the_log_went_out(lines: list[Line]) -> list[Line]:
    at = lines.index(line_of(lines, "host", did="command"))
    sent = delayed(lines, at, 7)[at]
    outage = {"kind": "outage", "reason": "disk full"}
    began = {**outage, "at_ns": sent["at_ns"] - 6 * SECOND, "did": "began"}
    ended = {**outage, "at_ns": sent["at_ns"] + 1, "did": "ended"}
    return [*lines[:at], began, sent, ended, *lines[at + 1 :]]


def saga_did_something_else_when_it_was_made_anew(lines: list[Line]) -> list[Line]:
    failed = event(lines, "SagaFailed")
    failed["reason"] = "saga actor crashed: actors.saga_actor.ReplayDisagreementError: step 1"
    line_of(lines, "saga", saga_id=failed["saga_id"])["failure"] = failed["reason"]
    return lines


WRITE_AHEAD = {
    "simulated": [
        row_open_though_its_terminal_was_published,
        row_says_failed_and_the_event_completed,
        row_closed_and_its_bracket_open,
        row_has_another_result,
        row_has_another_cause,
        command_of_a_step_that_the_log_does_not_have,
        command_of_a_saga_that_never_started,
        row_missing,
        row_of_a_saga_that_was_never_published,
        log_ends_before_what_was_published,
    ],
    "busy": [
        saga_did_something_else_when_it_was_made_anew,
        row_has_another_failure,
        row_closed_with_a_step_awaited,
        command_long_after_the_log_went_out,
    ],
    "outage": [published_during_an_outage],
}
