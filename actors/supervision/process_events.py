"""What a process supervisor tells of its processes, as it happens."""

from collections.abc import Hashable
from dataclasses import dataclass

from actors.supervision.child_spec import ExitReason

Path = tuple[Hashable, ...]
"""Who: the names of the supervisors from the top down, then the child's."""


@dataclass(frozen=True, slots=True)
class ChildStarting:
    """A child was started; it is not ready yet. `pid`: None of a supervisor."""

    path: Path
    incarnation: int
    pid: int | None


@dataclass(frozen=True, slots=True)
class ChildStopping:
    """A child was told to stop. `pid`: None of a supervisor."""

    path: Path
    incarnation: int
    pid: int | None


@dataclass(frozen=True, slots=True)
class ChildKilled:
    """A child was ended by force, because of `why`. `pid`: None of a supervisor."""

    path: Path
    incarnation: int
    pid: int | None
    why: str


@dataclass(frozen=True, slots=True)
class ProcessReady:
    """A process is ready, after that many seconds."""

    path: Path
    incarnation: int
    pid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """A process ended, or could not even be started.

    Attributes:
        pid: None where the system could not start it.
        ready: it had been ready; else its start failed.
        how: the exit status or signal; empty without a process.
        said: the last that it wrote, where its output goes to a file.
    """

    path: Path
    incarnation: int
    pid: int | None
    reason: ExitReason
    ready: bool
    how: str = ""
    said: str = ""

    @property
    def story(self) -> str:
        """Who ended, how, and what it said last, for people."""
        name = self.path[-1]
        if self.ready:
            told = f"{name} (pid {self.pid}) ended with {self.how}"
        else:
            told = f"{name} could not start: {self.reason.detail}"
        return f"{told}: {self.said}" if self.said else told


@dataclass(frozen=True, slots=True)
class RestartWaits:
    """A child, or a whole round of a supervisor's children, is started again in a while.

    Attributes:
        restarts: how many restarts the child had in the period, with this; 0 for a round.
    """

    path: Path
    seconds: float
    restarts: int


@dataclass(frozen=True, slots=True)
class ChildForgotten:
    """A child was over its own budget, and is given up."""

    path: Path
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class ChildRefused:
    """A start that was asked for came to nothing."""

    path: Path
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class SupervisorReady:
    """Every child of the spec is ready."""

    path: Path


@dataclass(frozen=True, slots=True)
class SupervisorEnded:
    """It is over, and no process of it is left."""

    path: Path
    reason: ExitReason


ProcessEvent = (
    ChildStarting
    | ChildStopping
    | ChildKilled
    | ProcessReady
    | ProcessEnded
    | RestartWaits
    | ChildForgotten
    | ChildRefused
    | SupervisorReady
    | SupervisorEnded
)
