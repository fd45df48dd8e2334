"""What a checker is told of sagas, as data."""

from dataclasses import dataclass, field

from transport.checker.told import Told

SECOND = 1_000_000_000

CLOSES_WITHIN = 10 * SECOND
"""How long after its deadline a bracket has to be closed, in nanoseconds."""

WHOLE_WITHIN = 60 * SECOND
"""How long after the last fault every pool has to be whole, in nanoseconds."""

ON_TIME_WITHIN = 2 * SECOND
"""What a saga of a host without a fault may take beyond its deadline, in nanoseconds: a due
deadline fires at the latest a second after, and the event has to be delivered."""

PEACE = 4 * SECOND
"""After so long without any fault, every pending step has reached its host: a launcher that is lost
is noticed within three heartbeats, and the next registration has every pending step sent again."""

DELIVERED_WITHIN = 5 * SECOND
"""How long what left before a log's outage may be under way to somebody without a fault."""

RECOVERED_FOR = 4_500_000_000
"""How long a saga that a launcher goes on with is open at least, in nanoseconds: five seconds of
the launcher's own clock, which begins with its engine and may be a little fast."""

RECOVERIES = 3
"""How often in a saga's life that is promised."""

POOL_SLACK = 2
"""How many windows more than its target a pool may hold."""

OUTAGE_KNOWN_WITHIN = SECOND
"""How long a commit that was under way may still succeed when an outage begins."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts exactly one saga.

    Attributes:
        event_type: of the event.
        saga: name of the saga.
        unless: fields of which none may be true; such an event starts nothing.
    """

    event_type: str
    saga: str
    unless: tuple[str, ...] = ("reconciled",)

    def starts(self, event: Told) -> bool:
        """Say whether an event of this type starts one."""
        return not any(event.fields.get(name) for name in self.unless)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a saga is given before it is completed.

    Attributes:
        saga: name of the saga.
        result: that it is completed with; None for any.
        after: types of its own events, in their order.
    """

    saga: str
    result: str | None
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What sagas do, as far as it is judged; a saga that is not named here is any saga.

    Attributes:
        triggers: which events start which saga, exactly once.
        ends: what a saga must have been given before it may have a result, event types in order.
        out_of_time: the reasons of sagas that failed for want of time.
        fills: names of the sagas that are done when there is a window, which their result names.
        refill: name of the one of these that is started where a pool lacks a window.
        most_fills: how many of these may be in flight in one host.
    """

    triggers: tuple[Trigger, ...] = (
        Trigger("PoolWindowPromoted", "pool_respawn_on_promote"),
        Trigger("WindowClosed", "window_cleanup_cascade", ("crash_detected", "reconciled")),
    )
    ends: tuple[Ending, ...] = (
        Ending("window_cleanup_cascade", "drained", ("PanesReaped", "PoolDrained")),
        Ending("window_cleanup_cascade", "not_last", ("PanesReaped", "PoolNotLast")),
    )
    out_of_time: frozenset[str] = frozenset({"saga timeout", "host unreachable"})
    fills: frozenset[str] = field(
        default_factory=lambda: frozenset({"pool_respawn_on_promote", "pool_refill"})
    )
    refill: str = "pool_refill"
    most_fills: int = 64
