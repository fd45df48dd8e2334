"""Supervisors with one mistake each, to see that the tests see it."""

import random
from dataclasses import replace

from actors.supervision.child_spec import NORMAL, ExitReason, Restart, SupervisorSpec
from actors.supervision.intensity import RestartWindow
from actors.supervision.supervisor import Supervisor


class OneRestartTooMany(Supervisor):
    """Allows one restart more than the intensity."""

    def __init__(self, spec: SupervisorSpec, *, generator: random.Random) -> None:
        super().__init__(spec, generator=generator)
        limit = spec.intensity
        self._window = RestartWindow(replace(limit, restarts=limit.restarts + 1))


class StopsInTheOrderOfStart(Supervisor):
    """Shuts down the first child first."""

    def _begin_shutdown(self, reason: ExitReason, now: int) -> None:
        super()._begin_shutdown(reason, now)
        self._stops.reverse()


class RestartsTemporaryChildren(Supervisor):
    """Restarts a temporary child that crashed."""

    def _deal_with_exit(self, now: int) -> bool:
        child = self._exits[0]
        reason = child.exit or NORMAL
        if child.spec.restart is not Restart.TEMPORARY or not reason.abnormal:
            return super()._deal_with_exit(now)
        self._exits.popleft()
        self._restart(child, reason, now)
        return True


WRONG = (OneRestartTooMany, StopsInTheOrderOfStart, RestartsTemporaryChildren)
