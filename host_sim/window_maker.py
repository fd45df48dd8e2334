"""Makes windows: for the pool when a command asks for one, cold when a user does.

Creations run in parallel. Each takes its own time, and fails or is given up by itself: one that
never becomes ready keeps no other from being made.
"""

import random
from enum import Enum, auto

from host_sim.due_work import DueWork
from host_sim.faults import Fault, FaultScript
from host_sim.link_end import LinkEnd
from host_sim.replies import Asker, Replies
from host_sim.settings import SECOND, HostSettings
from host_sim.window import Happening, Window
from host_sim.windows import HostWindows
from transport.messages import (
    CommandIdentity,
    ReportActionFailed,
    ReportPoolWindowAdded,
    ReportWindowOpened,
)


class _Prospect(Enum):
    """What will come of a creation."""

    READY = auto()
    FAILED = auto()
    NEVER_READY = auto()


class Creation:
    """One window that is being made, for the pool or for a user who waits."""

    __slots__ = ("prospect", "wanted_by", "window")

    def __init__(
        self, window: Window, prospect: _Prospect, wanted_by: CommandIdentity | Asker
    ) -> None:
        self.window = window
        self.prospect = prospect
        self.wanted_by = wanted_by

    @property
    def for_pool(self) -> bool:
        """A command asked for it."""
        return isinstance(self.wanted_by, CommandIdentity)


class PromoteIds:
    """Gives each promote of an epoch its id."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._count = 0

    def next(self) -> str:
        """Give an id that no promote had."""
        self._count += 1
        return f"promote-{self._epoch}-{self._count}"


class WindowMaker:
    """All creations of one host.

    Attributes:
        for_pool: how many are under way for the pool.
        failed: how many failed so far.
    """

    def __init__(
        self,
        *,
        settings: HostSettings,
        generator: random.Random,
        faults: FaultScript,
        windows: HostWindows,
        link: LinkEnd,
        replies: Replies,
        promote_ids: PromoteIds,
    ) -> None:
        self.for_pool = 0
        self.failed = 0
        self._settings = settings
        self._generator = generator
        self._faults = faults
        self._windows = windows
        self._link = link
        self._replies = replies
        self._promote_ids = promote_ids
        self._under_way: DueWork[Creation] = DueWork()

    @property
    def next_due(self) -> int | None:
        """When the next creation ends, well or badly."""
        return self._under_way.next_due

    @property
    def cold(self) -> int:
        """How many windows are opening cold."""
        return len(self._under_way) - self.for_pool

    def start(self, wanted_by: CommandIdentity | Asker, now: int) -> None:
        """Begin to make a window; one that takes no time is there when this returns."""
        identity = wanted_by if isinstance(wanted_by, CommandIdentity) else None
        timeout = self._settings.creation_timeout
        time = self._settings.spawn_time.draw(self._generator)
        prospect = _Prospect.READY
        if self._faults.strikes(Fault.CREATION_FAILED):
            prospect = _Prospect.FAILED
        if self._faults.strikes(Fault.CREATION_NEVER_READY) or time > timeout:
            prospect, time = _Prospect.NEVER_READY, timeout
        creation = Creation(Window(identity), prospect, wanted_by)
        self.for_pool += creation.for_pool
        self._under_way.add(now + time, creation)
        if time == 0:
            self.finish_due(now)

    def finish_due(self, now: int) -> None:
        """End every creation whose time has come."""
        while (creation := self._under_way.pop_due(now)) is not None:
            self.for_pool -= creation.for_pool
            match creation.prospect:
                case _Prospect.READY:
                    self._finish(creation, now)
                case _Prospect.FAILED:
                    self._fail(creation, "creation failed", now)
                case _Prospect.NEVER_READY:
                    seconds = self._settings.creation_timeout / SECOND
                    reason = f"creation never ready: timed out after {seconds:g} s"
                    self._fail(creation, reason, now)

    def fail_for_pool(self, reason: str, now: int) -> None:
        """Give up every creation for the pool."""
        for creation in self._under_way.take(lambda each: each.for_pool):
            self.for_pool -= 1
            self._fail(creation, reason, now)

    def fail_all(self, reason: str, now: int) -> None:
        """Give up every creation."""
        self.for_pool = 0
        for creation in self._under_way.take(lambda _: True):
            self._fail(creation, reason, now)

    def _finish(self, creation: Creation, now: int) -> None:
        window, wanted_by = creation.window, creation.wanted_by
        self._windows.name(window)
        label, identity = window.label, window.identity
        self._link.history.note("ready", now, label=label, identity=identity)
        if isinstance(wanted_by, CommandIdentity):
            self._windows.add_to_pool(window)
            self._link.report([ReportPoolWindowAdded(identity=identity, label=label)], now)
            return
        promote_id = self._promote_ids.next()
        self._windows.open(window)
        self._link.history.note("promoted", now, label=label, promote_id=promote_id, cold=True)
        self._link.report([ReportWindowOpened(label=label, promote_id=promote_id, cold=True)], now)
        self._replies.done(wanted_by, now, label=label, promote_id=promote_id, cold=True)

    def _fail(self, creation: Creation, reason: str, now: int) -> None:
        window, wanted_by = creation.window, creation.wanted_by
        window.undergo(Happening.DISCARDED)
        self.failed += 1
        self._link.history.note("creation_failed", now, identity=window.identity, reason=reason)
        if isinstance(wanted_by, CommandIdentity):
            self._link.report([ReportActionFailed(identity=wanted_by, reason=reason)], now)
        else:
            self._replies.refused(wanted_by, reason)
