"""Judges a run by what its observer was told: no promote lost, doubled, failed or crossed.

`transport.checker` judges what it can from one observer's history. Beside it, and independently of
it, each promote is followed here through its saga to the window that its end names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.held_sagas import HeldSaga
from transport.checker import Invariant, check
from transport.event_stream import Batch
from transport.history import lines_of
from transport.messages import (
    PoolWindowAdded,
    PoolWindowPromoted,
    Recorded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

RESPAWN = "pool_respawn_on_promote"
MOST_TOLD = 5
"""How many violations are told; there may be thousands of one cause."""


@dataclass(slots=True)
class _Bracket:
    """A saga that began. `host`: that promoted, None if none did. `label`: of its new window."""

    name: str
    host: str | None
    label: str | None = None
    is_open: bool = True


def violations(batches: Sequence[Batch], in_flight: int) -> list[str]:
    """Give what is wrong with everything that an observer was told, in words.

    Args:
        batches: from version 1 on.
        in_flight: how many sagas are to be open at the end.
    """
    own = PromoteCheck()
    for batch in batches:
        for event in batch.events:
            own.take(event)
    own.finish(in_flight)
    lines = (line for batch in batches for line in lines_of(batch, "driver"))
    found = check(lines)
    if in_flight:  # a history is to end with no bracket open
        found = [each for each in found if each.invariant is not Invariant.BRACKETS]
    return [*own.violations, *(violation.message for violation in found)]


def summary(found: Iterable[str]) -> str:
    """Give violations as one line."""
    found = list(found)
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return "; ".join(found[:MOST_TOLD]) + more


class PromoteCheck:
    """Follows every promote through its saga. `violations`: what is wrong, in words."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self._version = 0
        self._promotes: dict[int, str] = {}
        self._brackets: dict[int, _Bracket] = {}

    def take(self, event: Recorded) -> None:
        """Take the next event."""
        if event.version != self._version + 1:
            self._wrong(f"version {event.version} follows version {self._version}")
        self._version = event.version
        match event:
            case PoolWindowPromoted(version=version, origin=origin):
                self._promotes[version] = origin.host if origin is not None else ""
            case SagaStarted(saga_id=int(saga_id), name=name, cause=cause):
                self._start(saga_id, name, cause)
            case PoolWindowAdded(saga_id=int(saga_id)):
                self._add(saga_id, event)
            case SagaCompleted(saga_id=int(saga_id), result=result):
                self._complete(saga_id, result)
            case SagaFailed(saga_id=saga_id, reason=reason):
                self._wrong(f"saga {saga_id} failed: {reason}")

    def finish(self, in_flight: int) -> None:
        """Hear that this was the last event."""
        for version in self._promotes:
            self._wrong(f"the promote of version {version} started no saga")
        held = 0
        for saga_id, bracket in self._brackets.items():
            is_held = bracket.name == HeldSaga.name
            held += is_held and bracket.is_open
            if bracket.is_open != is_held:
                state = "is still open" if bracket.is_open else "has ended"
                self._wrong(f"saga {saga_id} ({bracket.name}) {state}")
        if held != in_flight:
            self._wrong(f"{held} sagas are in flight in place of {in_flight}")

    def _start(self, saga_id: int, name: str, cause: int | None) -> None:
        if saga_id in self._brackets:
            self._wrong(f"saga {saga_id} started twice")
        host = self._promotes.pop(cause, None) if name == RESPAWN and cause is not None else None
        if name == RESPAWN and host is None:
            self._wrong(f"saga {saga_id} started on version {cause}: no promote, or a second saga")
        self._brackets[saga_id] = _Bracket(name, host)

    def _add(self, saga_id: int, event: PoolWindowAdded) -> None:
        bracket = self._brackets.get(saga_id)
        host = event.origin.host if event.origin is not None else None
        if bracket is None or not bracket.is_open:
            self._wrong(f"window {event.label} came for saga {saga_id}, which is not open")
        elif bracket.label is not None:
            self._wrong(f"saga {saga_id} got two windows")
        elif bracket.host not in {None, host}:
            self._wrong(f"saga {saga_id} of host {bracket.host} got a window of host {host}")
        else:
            bracket.label = event.label

    def _complete(self, saga_id: int, result: str) -> None:
        bracket = self._brackets.get(saga_id)
        if bracket is None or not bracket.is_open:
            self._wrong(f"saga {saga_id} completed, but was not open")
            return
        bracket.is_open = False
        if bracket.name == RESPAWN and result != bracket.label:
            self._wrong(f"saga {saga_id} completed with {result}, but got {bracket.label}")

    def _wrong(self, message: str) -> None:
        self.violations.append(message)
