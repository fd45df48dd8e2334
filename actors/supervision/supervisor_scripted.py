"""What a stepped tree consists of: its history, its children's scripts and lives."""

# ruff: noqa: D102 - a protocol's methods are those of the class that its docstring names

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from actors.supervision.child_spec import SHUTDOWN, ChildSpec, ExitReason, SupervisorSpec
from actors.supervision.effects import Effect
from actors.supervision.supervisor_child import ChildInfo

Path = tuple[Hashable, ...]


class What(StrEnum):
    """What happened: what a supervisor ordered, or said of itself."""

    START = "+"
    STOP = "-"
    KILL = "!"
    REFUSED = "?"
    GIVEN_UP = "~"
    READY = "ready"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the history.

    Attributes:
        at: nanoseconds since the tree was made.
        path: of the child, or of the supervisor that is ready or over; empty for the root.
        reason: of a refused start, a child given up, a supervisor's end.
    """

    at: int
    what: What
    path: Path
    reason: ExitReason | None = None

    def __str__(self) -> str:
        path = "/".join(map(str, self.path))
        match self.what:
            case What.READY:
                return f"ready:{path}" if path else "ready"
            case What.ENDED:
                kind = self.reason.kind if self.reason else ""
                return f"ended:{path}:{kind}" if path else f"ended:{kind}"
            case _:
                return self.what + path


@dataclass(slots=True)
class Script:
    """How a child behaves, in this and all later incarnations; change it at any time.

    Attributes:
        failing_starts: so many of its next starts fail.
        start_takes: seconds until a start is answered; None: never.
        stop_takes: seconds from the order to stop until it ended; None: never, it hangs.
        stop_reason: how it ends when told to stop.
        unkillable: it cannot be ended by force (a thread), and is abandoned.
    """

    failing_starts: int = 0
    start_takes: float | None = 0.0
    stop_takes: float | None = 0.0
    stop_reason: ExitReason = SHUTDOWN
    unkillable: bool = False


class SupervisorMachine(Protocol):
    """What the tree needs of a `Supervisor`, so that another can take its place in a test."""

    spec: SupervisorSpec

    def start(self, now: int) -> list[Effect]: ...
    def stop(self, now: int) -> list[Effect]: ...
    def kill(self, now: int) -> list[Effect]: ...
    def timer_fired(self, key: Hashable, now: int) -> list[Effect]: ...
    def child_started(self, name: Hashable, incarnation: int, now: int) -> list[Effect]: ...
    def start_failed(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[Effect]: ...
    def child_exited(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[Effect]: ...
    def start_child(self, spec: ChildSpec, now: int) -> list[Effect]: ...
    def terminate_child(self, name: Hashable, now: int) -> list[Effect]: ...
    def restart_child(self, name: Hashable, now: int) -> list[Effect]: ...
    def delete_child(self, name: Hashable, now: int) -> list[Effect]: ...
    def which_children(self) -> list[ChildInfo]: ...


@dataclass(slots=True, eq=False)
class Life:
    """An incarnation of a scripted child, or (with a machine) of a supervisor."""

    path: Path
    incarnation: int
    owner: "Life | None"
    machine: SupervisorMachine | None = None
    started: bool = False
    children: dict[Hashable, "Life"] = field(default_factory=dict)
    timers: set[Hashable] = field(default_factory=set)
    over: bool = False

    def descendants(self) -> "Iterator[Life]":
        """All that live under it, each before its own children."""
        for each in self.children.values():
            yield each
            yield from each.descendants()
