"""One child as its supervisor knows it, and what others may see of it."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum

from actors.supervision.child_spec import ChildSpec, ExitReason
from actors.supervision.intensity import RestartWindow


class ChildState(StrEnum):
    """Where a child is between its incarnations."""

    QUEUED = "queued"
    """It is to be started when its turn comes."""

    BACKOFF = "backoff"
    """It is to be started when its backoff, or its round's, is over."""

    STARTING = "starting"
    """It was told to start and has not answered."""

    RUNNING = "running"

    STOPPING = "stopping"
    """It was told to stop, or killed, and has not ended."""

    ENDED = "ended"
    """It ended by itself; what follows waits for what is under way."""

    STOPPED = "stopped"
    """It is down and stays so until it is restarted by request, or with the others."""


ALIVE = frozenset({ChildState.STARTING, ChildState.RUNNING, ChildState.STOPPING})
"""There is, or may be, an incarnation that has to end."""

DUE = frozenset({ChildState.QUEUED, ChildState.BACKOFF})
"""It will be started without being asked for."""


class StartCause(StrEnum):
    """On whose account the next start is: it decides what a failed one means."""

    INITIAL = "initial"
    """The supervisor's own start: it fails with it."""

    RESTART = "restart"
    """A restart: it counts, and is tried again."""

    ADDED = "added"
    """`start_child`: the spec is forgotten, the caller is told."""

    REQUESTED = "requested"
    """`restart_child`: the child stays down, the caller is told."""


@dataclass(slots=True, eq=False)
class Child:
    """A child's spec and what became of it. Only its supervisor changes it.

    Attributes:
        position: grows with the order of the specs.
        stays_down: it was stopped by request, so no round starts it.
        killed: it was told to end by force.
        attempts: its restarts in a row, for the backoff.
        due: when its backoff is over.
    """

    spec: ChildSpec
    position: int
    cause: StartCause
    state: ChildState = ChildState.QUEUED
    incarnation: int = 0
    started_at: int = 0
    due: int = 0
    attempts: int = 0
    stays_down: bool = False
    killed: bool = False
    has_deadline: bool = False
    exit: ExitReason | None = None
    last_failure: ExitReason | None = None
    window: RestartWindow | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """A line of `which_children`."""

    name: Hashable
    state: ChildState
    incarnation: int
    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """What a live tree shows of a child.

    Attributes:
        incarnation: how often it was started, 0 before the first.
        restarts: its own restarts in the window that now ends.
        started_at: when this incarnation was up, if it is (nanoseconds).
        due: when its own backoff is over, if it waits for one (nanoseconds).
    """

    name: Hashable
    state: ChildState
    incarnation: int
    restarts: int
    started_at: int | None
    due: int | None
    last_failure: ExitReason | None


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """What `count_children` gives: as in OTP, all but `active` count specs."""

    specs: int
    active: int
    supervisors: int
    workers: int
