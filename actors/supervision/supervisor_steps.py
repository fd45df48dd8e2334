"""What a supervisor does by itself: one step after another, until one has to be answered.

`actors.supervision.supervisor` has the inputs, and says why it works in this way.
"""

import random
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from actors.supervision.child_spec import (
    SHUTDOWN,
    AutoShutdown,
    ExitKind,
    ExitReason,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.effects import (
    CancelTimer,
    ChildGivenUp,
    Effect,
    Ended,
    KillChild,
    Ready,
    SetTimer,
    StartChild,
    StartRefused,
    StopChild,
)
from actors.supervision.intensity import RestartWindow, nanoseconds, restart_delay, too_often
from actors.supervision.supervisor_child import ALIVE, DUE, Child, ChildState, StartCause
from actors.supervision.supervisor_table import ChildTable

REQUESTED = frozenset({StartCause.ADDED, StartCause.REQUESTED})
KILLED_BY_FORCE = ExitReason(ExitKind.KILLED, "the supervisor was told to end by force")


class Phase(StrEnum):
    """Where a supervisor is in its life."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class TimerKind(StrEnum):
    """The first part of a timer's key; after it, the child's name and incarnation if it has one."""

    RESTART = "restart"
    ROUND = "round"
    DEADLINE = "deadline"
    TOTAL = "total"


@dataclass(slots=True)
class Round:
    """The restart of all children from a position on: they stop, wait until `due`, and start."""

    first: int
    due: int
    waits: bool = False


class SupervisorSteps:
    """The transitions. `Supervisor` is the class to use."""

    def __init__(self, spec: SupervisorSpec, *, generator: random.Random) -> None:
        self.spec = spec
        self.phase = Phase.NEW
        self._generator = generator
        self._table = ChildTable()
        self._window = RestartWindow(spec.intensity)
        self._starts: deque[Child] = deque()
        self._stops: list[Child] = []
        self._exits: deque[Child] = deque()
        self._round: Round | None = None
        self._unanswered = 0
        self._out_of_time = False
        self._has_total_deadline = False
        self._reason = SHUTDOWN
        self._effects: list[Effect] = []

    # -- steps

    def _take_steps(self, now: int) -> list[Effect]:
        while self._step(now):
            pass
        effects, self._effects = self._effects, []
        return effects

    def _step(self, now: int) -> bool:
        """Do what is most urgent; tell whether something may be left to do."""
        match self.phase:
            case Phase.NEW | Phase.ENDED:
                return False
            case Phase.STOPPING:
                return self._stop_last(now) if self._stops else self._end()
            case _:
                return self._stop_last(now) if self._stops else self._go_on(now)

    def _go_on(self, now: int) -> bool:
        if self._round is not None and not self._round.waits:
            return self._round_is_down(self._round, now)
        if self._unanswered and self._in_order():
            return False
        if self._starts:
            return self._start_first()
        if self.phase is Phase.STARTING:
            return self._become_ready()
        return bool(self._exits) and self._deal_with_exit(now)

    def _in_order(self) -> bool:
        """Whether one thing is done at a time."""
        return self.phase is Phase.STARTING or self.spec.strategy is not Strategy.ONE_FOR_ONE

    def _stop_last(self, now: int) -> bool:
        child = self._stops[-1]
        if child.state is ChildState.STOPPING:
            return False
        if child.state in ALIVE:
            self._tell_to_stop(child, now)
            return False
        self._stops.pop()
        if child.state is ChildState.ENDED:
            self._await_round(child)
            self._drop_settled()
        return True

    def _start_first(self) -> bool:
        child = self._starts[0]
        if self.phase is Phase.STARTING and child.cause is not StartCause.INITIAL:
            return self._become_ready()
        self._starts.popleft()
        child.incarnation += 1
        child.state = ChildState.STARTING
        child.stays_down = child.killed = False
        self._unanswered += 1
        self._effects.append(StartChild(child.spec, child.incarnation))
        return True

    def _become_ready(self) -> bool:
        self.phase = Phase.RUNNING
        self._effects.append(Ready())
        return True

    def _end(self) -> bool:
        self.phase = Phase.ENDED
        if self._has_total_deadline:
            self._effects.append(CancelTimer((TimerKind.TOTAL,)))
        self._effects.append(Ended(self._reason))
        return False

    # -- a child stops

    def _tell_to_stop(self, child: Child, now: int) -> None:
        if child.state is not ChildState.STARTING:
            self._unanswered += 1
        child.state = ChildState.STOPPING
        shutdown, name, incarnation = child.spec.shutdown, child.spec.name, child.incarnation
        if self._out_of_time or shutdown == 0:
            self._kill(child)
            return
        self._effects.append(StopChild(name, incarnation))
        if shutdown is not None:
            child.has_deadline = True
            key = (TimerKind.DEADLINE, name, incarnation)
            self._effects.append(SetTimer(key, now + nanoseconds(shutdown)))

    def _kill(self, child: Child) -> None:
        if child.killed:
            return
        child.killed = True
        self._cancel_deadline(child)
        self._effects.append(KillChild(child.spec.name, child.incarnation))

    def _hurry(self) -> None:
        """From now on, stop by force only; those that were told to stop, too."""
        self._out_of_time = True
        for child in reversed(list(self._table)):
            if child.state is ChildState.STOPPING:
                self._kill(child)

    def _stopped(self, child: Child) -> None:
        """A child that was told to stop has ended."""
        self._cancel_deadline(child)
        if self.phase is Phase.STOPPING:
            child.state = ChildState.STOPPED
        elif child.stays_down:
            self._come_to_rest(child)
        else:
            self._await_round(child)

    def _come_to_rest(self, child: Child) -> None:
        """A child is down for good; a temporary one is forgotten."""
        cause = child.cause
        child.cause = StartCause.RESTART
        child.state = ChildState.STOPPED
        if child.spec.restart is Restart.TEMPORARY or cause is StartCause.ADDED:
            self._table.forget(child)
        if cause in REQUESTED:
            self._effects.append(StartRefused(child.spec.name, SHUTDOWN))

    def _cancel_deadline(self, child: Child) -> None:
        if child.has_deadline:
            child.has_deadline = False
            key = (TimerKind.DEADLINE, child.spec.name, child.incarnation)
            self._effects.append(CancelTimer(key))

    # -- a child ends by itself, or does not start

    def _ended_by_itself(self, child: Child, reason: ExitReason, now: int) -> None:
        if self.phase is Phase.STOPPING:
            child.state = ChildState.STOPPED
            return
        if now - child.started_at >= nanoseconds(self.spec.backoff.healthy_after):
            child.attempts = 0
        child.state = ChildState.ENDED
        child.exit = reason
        self._exits.append(child)

    def _deal_with_exit(self, now: int) -> bool:
        child = self._exits.popleft()
        reason = child.exit or SHUTDOWN
        restart = child.spec.restart
        if restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and reason.abnormal):
            self._restart(child, reason, now)
        else:
            self._come_to_rest(child)
            self._shut_down_after(child, now)
        return True

    def _start_failed(self, child: Child, reason: ExitReason, now: int) -> None:
        name, cause = child.spec.name, child.cause
        if self.phase is Phase.STOPPING:
            child.state = ChildState.STOPPED
        elif cause is StartCause.INITIAL:
            detail = f"child {name!r} could not be started: {reason}"
            child.state = ChildState.STOPPED
            self._begin_shutdown(ExitReason(ExitKind.CRASHED, detail, reason.error), now)
        elif cause is StartCause.RESTART:
            self._restart(child, reason, now)
        else:
            child.state = ChildState.STOPPED
            child.cause = StartCause.RESTART
            if cause is StartCause.ADDED:
                self._table.forget(child)
            self._effects.append(StartRefused(name, reason))

    def _restart(self, child: Child, reason: ExitReason, now: int) -> None:
        """Restart the child by the strategy, or give up."""
        budget = child.spec.budget
        if child.window is None:
            child.window = RestartWindow(budget or self.spec.intensity)
        too_many = child.window.add(now)
        if budget is not None:
            if too_many:
                self._table.forget(child)
                self._effects.append(ChildGivenUp(child.spec.name, reason))
                self._shut_down_after(child, now)
                return
        elif self._window.add(now):
            child.state = ChildState.STOPPED
            detail = f"{too_often(self.spec.intensity)}, the last of {child.spec.name!r}: {reason}"
            self._begin_shutdown(ExitReason(ExitKind.GAVE_UP, detail, reason.error), now)
            return
        child.attempts += 1
        child.state = ChildState.BACKOFF
        due = now + restart_delay(self.spec.backoff, child.attempts, self._generator)
        if self.spec.strategy is Strategy.ONE_FOR_ONE:
            self._restart_alone(child, due, now)
        else:
            self._begin_round(child, due)

    def _restart_alone(self, child: Child, due: int, now: int) -> None:
        if due <= now:
            self._queue(child)
            return
        child.due = due
        key = (TimerKind.RESTART, child.spec.name, child.incarnation)
        self._effects.append(SetTimer(key, due))

    def _backoff_over(self, name: Hashable, incarnation: int, now: int) -> None:
        child = self._table.waiting(name, incarnation)
        if child is not None and child.due and now >= child.due:
            self._queue(child)

    def _cancel_backoff(self, child: Child) -> None:
        if child.due and child.state is ChildState.BACKOFF:
            key = (TimerKind.RESTART, child.spec.name, child.incarnation)
            self._effects.append(CancelTimer(key))
        child.due = 0

    def _queue(self, child: Child) -> None:
        """Start the child when its turn comes; with the round, if it is in one."""
        child.due = 0
        if self._round is not None and child.position >= self._round.first:
            child.state = ChildState.BACKOFF
        else:
            child.state = ChildState.QUEUED
            self._starts.append(child)

    # -- rounds

    def _begin_round(self, cause: Child, due: int) -> None:
        """Restart the children that belong together; a round that waits is part of this one.

        Nothing from the first child of a waiting round on is alive, so this cause is before it.
        """
        first = 0 if self.spec.strategy is Strategy.ONE_FOR_ALL else cause.position
        self._cancel_round()
        self._round = Round(first, due)
        for child in self._table:
            if child.position >= first:
                if child.state in ALIVE:
                    self._stops.append(child)
                else:
                    self._await_round(child)
        self._drop_settled()

    def _await_round(self, child: Child) -> None:
        """A child that is down starts with the round; a temporary one that ran is forgotten."""
        if child.state not in DUE and child.spec.restart is Restart.TEMPORARY:
            self._table.forget(child)
            return
        child.state = ChildState.BACKOFF

    def _round_is_down(self, current: Round, now: int) -> bool:
        if current.due <= now:
            self._start_round()
        else:
            current.waits = True
            self._effects.append(SetTimer((TimerKind.ROUND,), current.due))
        return True

    def _start_round(self) -> None:
        self._round = None
        for child in self._table:
            if child.state is ChildState.BACKOFF:
                self._queue(child)

    def _cancel_round(self) -> None:
        if self._round is not None and self._round.waits:
            self._effects.append(CancelTimer((TimerKind.ROUND,)))
        self._round = None

    def _drop_settled(self) -> None:
        """Take from the lists whom a round or a request has settled otherwise."""
        self._starts = deque(each for each in self._starts if each.state is ChildState.QUEUED)
        self._exits = deque(each for each in self._exits if each.state is ChildState.ENDED)

    # -- the end

    def _shut_down_after(self, child: Child, now: int) -> None:
        """End the supervisor if the end of this child, which is not restarted, asks for it."""
        rule = self.spec.auto_shutdown
        if not child.spec.significant or rule is AutoShutdown.NEVER:
            return
        if rule is AutoShutdown.ALL_SIGNIFICANT and any(
            each.spec.significant and each.state is not ChildState.STOPPED for each in self._table
        ):
            return
        detail = f"significant child {child.spec.name!r} ended"
        self._begin_shutdown(ExitReason(ExitKind.NORMAL, detail), now)

    def _begin_shutdown(self, reason: ExitReason, now: int) -> None:
        if self.phase in {Phase.STOPPING, Phase.ENDED}:
            return
        self.phase = Phase.STOPPING
        self._reason = reason
        self._cancel_round()
        self._stops = [each for each in self._table if each.state in ALIVE]
        for child in self._table:
            if child.state not in ALIVE:
                self._cancel_backoff(child)
                child.state = ChildState.STOPPED
        total = self.spec.shutdown_total
        if total == 0:
            self._hurry()
        elif total is not None and self._stops:
            self._has_total_deadline = True
            self._effects.append(SetTimer((TimerKind.TOTAL,), now + nanoseconds(total)))
