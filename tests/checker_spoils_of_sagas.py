"""Histories spoiled in their brackets, their order and their ids."""

from msgspec.structs import replace

from tests.checker_edits import (
    NOBODY,
    RESPAWN,
    Lines,
    Spoil,
    a_respawn,
    cut,
    delayed,
    did,
    edited,
    end_of,
    event_of,
    exchanged,
    fill_added,
    find,
    inserted,
    last_event,
    of,
    open_at,
    second,
    spoils_into,
    start_of,
    with_second,
)
from tests.checker_histories import SECOND
from transport.history_lines import (
    EventLine,
    FaultLine,
    HistoryLine,
    HostLine,
    LogLine,
    OpenBracket,
    ProcessLine,
    SagaLine,
    TruncatedLine,
)

SPOILS: list[Spoil] = []
spoil = spoils_into(SPOILS)


# --- brackets -------------------------------------------------------------------------------------


@spoil(1)
def a_terminal_comes_twice(lines: Lines) -> Lines:
    saga_id = a_respawn(lines)
    event = event_of(lines[end_of(lines, saga_id)])
    return inserted(lines, last_event(lines), **event)


@spoil(1)
def a_saga_completes_and_fails(lines: Lines) -> Lines:
    saga_id = a_respawn(lines)
    later = end_of(lines, saga_id) + 1
    index = find(lines[later:], of(EventLine)) + later
    return inserted(lines, index, type="SagaFailed", saga_id=saga_id, reason="saga timeout")


@spoil(1)
def a_bracket_never_closes(lines: Lines) -> Lines:
    return cut(lines, end_of(lines, a_respawn(lines)))


@spoil(1, 2)
def a_bracket_never_opens(lines: Lines) -> Lines:
    return cut(lines, start_of(lines, a_respawn(lines)))


@spoil(1, also=(2, 4, 5))
def a_terminal_is_of_a_foreign_saga(lines: Lines) -> Lines:
    saga_id, other = a_respawn(lines), a_respawn(lines, 1)
    return edited(lines, end_of(lines, saga_id), saga_id=other)


@spoil(1, also=(5,))
def a_terminal_is_of_no_saga_that_was(lines: Lines) -> Lines:
    index = last_event(lines)
    return inserted(lines, index, type="SagaFailed", saga_id=NOBODY, reason="saga timeout")


@spoil(1, 5)
def a_row_is_open_at_the_end(lines: Lines) -> Lines:
    index = find(lines, of(SagaLine), -1)
    return edited(lines, index, state="open", result=None)


@spoil(1)
def a_promote_is_never_told(lines: Lines) -> Lines:
    index = find(lines, did("promoted"), 1)
    return [*lines[:index], replace(lines[index], promote_id="lost"), *lines[index:]]


@spoil(1)
def a_close_is_never_told(lines: Lines) -> Lines:
    index = find(lines, did("promoted"), 1)
    line = replace(lines[index], did="closed", label="window-lost", promote_id=None)
    return [*lines[:index], line, *lines[index:]]


@spoil(1, also=(5,))
def a_promote_starts_no_saga(lines: Lines) -> Lines:
    return edited(lines, start_of(lines, a_respawn(lines)), cause=None)


@spoil(1, also=(5,))
def a_promote_starts_two_sagas(lines: Lines) -> Lines:
    one, two = start_of(lines, a_respawn(lines)), start_of(lines, a_respawn(lines, 1))
    return edited(lines, two, cause=event_of(lines[one])["cause"])


@spoil(1, also=(5,))
def a_saga_is_caused_by_an_event_that_causes_none(lines: Lines) -> Lines:
    index = start_of(lines, a_respawn(lines))
    return edited(lines, index, cause=event_of(lines[index])["cause"] - 1)


@spoil(1, 9, also=(8,))
def a_bracket_closes_late(lines: Lines) -> Lines:
    return delayed(lines, end_of(lines, a_respawn(lines)), 16 * SECOND)


@spoil(1, also=(8,))
def a_bracket_that_is_overdue_is_not_saved_by_a_restart(lines: Lines) -> Lines:
    index = end_of(lines, a_respawn(lines))
    later = delayed(lines, index, 40 * SECOND)
    at = lines[index].at_ns
    killed = ProcessLine(at + 30 * SECOND, "launcher", 0, "killed")
    started = ProcessLine(at + 31 * SECOND, "launcher", 0, "started")
    return [*later[:index], killed, started, *later[index:]]


@spoil(1, also=(8,))
def a_bracket_closes_late_after_a_restart(lines: Lines) -> Lines:
    index = end_of(lines, a_respawn(lines))
    later = delayed(lines, index, 40 * SECOND)
    at = lines[index].at_ns
    killed = ProcessLine(at, "launcher", 0, "killed")
    started = ProcessLine(at + 20 * SECOND, "launcher", 0, "started")
    return [*later[:index], killed, started, *later[index:]]


@spoil(9)
def a_host_without_a_fault_waits_beyond_its_deadline(lines: Lines) -> Lines:
    index = end_of(lines, a_respawn(lines))
    fault = FaultLine(lines[0].at_ns, "link break", "host-9-launcher")
    return [fault, *delayed(lines, index, 12 * SECOND)]


@spoil(9, also=(1, 3, 4, 5, 8))
def a_step_is_not_sent_again_though_there_is_peace(lines: Lines) -> Lines:
    saga_id = a_respawn(lines, -1)
    index = end_of(lines, saga_id)
    hosts = ("host-1", "host-2")
    faults = [FaultLine(lines[0].at_ns, "link break", f"{host}-launcher") for host in hosts]
    later = delayed(_failed(lines, saga_id, "saga timeout"), index, 5 * SECOND)
    return [*faults, *(each for each in later if not _is_of_step(each, saga_id))]


@spoil(5, also=(3,))
def a_saga_made_anew_does_something_else(lines: Lines) -> Lines:
    return _failed(lines, a_respawn(lines, -1), "saga actor crashed: ReplayDisagreementError: step")


@spoil(1, also=(3, 4, 5))
def a_saga_that_a_launcher_goes_on_with_has_no_time(lines: Lines) -> Lines:
    saga_id = a_respawn(lines, -1)
    start = start_of(lines, saga_id)
    at = lines[start].at_ns + 1
    lives = [ProcessLine(at, "launcher", 0, did) for did in ("killed", "started")]
    later = _failed(lines, saga_id, "saga timeout")
    return [*later[: start + 1], *lives, *later[start + 1 :]]


def _failed(lines: Lines, saga_id: int, reason: str) -> Lines:
    index = end_of(lines, saga_id)
    line = lines[index]
    assert isinstance(line, EventLine)
    failed = {"type": "SagaFailed", "saga_id": saga_id, "origin": None, "reason": reason}
    ended = replace(line, event={**failed, "version": line.event["version"]})
    return [*lines[:index], ended, *lines[index + 1 :]]


def _is_of_step(line: HistoryLine, saga_id: int) -> bool:
    return (
        isinstance(line, HostLine)
        and line.did in {"command", "report"}
        and line.identity is not None
        and line.identity.saga_id == saga_id
    )


@spoil(1)
def a_truncated_observer_is_not_told_of_an_open_bracket(lines: Lines) -> Lines:
    saga_id = a_respawn(lines)
    before = event_of(lines[end_of(lines, saga_id)])["version"]
    late = [
        line
        for line in with_second(lines)
        if not second(line) or event_of(line)["version"] >= before
    ]
    index = find(late, second)
    open_there = tuple(open_at(lines, before) - {OpenBracket(saga_id, RESPAWN)})
    truncated = TruncatedLine(late[index].at_ns, "second", before, open_there)
    return [*late[:index], truncated, *late[index:]]


# --- order ----------------------------------------------------------------------------------------


@spoil(2, also=(6, 8))
def an_event_comes_before_its_sagas_start(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    saga_id = event_of(lines[index])["saga_id"]
    return exchanged(lines, start_of(lines, saga_id), index)


@spoil(2)
def an_event_comes_after_its_sagas_end(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    return exchanged(lines, index, end_of(lines, event_of(lines[index])["saga_id"]))


@spoil(2)
def a_late_report_keeps_its_sagas_id(lines: Lines) -> Lines:
    saga_id = a_respawn(lines)
    fields = {"type": "PanesReaped", "label": "window-late"}
    return inserted(lines, last_event(lines), saga_id=saga_id, **fields)


# --- ids ------------------------------------------------------------------------------------------


@spoil(6, also=(1, 2, 3, 4, 5))
def a_saga_id_is_used_again(lines: Lines) -> Lines:
    old, new = a_respawn(lines), a_respawn(lines, -1)
    return [
        replace(line, event={**line.event, "saga_id": old})
        if isinstance(line, EventLine) and line.event["saga_id"] == new
        else line
        for line in lines
    ]


@spoil(6, also=(3, 4, 5))
def two_saga_ids_are_the_wrong_way_round(lines: Lines) -> Lines:
    one, two = a_respawn(lines), a_respawn(lines, 1)
    other = {one: two, two: one}
    return [
        replace(line, event={**line.event, "saga_id": other[line.event["saga_id"]]})
        if isinstance(line, EventLine) and line.event["saga_id"] in other
        else line
        for line in lines
    ]


@spoil(6, also=(1, 2, 5))
def a_saga_has_the_id_0(lines: Lines) -> Lines:
    return edited(lines, start_of(lines, a_respawn(lines)), saga_id=0)


@spoil(6, also=(1, 2))
def a_start_has_no_id(lines: Lines) -> Lines:
    return edited(lines, start_of(lines, a_respawn(lines)), saga_id=None)


@spoil(6)
def the_log_would_give_an_id_again(lines: Lines) -> Lines:
    index = find(lines, of(LogLine))
    log = lines[index]
    assert isinstance(log, LogLine)
    return edited(lines, index, next_saga_id=log.next_saga_id - 1)


@spoil(6)
def there_are_two_logs(lines: Lines) -> Lines:
    return edited(lines, find(lines, of(LogLine)), log="f" * 32)


@spoil(6)
def a_row_comes_twice(lines: Lines) -> Lines:
    index = find(lines, of(SagaLine), 2)
    return [*lines[:index], lines[index], *lines[index:]]
