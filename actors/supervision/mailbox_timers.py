"""The timers in the inbox of a threading actor."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from actors.timers import Timers


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer that has fired.

    Attributes:
        interval: nanoseconds, of a periodic one.
    """

    message: Any
    interval: int | None


class InboxTimers:
    """Keyed timers. Used by the actor's own thread alone, which needs no lock for them."""

    __slots__ = ("_entries", "_timers")

    def __init__(self) -> None:
        self._timers = Timers()
        self._entries: dict[Hashable, DueTimer] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def set(self, key: Hashable, message: Any, due: int, interval: int | None) -> None:
        """Let a timer fire at `due`, in place of the one of the same key."""
        self._entries[key] = DueTimer(message, interval)
        self._timers.set(key, due)

    def cancel(self, key: Hashable) -> None:
        """Make sure that a timer does not fire."""
        self._timers.cancel(key)
        self._entries.pop(key, None)

    def next_due(self) -> int | None:
        """Give when the next timer is due, or None without one."""
        return self._timers.next_due()

    def pop_due(self, now: int) -> DueTimer | None:
        """Give the timer that is due longest, or None; a periodic one is set anew."""
        key = self._timers.pop_due(now)
        if key is None:
            return None
        timer = self._entries[key]
        if timer.interval is None:
            del self._entries[key]
        else:
            self._timers.set(key, now + timer.interval)
        return timer
