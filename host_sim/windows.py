"""A host's windows: those in its pool, those that users see, those that are closing."""

from collections import OrderedDict
from collections.abc import Callable

from host_sim.window import Happening, Window
from transport.labels import window_label, window_number
from transport.messages import InventoryWindow
from transport.mirror import NumberRanges

POOL_SLACK = 2
"""How many more than its target a pool may hold, ready and creating together."""


class HostWindows:
    """All windows of one epoch that are ready, or were.

    Args:
        epoch: in every label.
        pool_target: how many ready windows the pool should hold.
        pool_changed: told a label, and whether it is in the pool now.

    Attributes:
        pooled, opened, closing: windows by label, oldest first.
        drained: the target in force is 0 until the next window opens.
    """

    def __init__(
        self, epoch: str, pool_target: int, pool_changed: Callable[[str, bool], None]
    ) -> None:
        self.pooled: OrderedDict[str, Window] = OrderedDict()
        self.opened: dict[str, Window] = {}
        self.closing: dict[str, Window] = {}
        self.drained = False
        self._epoch = epoch
        self._pool_target = pool_target
        self._pool_changed = pool_changed
        self._made = 0
        self._gone = NumberRanges()

    @property
    def target(self) -> int:
        """The target in force."""
        return 0 if self.drained else self._pool_target

    def has_room(self, creating: int) -> bool:
        """Say whether the pool may get one more beside those that are being made for it."""
        return len(self.pooled) + creating < self.target + POOL_SLACK

    def inventory(self) -> list[InventoryWindow]:
        """Give every window that is in the pool or open."""
        windows = [
            InventoryWindow(each.label, "pool", each.identity) for each in self.pooled.values()
        ]
        windows += [
            InventoryWindow(each.label, "open", each.identity) for each in self.opened.values()
        ]
        return windows

    def was_closed(self, label: str) -> bool:
        """Say whether a window was there and is gone for ever."""
        number = window_number(label, self._epoch)
        return number is not None and number in self._gone

    def where(self, label: str) -> str:
        """Say where a window is, for people."""
        for windows, place in (
            (self.opened, "open"),
            (self.pooled, "in the pool"),
            (self.closing, "closing"),
        ):
            if label in windows:
                return place
        return "closed" if self.was_closed(label) else "unknown"

    # --- transitions ----------------------------------------------------------------------------

    def name(self, window: Window) -> None:
        """Let a created window be ready: it gets its label."""
        window.undergo(Happening.BECAME_READY)
        self._made += 1
        window.label = window_label(self._epoch, self._made)

    def add_to_pool(self, window: Window) -> None:
        """Put a ready window into the pool."""
        window.undergo(Happening.ADDED)
        self.pooled[window.label] = window
        self._pool_changed(window.label, True)  # noqa: FBT003 - a label and its place

    def open(self, window: Window) -> None:
        """Show a ready window to the user without it ever having been in the pool."""
        window.undergo(Happening.SHOWN)
        self.opened[window.label] = window
        self.drained = False

    def promote(self) -> Window | None:
        """Show the oldest window of the pool to the user; None if the pool is empty."""
        if not self.pooled:
            return None
        window = self._out_of_pool()
        self.open(window)
        return window

    def demote(self, label: str) -> None:
        """Put a user's window back into the pool."""
        window = self.opened.pop(label)
        window.undergo(Happening.DEMOTED)
        self.pooled[label] = window
        self._pool_changed(label, True)  # noqa: FBT003 - a label and its place

    def close(self, label: str) -> None:
        """Close a user's window; its panes are still to be reaped."""
        window = self.opened.pop(label)
        window.undergo(Happening.USER_CLOSED)
        self.closing[label] = window

    def reap(self, label: str) -> None:
        """End a closing window: its panes are gone."""
        self._end(self.closing.pop(label), Happening.REAPED)

    def drain(self) -> list[str]:
        """Empty the pool and set its target to 0; give the labels that were in it."""
        labels = list(self.pooled)
        while self.pooled:
            self._end(self._out_of_pool(), Happening.DISCARDED)
        self.drained = True
        return labels

    def lose_ready(self) -> str:
        """Let the oldest window of the pool crash; give its label."""
        window = self._out_of_pool()
        self._end(window, Happening.CRASHED)
        return window.label

    def crash_opened(self) -> str:
        """Let the oldest of the users' windows crash; give its label."""
        window = self.opened.pop(next(iter(self.opened)))
        self._end(window, Happening.CRASHED)
        return window.label

    def _out_of_pool(self) -> Window:
        label, window = self.pooled.popitem(last=False)
        self._pool_changed(label, False)  # noqa: FBT003 - a label and its place
        return window

    def _end(self, window: Window, how: Happening) -> None:
        window.undergo(how)
        number = window_number(window.label, self._epoch)
        assert number is not None  # noqa: S101 - `name` made the label
        self._gone.add(number)
