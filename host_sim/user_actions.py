"""What users do to windows: promote, close, demote. Each is done, or refused with a reason."""

from collections.abc import Callable

from host_sim.link_end import LinkEnd
from host_sim.replies import Asker, Replies
from host_sim.settings import HostSettings
from host_sim.window_maker import PromoteIds, WindowMaker
from host_sim.windows import HostWindows
from transport.messages import (
    CloseWindow,
    DemoteWindow,
    PromoteWindow,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    ReportWindowClosed,
    ReportWindowOpened,
)


class UserActions:
    """A host's user actions.

    Args:
        refusal: gives why no user action is possible now, or None.
    """

    def __init__(
        self,
        *,
        settings: HostSettings,
        windows: HostWindows,
        maker: WindowMaker,
        link: LinkEnd,
        replies: Replies,
        promote_ids: PromoteIds,
        refusal: Callable[[], str | None],
    ) -> None:
        self._opening_limit = settings.opening_limit
        self._windows = windows
        self._maker = maker
        self._link = link
        self._replies = replies
        self._promote_ids = promote_ids
        self._refusal = refusal

    def perform(
        self, connection: bytes, action: PromoteWindow | CloseWindow | DemoteWindow, now: int
    ) -> None:
        """Do what a user asks for, and answer."""
        asker = Asker(connection, action.number)
        reason = self._refusal()
        if reason is not None:
            self._replies.refused(asker, reason)
            return
        match action:
            case PromoteWindow():
                self._promote(asker, now)
            case CloseWindow(label=label):
                self._on_open(asker, "close", label, self._close, now)
            case DemoteWindow(label=label):
                self._on_open(asker, "demote", label, self._demote, now)

    def _promote(self, asker: Asker, now: int) -> None:
        window = self._windows.promote()
        if window is None:
            self._open_cold(asker, now)
            return
        label, promote_id = window.label, self._promote_ids.next()
        self._link.history.note("promoted", now, label=label, promote_id=promote_id, cold=False)
        self._link.report(
            [
                ReportPoolWindowRemoved(label=label, reason="promoted", promote_id=promote_id),
                ReportPoolWindowPromoted(label=label, promote_id=promote_id),
                ReportWindowOpened(label=label, promote_id=promote_id),
            ],
            now,
        )
        self._replies.done(asker, now, label=label, promote_id=promote_id)

    def _open_cold(self, asker: Asker, now: int) -> None:
        if self._maker.cold >= self._opening_limit:
            self._replies.refused(asker, f"{self._opening_limit} windows are opening already")
            return
        self._maker.start(asker, now)

    def _on_open(
        self, asker: Asker, verb: str, label: str, act: Callable[[str, int], None], now: int
    ) -> None:
        if label not in self._windows.opened:
            where = self._windows.where(label)
            self._replies.refused(asker, f"cannot {verb} window {label!r}: it is {where}")
            return
        act(label, now)
        self._replies.done(asker, now, label=label)

    def _close(self, label: str, now: int) -> None:
        self._windows.close(label)
        self._link.history.note("closed", now, label=label)
        self._link.report([ReportWindowClosed(label=label)], now)

    def _demote(self, label: str, now: int) -> None:
        if not self._windows.has_room(self._maker.for_pool):
            self._close(label, now)
            return
        self._windows.demote(label)
        self._link.history.note("demoted", now, label=label)
        self._link.report([ReportPoolWindowAdded(label=label)], now)
