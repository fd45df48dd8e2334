"""When `pool_refill` is due: a second after a host's pool went short, later after failures."""

from dataclasses import dataclass

from actors.timers import SECOND

PATIENCE = SECOND
"""How long a pool is short before a refill starts, in nanoseconds."""

FIRST_BACKOFF = SECOND
LONGEST_BACKOFF = 30 * SECOND
IN_FLIGHT_LIMIT = 64
"""How many respawns and refills may be in flight in one host."""


@dataclass(slots=True)
class _HostPlan:
    due: int | None = None
    backoff: int = 0
    not_before: int = 0
    at_once: bool = False


class RefillPlan:
    """Decides from deficits, failures and adds when a host's next refill is due."""

    def __init__(self) -> None:
        self._hosts: dict[str, _HostPlan] = {}
        self._failed: list[str] = []

    def take_failed(self) -> list[str]:
        """Take out the hosts where filling the pool failed since the last time."""
        failed, self._failed = self._failed, []
        return failed

    def begin_epoch(self, host: str) -> None:
        """Forget everything: a new epoch of a host is there, and its pool is filled at once."""
        self._hosts[host] = _HostPlan(at_once=True)

    def observe(self, host: str, deficit: int, now: int) -> int | None:
        """Take a host's deficit; give when its refill is due, or None if nothing is lacking."""
        plan = self._hosts.setdefault(host, _HostPlan())
        if deficit <= 0:
            plan.due = None
            return None
        if plan.due is None:
            patience = 0 if plan.at_once else PATIENCE
            plan.due = max(now + patience, plan.not_before)
        return plan.due

    def postpone(self, host: str, now: int) -> int:
        """Look again later: the host cannot be refilled now; give when."""
        plan = self._hosts.setdefault(host, _HostPlan())
        plan.due = now + PATIENCE
        return plan.due

    def started(self, host: str) -> None:
        """Note that refills were started: what is still lacking waits anew."""
        plan = self._hosts.setdefault(host, _HostPlan())
        plan.due = None
        plan.at_once = False

    def failed(self, host: str, now: int) -> None:
        """Note that filling the pool failed: the next attempt waits, twice as long each time.

        What fails while the next attempt waits already is of the same one.
        """
        plan = self._hosts.setdefault(host, _HostPlan())
        if now >= plan.not_before:
            plan.backoff = min(max(2 * plan.backoff, FIRST_BACKOFF), LONGEST_BACKOFF)
            plan.not_before = now + plan.backoff
            plan.due = None
        self._failed.append(host)

    def added(self, host: str) -> None:
        """Note that a window came into the pool: the host can do it again."""
        plan = self._hosts.get(host)
        if plan is not None:
            plan.backoff = 0
            plan.not_before = 0
