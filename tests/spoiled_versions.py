"""Spoils of saga ids and of versions: invariants 6 and 7."""

from copy import deepcopy

from tests.history_edits import (
    event,
    event_at,
    events,
    inserted,
    line_of,
    moved,
    opening,
    renumbered,
    without,
)
from tests.told_histories import REFILL, RESPAWN, Line

# --- 6: ids ---------------------------------------------------------------------------------------


def _with_id(lines: list[Line], old: int, new: int) -> list[Line]:
    for each in [*events(lines), *(line for line in lines if line["kind"] == "saga")]:
        if each["saga_id"] == old:
            each["saga_id"] = new
    for line in lines:
        if line.get("identity") and line["identity"][1] == old:
            line["identity"][1] = new
    return lines


def saga_id_used_again(lines: list[Line]) -> list[Line]:
    first = opening(lines, REFILL)["saga_id"]
    return _with_id(lines, opening(lines, RESPAWN, nth=-1)["saga_id"], first)


def saga_ids_that_fall(lines: list[Line]) -> list[Line]:
    one, two = (opening(lines, RESPAWN, nth)["saga_id"] for nth in (0, 1))
    return _with_id(_with_id(_with_id(lines, one, 99_999), two, one), 99_999, two)


def saga_id_0(lines: list[Line]) -> list[Line]:
    return _with_id(lines, 1, 0)


def start_without_an_id(lines: list[Line]) -> list[Line]:
    opening(lines, RESPAWN)["saga_id"] = None
    return lines


def two_rows_of_one_saga(lines: list[Line]) -> list[Line]:
    return [*lines, dict(line_of(lines, "saga"))]


def next_saga_id_too_low(lines: list[Line]) -> list[Line]:
    line_of(lines, "log")["next_saga_id"] -= 1
    return lines


def saga_that_was_open_where_it_begins_starts(lines: list[Line]) -> list[Line]:
    bracket = opening(lines, RESPAWN)
    named = {"saga_id": bracket["saga_id"], "name": RESPAWN}
    start = {"kind": "begins", "at_ns": 0, "observer": "renderer", "after": 0, "open": [named]}
    return [start, *lines]


def commands_of_two_logs(lines: list[Line]) -> list[Line]:
    line_of(lines, "host", did="command")["identity"][0] = "f" * 32
    return lines


IDS = {
    "simulated": [
        saga_id_used_again,
        saga_ids_that_fall,
        saga_id_0,
        start_without_an_id,
        two_rows_of_one_saga,
        next_saga_id_too_low,
    ],
    "busy": [saga_that_was_open_where_it_begins_starts, commands_of_two_logs],
}


# --- 7: versions ----------------------------------------------------------------------------------


def event_dropped(lines: list[Line]) -> list[Line]:
    del lines[event_at(lines, "PoolWindowAdded", nth=1)]
    return lines


def event_dropped_by_one_observer(lines: list[Line]) -> list[Line]:
    del lines[event_at(lines, "PoolWindowAdded", nth=2)]
    return lines


def event_doubled(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowAdded", nth=1)
    return [*lines[:at], deepcopy(lines[at]), *lines[at:]]


def neighbours_swapped(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowAdded", nth=1)
    return moved(lines, at + 1, at)


def joined_late_and_was_not_told(lines: list[Line]) -> list[Line]:
    return without(lines, lambda each: each["version"] < 4)


def ended_early(lines: list[Line]) -> list[Line]:
    last = events(lines)[-1]["version"]
    hers = [n for n, line in enumerate(lines) if line.get("observer") == "mirror"]
    assert lines[hers[-1]]["event"]["version"] == last
    del lines[hers[-1]]
    return lines


def gap_in_the_versions(lines: list[Line]) -> list[Line]:
    last = events(lines)[-1]["version"]
    for each in events(lines)[-3:]:
        each["version"] += 1
    line_of(lines, "log").update(version=last + 1, journal=[[1, last + 1]])
    return lines


def one_version_with_two_contents(lines: list[Line]) -> list[Line]:
    """The two observers were told of another pool target."""
    event(lines, "HostRegistered", nth=1)["pool_target"] = 7
    assert (
        event(lines, "HostRegistered")["version"]
        == event(lines, "HostRegistered", nth=1)["version"]
    )
    return lines


def truncated_and_goes_on_elsewhere(lines: list[Line]) -> list[Line]:
    told = {"kind": "truncated", "at_ns": 0, "observer": "renderer", "before": 3, "open": []}
    return [told, *without(lines, lambda each: each["version"] < 4)]


def begins_and_goes_on_elsewhere(lines: list[Line]) -> list[Line]:
    told = {"kind": "begins", "at_ns": 0, "observer": "renderer", "after": 2, "open": []}
    return [told, *without(lines, lambda each: each["version"] < 4)]


def hole_in_the_journal(lines: list[Line]) -> list[Line]:
    del line_of(lines, "log")["journal"][3]
    return lines


def journal_without_its_end(lines: list[Line]) -> list[Line]:
    line_of(lines, "log")["journal"].pop()
    return lines


def journal_backwards(lines: list[Line]) -> list[Line]:
    line_of(lines, "log")["journal"][2].reverse()
    return lines


def truncated_backwards(lines: list[Line]) -> list[Line]:
    """An observer is told that it cannot have what it has."""
    at = event_at(lines, "PoolWindowPromoted")
    told = {"kind": "truncated", "observer": "renderer", "before": 3, "open": []}
    return [*lines[:at], {**told, "at_ns": lines[at]["at_ns"]}, *lines[at:]]


def log_beyond_what_was_published(lines: list[Line]) -> list[Line]:
    log = line_of(lines, "log")
    log["version"] += 1
    log["journal"][-1][-1] += 1
    return lines


def report_published_twice(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowRemoved")
    return renumbered(inserted(lines, at, lines[at]["event"]))


VERSIONS = {
    "simulated": [
        event_dropped,
        event_doubled,
        neighbours_swapped,
        joined_late_and_was_not_told,
        gap_in_the_versions,
        hole_in_the_journal,
        journal_backwards,
        journal_without_its_end,
        log_beyond_what_was_published,
        report_published_twice,
    ],
    "busy": [
        truncated_and_goes_on_elsewhere,
        truncated_backwards,
        begins_and_goes_on_elsewhere,
    ],
    "busy, two observers": [
        event_dropped_by_one_observer,
        ended_early,
        one_version_with_two_contents,
    ],
}
