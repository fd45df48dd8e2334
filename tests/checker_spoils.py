"""Histories spoiled in every way that one can think of, and which invariant each breaks.

A spoil takes the lines of a sound history and gives those of one that cannot be. `breaks` are the
invariants of which each must be found violated; `also` are those that it may break besides.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.checker_histories import SECOND
from transport.history_lines import (
    EventLine,
    FaultLine,
    HistoryLine,
    HostEndLine,
    HostLine,
    LogLine,
    OpenBracket,
    OutageLine,
    ProcessLine,
    SagaLine,
    TruncatedLine,
)
from transport.messages import CommandIdentity

RESPAWN = "pool_respawn_on_promote"
TERMINALS = ("SagaCompleted", "SagaFailed")
NOBODY = 999_999

Lines = list[HistoryLine]
Change = Callable[[Lines], Lines]
Where = Callable[[HistoryLine], bool]


@dataclass(frozen=True)
class Spoil:
    """A way to spoil a history."""

    change: Change
    breaks: frozenset[int]
    also: frozenset[int]

    @property
    def name(self) -> str:
        return self.change.__name__


SPOILS: list[Spoil] = []


def spoil(*breaks: int, also: tuple[int, ...] = ()) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        SPOILS.append(Spoil(change, frozenset(breaks), frozenset(also)))
        return change

    return add


# --- where, and how -------------------------------------------------------------------------------


def find(lines: Lines, where: Where, number: int = 0) -> int:
    """Give the index of the `number`-th line of a kind; the last ones are negative."""
    return [index for index, line in enumerate(lines) if where(line)][number]


def told(*types: str, **fields: object) -> Where:
    def where(line: HistoryLine) -> bool:
        return (
            isinstance(line, EventLine)
            and (not types or line.event["type"] in types)
            and all(line.event.get(name) == value for name, value in fields.items())
        )

    return where


def fill_added(line: HistoryLine) -> bool:
    return told("PoolWindowAdded")(line) and event_of(line)["saga_id"] is not None


def did(what: str, **fields: object) -> Where:
    def where(line: HistoryLine) -> bool:
        return (
            isinstance(line, HostLine)
            and line.did == what
            and all(getattr(line, name) == value for name, value in fields.items())
        )

    return where


def of(kind: type[Struct]) -> Where:
    return lambda line: isinstance(line, kind)


def event_of(line: HistoryLine) -> dict[str, Any]:
    assert isinstance(line, EventLine)
    return line.event


def edited(lines: Lines, index: int, **fields: object) -> Lines:
    """Give the lines with fields of one line, or of its event, changed."""
    line = lines[index]
    if isinstance(line, EventLine) and not fields.keys() & {"at_ns", "observer"}:
        changed: HistoryLine = replace(line, event={**line.event, **fields})
    else:
        changed = replace(line, **fields)
    return [*lines[:index], changed, *lines[index + 1 :]]


def without(lines: Lines, index: int) -> Lines:
    return [*lines[:index], *lines[index + 1 :]]


def renumbered(lines: Lines, change: Callable[[int], int]) -> Lines:
    """Give the lines with every version, cause and journal blob changed alike."""
    return list(_renumbered(lines, change))


def _renumbered(lines: Lines, change: Callable[[int], int]) -> Iterator[HistoryLine]:
    for line in lines:
        match line:
            case EventLine(event=event):
                changed = {**event, "version": change(event["version"])}
                if event.get("cause") is not None:
                    changed["cause"] = change(event["cause"])
                yield replace(line, event=changed)
            case SagaLine(cause=int(cause)):
                yield replace(line, cause=change(cause))
            case LogLine():
                blobs = [(first, change(last)) for first, last in line.journal]
                firsts = [blobs[0][0], *(last + 1 for _, last in blobs[:-1])]
                journal = tuple(
                    (first, last) for first, (_, last) in zip(firsts, blobs, strict=True)
                )
                yield replace(line, version=change(line.version), journal=journal)
            case _:
                yield line


def cut(lines: Lines, index: int) -> Lines:
    """Give the lines as if an event had never been: nothing shows in the versions."""
    version = event_of(lines[index])["version"]
    return renumbered(without(lines, index), lambda each: each - (each >= version))


def inserted(lines: Lines, index: int, **event: object) -> Lines:
    """Give the lines as if one more event had been told before an event."""
    at = lines[index]
    assert isinstance(at, EventLine)
    version = at.event["version"]
    later = renumbered(lines, lambda each: each + (each >= version))
    new = {"saga_id": None, "origin": None, **event, "version": version}
    return [*later[:index], replace(at, event=new), *later[index:]]


def exchanged(lines: Lines, one: int, other: int) -> Lines:
    """Give the lines with two events in each other's place, each under the other's version."""
    first, second = event_of(lines[one]), event_of(lines[other])
    changed = [*lines]
    versions = first["version"], second["version"]
    changed[one] = replace(lines[one], event={**second, "version": versions[0]})
    changed[other] = replace(lines[other], event={**first, "version": versions[1]})
    return changed


def start_of(lines: Lines, saga_id: int) -> int:
    return find(lines, told("SagaStarted", saga_id=saga_id))


def end_of(lines: Lines, saga_id: int) -> int:
    return find(lines, told(*TERMINALS, saga_id=saga_id))


def a_respawn(lines: Lines, number: int = 0) -> int:
    """Give the id of the `number`-th saga that a promote started."""
    return int(event_of(lines[find(lines, told("SagaStarted", name=RESPAWN), number)])["saga_id"])


def last_event(lines: Lines) -> int:
    return find(lines, of(EventLine), -1)


def delayed(lines: Lines, index: int, nanoseconds: int) -> Lines:
    """Give the lines with everything from one on later."""
    later = [replace(line, at_ns=line.at_ns + nanoseconds) for line in lines[index:]]
    return [*lines[:index], *later]


def with_second(lines: Lines) -> Lines:
    """Give the lines with a second observer that was told the same."""
    return [
        each
        for line in lines
        for each in (
            (line, replace(line, observer="second")) if isinstance(line, EventLine) else (line,)
        )
    ]


def second(line: HistoryLine) -> bool:
    return isinstance(line, EventLine) and line.observer == "second"


# --- versions -------------------------------------------------------------------------------------


@spoil(7, also=(8,))
def an_organic_event_is_dropped(lines: Lines) -> Lines:
    return without(lines, find(lines, told("WindowOpened")))


@spoil(1, 2, 7)
def a_start_is_dropped(lines: Lines) -> Lines:
    return without(lines, start_of(lines, a_respawn(lines)))


@spoil(1, 7)
def a_terminal_is_dropped(lines: Lines) -> Lines:
    return without(lines, end_of(lines, a_respawn(lines)))


@spoil(1, 7)
def the_last_event_is_dropped(lines: Lines) -> Lines:
    return without(lines, last_event(lines))


@spoil(7, also=(8,))
def an_event_is_doubled(lines: Lines) -> Lines:
    index = find(lines, told("WindowOpened"))
    return [*lines[:index], lines[index], *lines[index:]]


@spoil(7)
def two_neighbours_are_swapped(lines: Lines) -> Lines:
    index = find(lines, told("SagaCompleted"), 0)
    other = find(lines, of(EventLine), [*filter(of(EventLine), lines)].index(lines[index]) + 1)
    changed = [*lines]
    changed[index], changed[other] = lines[other], lines[index]
    return changed


@spoil(7, also=(1, 5))
def versions_have_a_gap(lines: Lines) -> Lines:
    version = event_of(lines[find(lines, told("WindowOpened"), 1)])["version"]
    return renumbered(lines, lambda each: each + (each >= version))


@spoil(7)
def the_first_event_is_not_the_first(lines: Lines) -> Lines:
    return renumbered(lines, lambda each: each + 1)


@spoil(7)
def two_observers_are_told_different_things(lines: Lines) -> Lines:
    both = with_second(lines)
    index = find(both, lambda line: second(line) and told("SagaCompleted")(line), 2)
    return edited(both, index, result="another")


@spoil(7, also=(8,))
def a_second_observer_misses_an_event(lines: Lines) -> Lines:
    both = with_second(lines)
    index = find(both, lambda line: second(line) and told("PanesReaped", "HostRegistered")(line))
    return without(both, index)


@spoil(7)
def a_second_observer_ends_early(lines: Lines) -> Lines:
    both = with_second(lines)
    quiet = _where_nothing_is_open(lines)
    return [line for line in both if not (second(line) and event_of(line)["version"] > quiet)]


def _where_nothing_is_open(lines: Lines) -> int:
    """Give a version before the last at which no bracket is open and no promote is half told."""
    opened: set[int] = set()
    events = [line.event for line in lines if isinstance(line, EventLine)]
    quiet = 0
    for event, following in pairwise(events):
        if event["type"] == "SagaStarted":
            opened.add(event["saga_id"])
        elif event["type"] in TERMINALS:
            opened.discard(event["saga_id"])
        if not opened and following["type"] in {"PoolWindowRemoved", "WindowClosed"}:
            quiet = event["version"]
    return quiet


@spoil(7, also=(1, 2))
def an_observer_is_told_of_a_truncation_it_is_past(lines: Lines) -> Lines:
    index = last_event(lines)
    at = lines[index]
    truncated = TruncatedLine(at.at_ns, "second", event_of(at)["version"] - 5)
    events = [line for line in with_second(lines) if not second(line)]
    copies = [replace(line, observer="second") for line in lines if isinstance(line, EventLine)]
    return [*events, *copies, truncated, *copies[-6:]]


@spoil(7)
def the_journal_has_a_hole(lines: Lines) -> Lines:
    index = find(lines, of(LogLine))
    log = lines[index]
    assert isinstance(log, LogLine)
    (first, last), *others = log.journal
    return edited(lines, index, journal=((first, last - 1), *others))


@spoil(7)
def the_journal_ends_before_the_log(lines: Lines) -> Lines:
    index = find(lines, of(LogLine))
    log = lines[index]
    assert isinstance(log, LogLine)
    return edited(lines, index, journal=log.journal[:-1] or ((1, log.version - 1),))


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
    open_there = tuple(_open_at(lines, before) - {OpenBracket(saga_id, RESPAWN)})
    truncated = TruncatedLine(late[index].at_ns, "second", before, open_there)
    return [*late[:index], truncated, *late[index:]]


def _open_at(lines: Lines, version: int) -> set[OpenBracket]:
    opened: dict[int, OpenBracket] = {}
    for line in lines:
        if isinstance(line, EventLine) and line.event["version"] < version:
            saga_id = line.event["saga_id"]
            if line.event["type"] == "SagaStarted":
                opened[saga_id] = OpenBracket(saga_id, line.event["name"])
            elif line.event["type"] in TERMINALS:
                del opened[saga_id]
    return set(opened.values())


# --- order ----------------------------------------------------------------------------------------


@spoil(2, also=(6,))
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


# --- correlation ----------------------------------------------------------------------------------


@spoil(3, 4)
def an_organic_add_completes_a_saga(lines: Lines) -> Lines:
    return edited(lines, find(lines, fill_added), saga_id=None)


@spoil(3, 4)
def an_event_is_given_to_another_open_saga(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    version = event_of(lines[index])["version"]
    mine = event_of(lines[index])["saga_id"]
    others = {each.saga_id for each in _open_at(lines, version)} - {mine}
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


# --- pools ----------------------------------------------------------------------------------------


def _a_host_with_windows(lines: Lines) -> int:
    return find(lines, lambda line: isinstance(line, HostEndLine) and bool(line.pool))


@spoil(8)
def a_host_has_another_window_than_told(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=(*end.pool[1:], "window-other"))


@spoil(8)
def a_pool_is_short_at_the_end(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=end.pool[1:])


@spoil(8)
def a_user_has_no_window_that_is_told(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    return edited(lines, index, open=())


@spoil(8)
def a_host_is_in_another_epoch_than_told(lines: Lines) -> Lines:
    return edited(lines, find(lines, of(HostEndLine)), epoch="f" * 32)


@spoil(8)
def a_host_was_never_registered(lines: Lines) -> Lines:
    index = find(lines, told("HostRegistered"))
    return cut(lines, index)


@spoil(8, also=(3, 4))
def a_window_is_added_that_was_never_made(lines: Lines) -> Lines:
    index = last_event(lines)
    origin = event_of(lines[find(lines, told("HostRegistered"))])["origin"]
    fields = {"type": "PoolWindowAdded", "label": "window-ghost", "reconciled": True}
    return inserted(lines, index, origin=origin, **fields)


@spoil(8, also=(4,))
def a_window_has_no_label(lines: Lines) -> Lines:
    return edited(lines, find(lines, fill_added), label="")


@spoil(8, also=(4,))
def an_event_names_another_window_than_its_report(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("WindowOpened")), label="window-other")


@spoil(8)
def a_window_is_removed_that_was_not_there(lines: Lines) -> Lines:
    removed = event_of(lines[find(lines, told("PoolWindowRemoved"))])
    return inserted(lines, last_event(lines), **{**removed, "reconciled": True})


@spoil(8)
def a_window_is_added_twice(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    event = {**event_of(lines[index]), "saga_id": None, "reconciled": True}
    later = find(lines, of(EventLine), [*filter(of(EventLine), lines)].index(lines[index]) + 1)
    return inserted(lines, later, **event)


@spoil(8, also=(1, 9))
def a_pool_is_short_for_more_than_a_minute(lines: Lines) -> Lines:
    return delayed(lines, end_of(lines, a_respawn(lines)) - 1, 70 * SECOND)


@spoil(8, also=(1, 9))
def a_pool_is_short_for_more_than_a_minute_after_the_last_fault(lines: Lines) -> Lines:
    index = end_of(lines, a_respawn(lines)) - 1
    fault = FaultLine(lines[index].at_ns + 5 * SECOND, "window dies", "host-1")
    later = delayed(lines, index, 70 * SECOND)
    return [*later[:index], fault, *later[index:]]


@spoil(4, also=(3,))
def a_host_makes_one_window_twice(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return [*lines[:index], replace(lines[index], identity=None), *lines[index:]]


@spoil(8)
def a_host_makes_a_window_without_a_label(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return [*lines[:index], replace(lines[index], label=None, identity=None), *lines[index:]]


@spoil(8)
def a_host_has_a_window_without_a_label(lines: Lines) -> Lines:
    index = find(lines, of(HostEndLine))
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=(*end.pool, ""))


@spoil(8)
def a_host_has_one_label_twice(lines: Lines) -> Lines:
    index = find(lines, of(HostEndLine))
    return edited(lines, index, pool=("window-1",) * 4)


@spoil(1, 8)
def a_window_is_promoted_that_was_not_removed(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("PoolWindowPromoted")), promote_id="another")


@spoil(8)
def a_window_is_opened_that_was_not_promoted(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("WindowOpened")), promote_id="another")


@spoil(8)
def a_pool_is_drained_that_has_windows(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowPromoted"))
    event = {**event_of(lines[index]), "type": "PoolDrained", "reconciled": True}
    return inserted(lines, index - 1, **event)


@spoil(8)
def a_host_leaves_and_its_windows_stay(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowRemoved"))
    origin = event_of(lines[index])["origin"]
    return inserted(lines, index, type="HostLeft", origin=origin, reason="goodbye")


@spoil(8)
def a_user_closes_a_window_that_nobody_had(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowRemoved"))
    fields = {"origin": event_of(lines[index])["origin"], "crash_detected": True}
    return inserted(lines, index, type="WindowClosed", label="window-x", reconciled=True, **fields)
