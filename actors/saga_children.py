"""The sagas as children of one supervisor: many, unrelated, with a budget each, never escalating.

The rules are `actors.supervision.supervisor.Supervisor`; this is its adapter for the coordinator,
which starts and stops the sagas' actors itself, in its own turns.
"""

from random import Random

from actors.supervision.child_spec import (
    NORMAL,
    ChildSpec,
    ExitKind,
    ExitReason,
    Intensity,
    Restart,
    SupervisorSpec,
)
from actors.supervision.effects import Effect, StartChild
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_child import ChildFacts
from actors.supervision.supervisor_errors import ChildNotFoundError

A_LIFE = 10.0**9
"""A saga's budget holds for as long as it lives, in seconds: its own deadline bounds that."""

BUDGET = Intensity(restarts=3, period=A_LIFE)
"""How often a saga's actor may crash and be made anew; the next crash fails the saga."""


class SagaChildren:
    """Which sagas crashed, in which incarnation they are, and what is left of their budgets.

    The supervisor hears of a saga at its first crash: of one that never crashes it would only hear
    that it came and went, which costs more than all the rest of supervising it.

    Args:
        now: the loop's time, in nanoseconds.
    """

    def __init__(self, now: int) -> None:
        # Without a backoff the supervisor draws nothing from its generator.
        self._supervisor = Supervisor(SupervisorSpec(), generator=Random(0))  # noqa: S311
        self._supervisor.start(now)
        self._incarnations: dict[int, int] = {}

    def crashed(self, saga_id: int, detail: str, now: int) -> bool:
        """Take a crash; say whether the saga is to be made anew: its budget allows it."""
        if saga_id not in self._incarnations:
            spec = ChildSpec(saga_id, None, Restart.TRANSIENT, shutdown=0, budget=BUDGET)
            self._begin(self._supervisor.start_child(spec, now), now)
        reason = ExitReason(ExitKind.CRASHED, detail)
        incarnation = self._incarnations.pop(saga_id)
        self._begin(self._supervisor.child_exited(saga_id, incarnation, reason, now), now)
        return saga_id in self._incarnations

    def ended(self, saga_id: int, now: int) -> None:
        """Note that a saga is over."""
        incarnation = self._incarnations.pop(saga_id, None)
        if incarnation is not None:
            self._supervisor.child_exited(saga_id, incarnation, NORMAL, now)
            self._supervisor.delete_child(saga_id, now)

    def facts(self, saga_id: int, now: int) -> ChildFacts | None:
        """Give what a live tree shows of a saga that crashed; None of one that did not."""
        try:
            return self._supervisor.child_facts(saga_id, now)
        except ChildNotFoundError:
            return None

    def _begin(self, effects: list[Effect], now: int) -> None:
        for effect in effects:
            if isinstance(effect, StartChild) and isinstance(effect.spec.name, int):
                self._incarnations[effect.spec.name] = effect.incarnation
                self._supervisor.child_started(effect.spec.name, effect.incarnation, now)
