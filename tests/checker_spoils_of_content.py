"""Histories spoiled in what belongs to what, what was done, and what was durable."""

from copy import deepcopy

from msgspec.structs import replace

from tests.checker_edits import (
    NOBODY,
    Lines,
    Spoil,
    a_respawn,
    cut,
    did,
    edited,
    end_of,
    event_of,
    fill_added,
    find,
    inserted,
    last_event,
    of,
    open_at,
    spoils_into,
    told,
    without,
)
from tests.checker_histories import SECOND
from transport.history_lines import (
    HostLine,
    LogLine,
    OutageLine,
    SagaLine,
)
from transport.messages import CommandIdentity

SPOILS: list[Spoil] = []
spoil = spoils_into(SPOILS)


def _refused(lines: Lines, index: int, report: int) -> Lines:
    line = lines[report]
    assert isinstance(line, HostLine)
    refusal = HostLine(
        lines[index].at_ns, line.host, line.epoch, "refused_by_launcher", sequence=line.sequence
    )
    return [*lines[:index], refusal, *lines[index:]]


@spoil(3)
def a_report_that_was_told_is_refused(lines: Lines) -> Lines:
    report = find(lines, did("report", type="ReportPoolWindowAdded"))
    return _refused(lines, last_event(lines), report)


@spoil(3)
def a_report_that_was_refused_is_told(lines: Lines) -> Lines:
    report = find(lines, did("report", type="ReportPoolWindowAdded"))
    return _refused(lines, report + 1, report)


# --- correlation ----------------------------------------------------------------------------------


@spoil(3, 4)
def an_organic_add_completes_a_saga(lines: Lines) -> Lines:
    return edited(lines, find(lines, fill_added), saga_id=None)


@spoil(3, 4, also=(8,))
def an_event_is_given_to_another_open_saga(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    version = event_of(lines[index])["version"]
    mine = event_of(lines[index])["saga_id"]
    others = {each.saga_id for each in open_at(lines, version)} - {mine}
    return edited(lines, index, saga_id=min(others))


@spoil(3, also=(8,))
def an_event_is_another_than_its_report(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowPromoted"))
    sequence = event_of(lines[index])["origin"][2]
    report = find(lines, did("report", sequence=sequence, type="ReportPoolWindowPromoted"))
    return edited(lines, report, type="ReportPoolNotLast")


@spoil(3)
def an_event_came_of_no_report(lines: Lines) -> Lines:
    index = find(lines, told("WindowOpened"))
    host, epoch, _ = event_of(lines[index])["origin"]
    return edited(lines, index, origin=[host, epoch, NOBODY])


@spoil(3)
def a_report_was_never_made(lines: Lines) -> Lines:
    return without(lines, find(lines, did("report", type="ReportWindowOpened")))


@spoil(3)
def a_report_was_of_another_saga(lines: Lines) -> Lines:
    index = find(lines, did("report", type="ReportPoolWindowAdded"))
    line = lines[index]
    assert isinstance(line, HostLine)
    assert line.identity is not None
    return edited(lines, index, identity=replace(line.identity, saga_id=NOBODY))


# --- completed means done -------------------------------------------------------------------------


@spoil(4, 5)
def a_result_names_another_window(lines: Lines) -> Lines:
    one, two = end_of(lines, a_respawn(lines)), end_of(lines, a_respawn(lines, 1))
    return edited(lines, one, result=event_of(lines[two])["result"])


@spoil(4, also=(8,))
def a_fill_completes_without_an_add(lines: Lines) -> Lines:
    return cut(lines, find(lines, fill_added))


@spoil(4)
def two_windows_are_made_for_one_step(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return [*lines[:index], replace(lines[index], label="window-ghost"), *lines[index:]]


@spoil(4)
def a_command_is_executed_twice(lines: Lines) -> Lines:
    index = find(lines, did("command", type="SpawnPoolWindow"))
    return [*lines[:index], lines[index], *lines[index:]]


@spoil(4)
def a_window_is_ready_after_its_saga_completed(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return edited(lines, index, at_ns=lines[index].at_ns + 100 * SECOND)


@spoil(4, 8)
def a_window_was_never_made(lines: Lines) -> Lines:
    return without(lines, find(lines, did("ready")))


@spoil(4, 8)
def a_window_was_made_by_another_host(lines: Lines) -> Lines:
    index = find(lines, did("ready", host="host-1"))
    return edited(lines, index, host="host-2")


@spoil(4)
def a_window_was_made_for_another_saga(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    line = lines[index]
    assert isinstance(line, HostLine)
    assert line.identity is not None
    return edited(lines, index, identity=CommandIdentity(line.identity.log, NOBODY, 0))


@spoil(4, also=(3, 8))
def two_windows_are_added_for_one_saga(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    event = {**deepcopy(event_of(lines[index])), "label": "window-ghost"}
    return inserted(lines, index, **event)


# --- write ahead ----------------------------------------------------------------------------------


def _out_around(lines: Lines, index: int, before: int) -> Lines:
    """Give the lines with a log that was out from some time before a line on until after it."""
    at = lines[index].at_ns
    began = OutageLine(at - before, "began", "disk full")
    ended = OutageLine(at + 1, "ended")
    return [*lines[:index], began, lines[index], ended, *lines[index + 1 :]]


@spoil(5)
def an_event_is_told_long_after_the_log_went_out(lines: Lines) -> Lines:
    return _out_around(lines, find(lines, told("SagaCompleted")), 6 * SECOND)


@spoil(5)
def a_command_is_sent_long_after_the_log_went_out(lines: Lines) -> Lines:
    return _out_around(lines, find(lines, did("command")), 6 * SECOND)


@spoil(5)
def an_event_is_told_of_a_report_that_the_log_cannot_have(lines: Lines) -> Lines:
    opened = find(lines, told("WindowOpened"))
    host, _, sequence = event_of(lines[opened])["origin"]
    report = find(lines, did("report", host=host, sequence=sequence))
    began = OutageLine(lines[report].at_ns - 2 * SECOND, "began", "disk full")
    ended = OutageLine(lines[opened].at_ns, "ended")
    return [*lines[:report], began, *lines[report : opened + 1], ended, *lines[opened + 1 :]]


@spoil(5)
def a_command_is_of_a_saga_that_never_started(lines: Lines) -> Lines:
    index = find(lines, did("command", type="SpawnPoolWindow"), -1)
    line = lines[index]
    assert isinstance(line, HostLine)
    assert line.identity is not None
    early = replace(line, identity=replace(line.identity, saga_id=NOBODY))
    return [*lines[:index], early, *lines[index:]]


@spoil(5)
def the_log_ends_before_what_was_told(lines: Lines) -> Lines:
    index = find(lines, of(LogLine))
    log = lines[index]
    assert isinstance(log, LogLine)
    journal = (*log.journal[:-1], (log.journal[-1][0], log.version - 1))
    return edited(lines, index, version=log.version - 1, journal=journal)


@spoil(5)
def a_row_says_failed(lines: Lines) -> Lines:
    return edited(lines, find(lines, of(SagaLine)), state="failed", result=None, failure="no")


@spoil(5)
def a_row_has_another_name(lines: Lines) -> Lines:
    return edited(lines, find(lines, of(SagaLine)), name="another")


@spoil(5)
def a_row_is_missing(lines: Lines) -> Lines:
    return without(lines, find(lines, of(SagaLine)))


@spoil(5)
def a_step_of_a_finished_saga_is_awaited(lines: Lines) -> Lines:
    index = find(lines, of(SagaLine))
    row = lines[index]
    assert isinstance(row, SagaLine)
    steps = tuple(replace(step, state="awaited") for step in row.steps)
    return edited(lines, index, steps=steps)
