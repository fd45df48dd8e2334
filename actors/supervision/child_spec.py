"""What a supervisor is told of its children, and of itself.

The rules and words are those of Erlang/OTP's supervisor
(<https://www.erlang.org/doc/apps/stdlib/supervisor.html>); where something differs, it says so.
Times are seconds here, where people write them, and nanoseconds inside.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SECOND = 1_000_000_000


class Restart(StrEnum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"
    """Always."""

    TRANSIENT = "transient"
    """Only when it ended abnormally."""

    TEMPORARY = "temporary"
    """Never; and its spec is forgotten when it ends."""


class Strategy(StrEnum):
    """Which other children are restarted with one that is."""

    ONE_FOR_ONE = "one_for_one"
    """None."""

    ONE_FOR_ALL = "one_for_all"
    """All."""

    REST_FOR_ONE = "rest_for_one"
    """Those that were started after it."""


class AutoShutdown(StrEnum):
    """Whether the end of significant children ends the supervisor (OTP 24)."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class ExitKind(StrEnum):
    """How a child ended."""

    NORMAL = "normal"
    """By itself, as it should."""

    SHUTDOWN = "shutdown"
    """Because its supervisor told it to."""

    KILLED = "killed"
    """By force: it did not stop by its deadline, or was to be killed at once."""

    ABANDONED = "abandoned"
    """It did not stop by its deadline and cannot be killed (a thread): it is left alone."""

    CRASHED = "crashed"
    """By an exception, a signal or a bad exit status."""

    GAVE_UP = "gave_up"
    """It is a supervisor that restarted its children too often. Unlike in OTP, where this is a
    `shutdown` that a transient supervisor is not restarted after, it is abnormal."""


@dataclass(frozen=True, slots=True)
class ExitReason:
    """How a child ended, and what is known of why.

    Attributes:
        detail: for people: the exception's summary, the signal, the exit status.
        error: the exception, where there was one in this process.
    """

    kind: ExitKind
    detail: str = ""
    error: BaseException | None = field(default=None, compare=False)

    @property
    def abnormal(self) -> bool:
        """Whether a transient child is restarted after it."""
        return self.kind not in {ExitKind.NORMAL, ExitKind.SHUTDOWN}

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)


NORMAL = ExitReason(ExitKind.NORMAL)
SHUTDOWN = ExitReason(ExitKind.SHUTDOWN)


@dataclass(frozen=True, slots=True)
class Intensity:
    """How many restarts within how many seconds are too many.

    More than `restarts` in any `period` make the supervisor give up; with 0 the first crash does.
    A failed start counts as a restart; a whole round of `one_for_all` counts once.
    """

    restarts: int = 1
    period: float = 5.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a restart waits: exponentially longer, with full jitter under the cap.

    The n-th restart in a row waits a random time from 0 to min(cap, first * 2**(n - 1)). A child
    that was up for `healthy_after` begins anew at the first. With `first` 0 a restart is at once,
    as in OTP.

    Attributes:
        first, cap, healthy_after: seconds.
    """

    first: float = 0.0
    cap: float = 30.0
    healthy_after: float = 10.0


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What a child is.

    Attributes:
        name: unique among the supervisor's children.
        start: what the adapter starts: for Pykka actors a callable that gives an `ActorRef`, for
            processes a `ProcessSpec`, for a supervisor its own `SupervisorSpec`. The supervisor
            itself never looks at it.
        restart: when it is started again.
        shutdown: seconds that it has to stop once told to; 0 kills at once, None waits for ever.
        significant: its end may end the supervisor; only for transient and temporary children.
        budget: an intensity of its own, in place of the supervisor's: over it, this child alone is
            given up and forgotten, and nobody else notices. For many unrelated children.
    """

    name: Hashable
    start: Any
    restart: Restart = Restart.PERMANENT
    shutdown: float | None = 5.0
    significant: bool = False
    budget: Intensity | None = None


@dataclass(frozen=True, slots=True)
class SupervisorSpec:
    """What a supervisor is.

    Attributes:
        children: in the order of their start; they stop in the reverse order.
        shutdown_total: seconds that the shutdown of all children may take together, beside each
            one's own `shutdown`; when they are over, the rest is killed. None: no limit in total.
    """

    children: tuple[ChildSpec, ...] = ()
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: Intensity = Intensity()
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    backoff: Backoff = Backoff()
    shutdown_total: float | None = None
