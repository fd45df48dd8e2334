"""What an open saga waits for, since when, and why it does not move; read from any thread.

Nothing here iterates what the loop's thread changes: a field is read once, a table is asked.
"""

from dataclasses import dataclass
from typing import Any

from actors.core import Core
from actors.launcher_link import LauncherLink
from actors.link_state import link_state, trouble_of
from actors.saga import Target
from actors.saga_values import NO_STEP, report_awaited
from actors.state import OpenSaga
from actors.step_queue import PendingStep
from actors.timers import SECOND

TEXT_LIMIT = 200
"""How many characters of a failure or an outage are told."""

QUIET_SECONDS = 2.0
"""A loop that did not go round for so long hangs."""


@dataclass(frozen=True, slots=True)
class LoopHealth:
    """How the launcher's loop is.

    Attributes:
        outage: why the log cannot be written; None while it can.
        outage_s: how long it cannot be, in seconds; so long the pass is kept.
        quiet_s: how long ago the loop last went round, in seconds.
    """

    outage: str | None = None
    outage_s: float = 0.0
    quiet_s: float = 0.0

    def trouble(self) -> str | None:
        """Say what keeps everything from moving, or None if nothing does."""
        if self.outage is not None:
            outage = self.outage[:TEXT_LIMIT]
            return f"the log is unavailable for {self.outage_s:.1f} s: {outage}"
        if self.quiet_s > QUIET_SECONDS:
            return f"the launcher's loop did not go round for {self.quiet_s:.1f} s"
        return None


class OpenSagaView:
    """Looks at one open saga after another.

    Args:
        core: of the engine.
        link: of the engine.
        stopping: the launcher shuts down.
        health: how the loop is.
    """

    def __init__(
        self, core: Core, link: LauncherLink, *, stopping: bool, health: LoopHealth
    ) -> None:
        self._core = core
        self._state = core.state
        self._link = link
        self._stopping = stopping
        self._health = health
        self._now = core.clock.time

    def values(self, saga: OpenSaga) -> dict[str, Any]:
        """Give an open saga as plain values."""
        step, due = saga.step, self._core.timers.due(saga.saga_id)
        facts = self._core.crashes_of(saga.saga_id)
        failure = facts.last_failure if facts is not None else None
        return {
            "saga_id": saga.saga_id,
            "name": saga.kind.name,
            "host": saga.host,
            "step": step.index if step is not None else None,
            "handed": step.handed if step is not None else None,
            "waits_for": self._waits_for(saga, step),
            "since_s": seconds(self._now - saga.since),
            "deadline_s": seconds(due - self._now) if due is not None else None,
            "recovered": saga.recovered,
            "restarts": facts.incarnation - 1 if facts is not None else 0,
            "last_failure": str(failure)[:TEXT_LIMIT] if failure is not None else None,
            "why": self._why(saga, step),
        }

    def absent(self) -> dict[str, Any]:
        """Give the same for one that the log has open, and the launcher has not."""
        trouble = self._health.trouble()
        ended = "it ended, and its end is not durable yet"
        return {"waits_for": None, "why": [ended, trouble] if trouble is not None else [ended]}

    def _waits_for(self, saga: OpenSaga, step: PendingStep | None) -> str:
        if step is None:
            return NO_STEP
        target = Target.HOST if len(saga.destination) > 1 else Target.SRV
        return report_awaited(step.command_type, step.index, target, saga.host)

    def _why(self, saga: OpenSaga, step: PendingStep | None) -> list[str]:
        reasons = [self._health.trouble(), self._peer_trouble(saga, step)]
        if step is not None and not step.handed:
            reasons.append("the command was never handed over")
        if self._stopping:
            reasons.append("the launcher is stopping: what is open is closed as failed")
        found = [reason for reason in reasons if reason is not None]
        if found:
            return found
        if step is None:
            return ["nothing that it was asked for is pending; its deadline ends it"]
        return ["nothing is wrong: its time is not over"]

    def _peer_trouble(self, saga: OpenSaga, step: PendingStep | None) -> str | None:
        if step is None:
            return None
        if len(saga.destination) > 1:
            name, who = saga.destination[0], f"host {saga.destination[0]}"
        else:
            service = self._state.services.get(step.command_type)
            if service is None:
                return f"no service serves {step.command_type}"
            name, who = service[0], f"service {service[0]}"
        peer, mirror = self._link.peers.get(name), self._state.mirror.hosts.get(name)
        link = link_state(peer, mirror, now=self._now, heartbeat=self._link.heartbeat)
        return trouble_of(link, who, seconds(self._now - peer.heard) if peer else None)


def seconds(nanoseconds: int) -> float:
    """Give nanoseconds as seconds, to the millisecond."""
    return round(nanoseconds / SECOND, 3)
