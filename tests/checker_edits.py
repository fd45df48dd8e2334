"""Where in a history something is, and how it is changed there; what a spoil is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostLine,
    LogLine,
    OpenBracket,
    SagaLine,
)

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


def spoils_into(spoils: list[Spoil]) -> Callable[..., Callable[[Change], Change]]:
    """Give a decorator that adds its function to a list of spoils."""

    def spoil(*breaks: int, also: tuple[int, ...] = ()) -> Callable[[Change], Change]:
        def add(change: Change) -> Change:
            spoils.append(Spoil(change, frozenset(breaks), frozenset(also)))
            return change

        return add

    return spoil


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


def open_at(lines: Lines, version: int) -> set[OpenBracket]:
    opened: dict[int, OpenBracket] = {}
    for line in lines:
        if isinstance(line, EventLine) and line.event["version"] < version:
            saga_id = line.event["saga_id"]
            if line.event["type"] == "SagaStarted":
                opened[saga_id] = OpenBracket(saga_id, line.event["name"])
            elif line.event["type"] in TERMINALS:
                del opened[saga_id]
    return set(opened.values())
