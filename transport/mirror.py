"""Every host's windows, as the events tell them.

One `Mirror` is the launcher's state, an observer's picture or a host's view of itself: all apply
the same events in the same order, so all are equal at the same version.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transport.labels import window_number
from transport.messages import (
    HostLeft,
    HostRegistered,
    Place,
    PoolDrained,
    PoolWindowAdded,
    PoolWindowRemoved,
    Recorded,
    WindowClosed,
    WindowOpened,
)


class NumberRanges:
    """A growing set of positive integers, kept as sorted, disjoint ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def __len__(self) -> int:
        """Give the number of ranges."""
        return len(self._firsts)

    @property
    def last(self) -> int:
        """The greatest number; 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0

    def ranges(self) -> list[tuple[int, int]]:
        """Give the first and last number of each range, rising."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def add_range(self, first: int, last: int) -> None:
        """Put a range in that lies after all the others."""
        self._firsts.append(first)
        self._lasts.append(last)

    def add(self, number: int) -> None:
        """Put a number in."""
        firsts, lasts = self._firsts, self._lasts
        index = bisect_right(firsts, number)
        if index and number <= lasts[index - 1]:
            return
        joins_left = index > 0 and lasts[index - 1] == number - 1
        joins_right = index < len(firsts) and firsts[index] == number + 1
        if joins_left and joins_right:
            lasts[index - 1] = lasts.pop(index)
            firsts.pop(index)
        elif joins_left:
            lasts[index - 1] = number
        elif joins_right:
            firsts[index] = number
        else:
            firsts.insert(index, number)
            lasts.insert(index, number)


@dataclass(slots=True)
class HostMirror:
    """One host's windows.

    Attributes:
        pool: labels of ready windows, in the order in which they came.
        opened: labels of the windows that a user sees.
        closed: numbers of this epoch's windows that are gone.
        live: its epoch is registered and has not ended.
        sequence: of the last report of this epoch that an event came of.
    """

    host: str
    epoch: str
    pool_target: int
    drained: bool = False
    live: bool = True
    sequence: int = 0
    pool: dict[str, None] = field(default_factory=dict)
    opened: dict[str, None] = field(default_factory=dict)
    closed: NumberRanges = field(default_factory=NumberRanges)

    @property
    def target(self) -> int:
        """The target in force: 0 while drained or gone."""
        return 0 if self.drained or not self.live else self.pool_target

    def place_of(self, label: str) -> Place | None:
        """Say where a window is, or None if it is not there."""
        if label in self.pool:
            return "pool"
        return "open" if label in self.opened else None

    def was_closed(self, label: str) -> bool:
        """Say whether a window of this epoch is gone for ever."""
        number = window_number(label, self.epoch)
        return number is not None and number in self.closed

    def close(self, label: str) -> None:
        """Take a window away for ever."""
        self.pool.pop(label, None)
        self.opened.pop(label, None)
        number = window_number(label, self.epoch)
        if number is not None:
            self.closed.add(number)


class Mirror:
    """The windows of all hosts."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostMirror] = {}

    def apply(self, event: Recorded) -> None:
        """Make an event true. Events about no window change nothing."""
        origin = event.origin
        if origin is None:
            return
        if type(event) is HostRegistered:
            self.hosts[origin.host] = HostMirror(
                origin.host,
                origin.epoch,
                event.pool_target,
                drained=event.drained,
                sequence=origin.sequence,
            )
            return
        host = self.hosts.get(origin.host)
        if host is None or host.epoch != origin.epoch:
            return
        sequence = origin.sequence
        if sequence > host.sequence:  # noqa: PLR1730 - `max` is a call, and every process does this
            host.sequence = sequence
        change = _CHANGES.get(type(event))
        if change is not None:
            change(host, event)


def _add(host: HostMirror, event: Any) -> None:
    host.opened.pop(event.label, None)
    host.pool[event.label] = None


def _remove(host: HostMirror, event: Any) -> None:
    if event.reason == "promoted":
        host.pool.pop(event.label, None)
    else:
        host.close(event.label)


def _open(host: HostMirror, event: Any) -> None:
    host.opened[event.label] = None
    host.drained = False


def _close(host: HostMirror, event: Any) -> None:
    host.close(event.label)


def _drain(host: HostMirror, event: Any) -> None:
    del event
    host.drained = True


def _leave(host: HostMirror, event: Any) -> None:
    del event
    host.live = False


_CHANGES: dict[type[Any], Callable[[HostMirror, Any], None]] = {
    PoolWindowAdded: _add,
    PoolWindowRemoved: _remove,
    WindowOpened: _open,
    WindowClosed: _close,
    PoolDrained: _drain,
    HostLeft: _leave,
}
"""What an event does to its host: a look-up, for every process does it for every event."""
