"""Finds and changes lines of a history; every function works on the list that it is given."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.told_histories import Line

Where = Callable[[Line], bool]


def event_at(lines: list[Line], type_name: str, where: Where = lambda _: True, nth: int = 0) -> int:
    """Give the index of the nth event of a type whose map is so; a negative one counts back."""
    found = [
        number
        for number, line in enumerate(lines)
        if line["kind"] == "event" and line["event"]["type"] == type_name and where(line["event"])
    ]
    return found[nth]


def event(lines: list[Line], type_name: str, where: Where = lambda _: True, nth: int = 0) -> Line:
    """Give the map of the nth event of a type."""
    found: Line = lines[event_at(lines, type_name, where, nth)]["event"]
    return found


def events(lines: Iterable[Line]) -> list[Line]:
    """Give the maps of all events, in order."""
    return [line["event"] for line in lines if line["kind"] == "event"]


def line_of(lines: list[Line], kind: str, nth: int = 0, **fields: Any) -> Line:
    """Give the nth line of a kind that has these fields."""
    return [
        line
        for line in lines
        if line["kind"] == kind and all(line.get(key) == each for key, each in fields.items())
    ][nth]


def opening(lines: list[Line], name: str, nth: int = 0) -> Line:
    """Give the `SagaStarted` of the nth saga of a name."""
    return event(lines, "SagaStarted", lambda each: each["name"] == name, nth)


def own(saga_id: int) -> Where:
    """Say whether an event is of a saga."""
    return lambda each: bool(each["saga_id"] == saga_id)


def moved(lines: list[Line], source: int, target: int) -> list[Line]:
    """Take a line out, and put it where another stands, before it."""
    line = lines[source]
    rest = lines[:source] + lines[source + 1 :]
    target -= source < target
    return [*rest[:target], line, *rest[target:]]


def inserted(lines: list[Line], index: int, fields: Line, **changes: Any) -> list[Line]:
    """Put another event after the one at an index, as the same observer had it then."""
    line = {**lines[index], "event": {**fields, **changes}}
    return [*lines[: index + 1], line, *lines[index + 1 :]]


def without(lines: list[Line], where: Where) -> list[Line]:
    """Leave out the events that are so."""
    return [line for line in lines if line["kind"] != "event" or not where(line["event"])]


def without_saga(lines: list[Line], saga_id: int) -> list[Line]:
    """Let there never have been a saga: its events, its commands and what came of them."""

    def of_it(line: Line) -> bool:
        identity = line.get("identity")
        by_host = line["kind"] == "host" and identity is not None and identity[1] == saga_id
        return bool(by_host or (line["kind"] == "saga" and line["saga_id"] == saga_id))

    return [line for line in without(lines, own(saga_id)) if not of_it(line)]


def renumbered(lines: list[Line]) -> list[Line]:
    """Number the events of the one observer anew, in their order, as if that were all there was."""
    new: dict[int, int] = {}
    for version, each in enumerate(events(lines), 1):
        new.setdefault(each["version"], version)
        each.update(version=version)
    for each in [*events(lines), *(line for line in lines if line["kind"] == "saga")]:
        if each.get("cause") is not None:
            each["cause"] = new.get(each["cause"], each["cause"])
    log = line_of(lines, "log")
    log.update(version=len(events(lines)), journal=[[1, len(events(lines))]])
    return lines


def delayed(lines: list[Line], start: int, seconds: float) -> list[Line]:
    """Let everything from an index on be later."""
    for line in lines[start:]:
        line["at_ns"] += int(seconds * 1_000_000_000)
    return lines
