"""Which events belong together: the groups of the brackets that are open.

A bracket's group is its trigger, every event with its saga's id, and its terminal. Where the
trigger is a promote, the removed and opened events of that promote (same host, same promote id)
belong to it too. An event may be in several groups: a trigger of two sagas, or an event that one
saga asked for and that triggers another, is in each of them, for each must be complete when it is
handed over.

No knowledge of sagas is needed: `SagaStarted.cause` names the trigger's version, and events that
one command gave are never split over two blobs, so a trigger, its promote's events and its
`SagaStarted` are always seen together.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from transport.messages import (
    PoolWindowPromoted,
    PoolWindowRemoved,
    Recorded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    Terminal,
    WindowOpened,
)


class BracketGroup(Struct, frozen=True):
    """Everything that becomes visible at once when a bracket closes.

    Attributes:
        events: in the order of their versions, `SagaStarted` and the terminal included.
        terminal: the last of them.
    """

    saga_id: int
    name: str
    events: tuple[Recorded, ...]
    terminal: Terminal


class OpenGroup:
    """A bracket that is open, with its group's events so far. `cause`: its trigger's version."""

    __slots__ = ("cause", "events", "name", "saga_id")

    def __init__(
        self, saga_id: int, name: str, cause: int | None, events: Iterable[Recorded] = ()
    ) -> None:
        self.saga_id = saga_id
        self.name = name
        self.cause = cause
        self.events = list(events)


_TERMINALS: frozenset[type[Any]] = frozenset((SagaCompleted, SagaFailed))
_OF_PROMOTES: frozenset[type[Any]] = frozenset(
    (PoolWindowRemoved, PoolWindowPromoted, WindowOpened)
)
"""Events whose `promote_id` says which promote they belong to, if any."""


class OpenGroups:
    """The open brackets, advanced by whole blobs."""

    def __init__(self, groups: Iterable[OpenGroup] = ()) -> None:
        self._open = {
            each.saga_id: OpenGroup(each.saga_id, each.name, each.cause, each.events)
            for each in groups
        }

    def groups(self) -> tuple[OpenGroup, ...]:
        """Give the open ones, oldest first; they are to be read only."""
        return tuple(self._open.values())

    def take(self, events: Sequence[Recorded]) -> list[BracketGroup | Recorded]:
        """Take the events of whole blobs; give what is complete, in order.

        A group stands where its terminal was; an event of no open bracket where it was itself.
        """
        members = self._open_brackets(events)
        released: list[BracketGroup | Recorded] = []
        for event in events:
            saga_ids, own = members.get(event.version), event.saga_id
            if saga_ids is not None:
                for saga_id in saga_ids:
                    self._append(saga_id, event)
            if own is not None and own in self._open:
                if saga_ids is None or own not in saga_ids:
                    self._append(own, event)
                if type(event) in _TERMINALS:
                    released.append(self._close(own, event))
            elif saga_ids is None:
                released.append(event)
        return released

    def _append(self, saga_id: int, event: Recorded) -> None:
        group = self._open.get(saga_id)
        if group is not None:
            group.events.append(event)

    def _close(self, saga_id: int, terminal: Any) -> BracketGroup:
        group = self._open.pop(saga_id)
        return BracketGroup(saga_id, group.name, tuple(group.events), terminal)

    def _open_brackets(self, events: Sequence[Recorded]) -> dict[int, list[int]]:
        """Open the brackets that start here; give the saga ids that their triggers belong to."""
        members: dict[int, list[int]] = {}
        promotes: dict[tuple[str, str], list[int]] | None = None
        for event in events:
            if type(event) is not SagaStarted or event.saga_id is None:
                continue
            if event.saga_id in self._open:
                continue
            self._open[event.saga_id] = OpenGroup(event.saga_id, event.name, event.cause)
            trigger = _at_version(events, event.cause)
            if type(trigger) is PoolWindowPromoted:
                promotes = _promotes_of(events) if promotes is None else promotes
                versions = promotes.get(_promote_of(trigger) or ("", ""), [trigger.version])
            else:
                versions = [trigger.version] if trigger is not None else []
            for version in versions:
                members.setdefault(version, []).append(event.saga_id)
        return members


def _at_version(events: Sequence[Recorded], version: int | None) -> Recorded | None:
    if version is None:
        return None
    index = version - events[0].version
    return events[index] if 0 <= index < len(events) else None


def _promotes_of(events: Sequence[Recorded]) -> dict[tuple[str, str], list[int]]:
    versions: dict[tuple[str, str], list[int]] = {}
    for event in events:
        promote = _promote_of(event)
        if promote is not None:
            versions.setdefault(promote, []).append(event.version)
    return versions


def _promote_of(event: Any) -> tuple[str, str] | None:
    if type(event) not in _OF_PROMOTES:
        return None
    if event.promote_id is None or event.origin is None:
        return None
    return event.origin.host, event.promote_id
