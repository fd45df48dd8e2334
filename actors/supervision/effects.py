"""What a supervisor asks of its adapter: carried out in order, answered when it is done."""

from collections.abc import Hashable
from dataclasses import dataclass

from actors.supervision.child_spec import ChildSpec, ExitReason


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start an incarnation; answer with `child_started` or `start_failed`."""

    spec: ChildSpec
    incarnation: int


@dataclass(frozen=True, slots=True)
class StopChild:
    """Tell an incarnation to stop; when it has, answer with `child_exited`."""

    name: Hashable
    incarnation: int


@dataclass(frozen=True, slots=True)
class KillChild:
    """End an incarnation by force, or abandon it; when it is gone, answer with `child_exited`."""

    name: Hashable
    incarnation: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Call `timer_fired(key)` at `due` (nanoseconds); a timer of the same key is replaced."""

    key: Hashable
    due: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Make sure that the timer does not fire."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class Ready:
    """Every child of the spec was started."""


@dataclass(frozen=True, slots=True)
class ChildGivenUp:
    """A child was over its own budget: it is forgotten. `reason`: of its last end."""

    name: Hashable
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class StartRefused:
    """A start that was asked for came to nothing.

    After `start_child` the spec is forgotten, after `restart_child` the child stays down. Every
    such request has one outcome: the child's start, this, or the end of the supervisor.
    """

    name: Hashable
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Ended:
    """The supervisor is over, and no child of it is left.

    `reason`: SHUTDOWN when it was told to stop, KILLED when it was killed, NORMAL after an
    auto-shutdown, GAVE_UP, or CRASHED when a child of its spec could not be started.
    """

    reason: ExitReason


Effect = (
    StartChild
    | StopChild
    | KillChild
    | SetTimer
    | CancelTimer
    | Ready
    | ChildGivenUp
    | StartRefused
    | Ended
)
