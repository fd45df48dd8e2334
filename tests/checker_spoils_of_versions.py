"""Histories spoiled in their versions, and in the journal's."""

from itertools import pairwise

from msgspec.structs import replace

from tests.checker_edits import (
    TERMINALS,
    Lines,
    Spoil,
    a_respawn,
    edited,
    end_of,
    event_of,
    find,
    last_event,
    of,
    renumbered,
    second,
    spoils_into,
    start_of,
    told,
    with_second,
    without,
)
from transport.history_lines import (
    EventLine,
    LogLine,
    TruncatedLine,
)

SPOILS: list[Spoil] = []
spoil = spoils_into(SPOILS)


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
