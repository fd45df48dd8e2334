"""The supervisor: which child starts, stops and is restarted when, and when to give up.

Prior art is Erlang/OTP's `supervisor`: thirty years of use, and rules that people know by name.
OTP runs them in a process that blocks: it starts a child and waits, stops a child and waits, and
what happens meanwhile queues in its mailbox. Every adapter here has another way to wait (a Pykka
actor its inbox, a process supervisor its poll, a simulation its agenda), so this is the same rules
as a state machine that never waits: it is told what happened and when, and gives back what to do.
It has no I/O, clock, thread or randomness of its own. The same inputs give the same effects.

How it works. Each child is in one `ChildState`. Beside them are four short lists: children to stop
(from the end), children to start (from the front), exits to deal with, and at most one round (the
restart of many by one_for_all or rest_for_one). Every input changes a child's state and then takes
steps, the most urgent first, until one has to be answered: stop, start, deal with an exit.

Chosen:

* What depends on order goes one by one, as in OTP: the first start, a shutdown, and everything
  under one_for_all and rest_for_one. Exits that come meanwhile are dealt with afterwards, and one
  of a child that a round takes in anyway counts for nothing.
* Under one_for_one, once it is ready, children are independent, so here nothing waits: one that
  is slow to start or stop delays no other. OTP's blocks there. The result is the same.
* A round stops its children at once, then waits for the backoff, then starts them: those which
  depend on each other are never up without each other. It takes in children that were down, as in
  OTP. A child that is added or restarted by request meanwhile joins it.
* A failed restart counts when it fails, not when it is tried again: too often is known at once.
* `terminate_child` takes effect at once, in the middle of a start or a round too; such a child
  stays down. In OTP the request waits for the round; and where it hits the child whose restart
  failed, the round is dropped and its siblings stay down. Here they come back.
* `stop` during a start does not wait for the start's answer, which may never come: the child is
  told to stop, with its deadline. It answers with `start_failed` or `child_exited`.
* That a supervisor gave up is abnormal, so a transient one is restarted. In OTP it ends with
  `shutdown`, and a transient supervisor that gave up is silently gone.

Rejected:

* A thread or a generator that blocks for each supervisor: simple to write like OTP's, but a
  thread cannot be simulated, and neither can be looked at while it waits.
* A supervisor for each adapter: three sets of rules that drift apart.
* Callbacks in place of effects: they would run in the middle of a transition.
"""

import random
from collections.abc import Hashable

from actors.supervision.child_spec import (
    SHUTDOWN,
    ChildSpec,
    ExitReason,
    SupervisorSpec,
)
from actors.supervision.effects import Effect
from actors.supervision.supervisor_child import (
    ChildCounts,
    ChildFacts,
    ChildInfo,
    ChildState,
    StartCause,
)
from actors.supervision.supervisor_errors import NotRunningError
from actors.supervision.supervisor_spec_check import check_child_spec, check_supervisor_spec
from actors.supervision.supervisor_steps import (
    KILLED_BY_FORCE,
    Phase,
    SupervisorSteps,
    TimerKind,
)
from actors.supervision.supervisor_table import facts_of


class Supervisor(SupervisorSteps):
    """A supervisor without any way to do what it decides: its adapter carries out the effects.

    Every input gives the effects it leads to, in order. `now` never goes back; it is in
    nanoseconds of any clock, the one that timers fire on. Each incarnation's end is told once.

    Raises:
        SpecError: the spec, or one under it, contradicts itself.
    """

    def __init__(self, spec: SupervisorSpec, *, generator: random.Random) -> None:
        check_supervisor_spec(spec)
        super().__init__(spec, generator=generator)
        for each in spec.children:
            self._table.add(each, StartCause.INITIAL)

    # -- what happened

    def start(self, now: int) -> list[Effect]:
        """Start the children of the spec, one after the other."""
        if self.phase is not Phase.NEW:
            raise NotRunningError
        self.phase = Phase.STARTING
        self._starts.extend(self._table)
        return self._take_steps(now)

    def child_started(self, name: Hashable, incarnation: int, now: int) -> list[Effect]:
        """Take the good answer to a `StartChild`."""
        child = self._table.incarnation(name, incarnation)
        if child is None or child.state is not ChildState.STARTING:
            return []
        child.state = ChildState.RUNNING
        child.started_at = now
        child.cause = StartCause.RESTART
        self._unanswered -= 1
        return self._take_steps(now)

    def start_failed(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[Effect]:
        """Take the bad answer to a `StartChild`; of a child told to stop, it is its end."""
        return self.child_exited(name, incarnation, reason, now)

    def child_exited(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[Effect]:
        """Take the end of an incarnation; before its start was answered, the start failed."""
        child = self._table.incarnation(name, incarnation)
        if child is None:
            return []
        if reason.abnormal:
            child.last_failure = reason
        match child.state:
            case ChildState.STARTING:
                self._unanswered -= 1
                self._start_failed(child, reason, now)
            case ChildState.STOPPING:
                self._unanswered -= 1
                self._stopped(child)
            case _:
                self._ended_by_itself(child, reason, now)
        return self._take_steps(now)

    def timer_fired(self, key: Hashable, now: int) -> list[Effect]:
        """Take the time that a `SetTimer` asked for."""
        match key:
            case (TimerKind.RESTART, name, int(incarnation)):
                self._backoff_over(name, incarnation, now)
            case (TimerKind.DEADLINE, name, int(incarnation)):
                child = self._table.incarnation(name, incarnation)
                if child is not None and child.has_deadline:
                    child.has_deadline = False
                    self._kill(child)
            case (TimerKind.ROUND,) if self._round is not None and self._round.waits:
                if now >= self._round.due:
                    self._start_round()
            case (TimerKind.TOTAL,) if self._has_total_deadline:
                self._has_total_deadline = False
                self._hurry()
        return self._take_steps(now)

    def stop(self, now: int) -> list[Effect]:
        """Stop all children, the last one first, each with its deadline, then end."""
        self._begin_shutdown(SHUTDOWN, now)
        return self._take_steps(now)

    def kill(self, now: int) -> list[Effect]:
        """Stop all children by force, the last one first, then end."""
        if self.phase is Phase.ENDED:
            return []
        self._begin_shutdown(KILLED_BY_FORCE, now)
        self._hurry()
        return self._take_steps(now)

    # -- requests

    def start_child(self, spec: ChildSpec, now: int) -> list[Effect]:
        """Add a child behind the others, and start it.

        While others are started in order it waits for its turn. If its start fails, its spec is
        forgotten, and a `StartRefused` says so.

        Raises:
            SpecError: the spec contradicts itself.
            AlreadyStartedError: a child of that name lives.
            AlreadyPresentError: one is known, but does not live.
            NotRunningError: the supervisor is not started, or stops.
        """
        self._check_running()
        check_child_spec(spec, self.spec.auto_shutdown)
        self._queue(self._table.add(spec, StartCause.ADDED))
        return self._take_steps(now)

    def terminate_child(self, name: Hashable, now: int) -> list[Effect]:
        """Stop a child, and keep its spec unless it is temporary; it is not restarted.

        A start by request that was not answered yet is refused.

        Raises:
            ChildNotFoundError: there is none of that name.
            NotRunningError: the supervisor is not started, or stops.
        """
        self._check_running()
        child = self._table.find(name)
        match child.state:
            case ChildState.STARTING | ChildState.RUNNING:
                child.stays_down = True
                self._tell_to_stop(child, now)
            case ChildState.STOPPING:
                child.stays_down = True
            case ChildState.STOPPED:
                pass
            case _:
                self._cancel_backoff(child)
                self._come_to_rest(child)
                self._drop_settled()
        return self._take_steps(now)

    def restart_child(self, name: Hashable, now: int) -> list[Effect]:
        """Start a child that is down; if that fails it stays down, as a `StartRefused` says.

        Raises:
            ChildRunningError: it lives.
            ChildRestartingError: it is about to be restarted anyway.
            ChildNotFoundError: there is none of that name.
            NotRunningError: the supervisor is not started, or stops.
        """
        self._check_running()
        child = self._table.find_stopped(name)
        child.cause = StartCause.REQUESTED
        child.attempts = 0
        self._queue(child)
        return self._take_steps(now)

    def delete_child(self, name: Hashable, now: int) -> list[Effect]:
        """Forget a child that is down, and its spec.

        Raises:
            ChildRunningError: it lives.
            ChildRestartingError: it is about to be restarted.
            ChildNotFoundError: there is none of that name.
            NotRunningError: the supervisor is not started, or stops.
        """
        self._check_running()
        self._table.forget(self._table.find_stopped(name))
        return self._take_steps(now)

    def _check_running(self) -> None:
        if self.phase not in {Phase.STARTING, Phase.RUNNING}:
            raise NotRunningError

    # -- questions

    def which_children(self) -> list[ChildInfo]:
        """Every child, in the order of start."""
        return self._table.infos()

    def count_children(self) -> ChildCounts:
        """How many there are."""
        return self._table.counts()

    def get_childspec(self, name: Hashable) -> ChildSpec:
        """The child's spec; raise `ChildNotFoundError` if there is none of that name."""
        return self._table.find(name).spec

    def facts(self, now: int) -> list[ChildFacts]:
        """What a live tree shows of every child, in the order of start."""
        return [facts_of(each, now) for each in self._table]

    def child_facts(self, name: Hashable, now: int) -> ChildFacts:
        """What a live tree shows of one child; raise `ChildNotFoundError` if there is none."""
        return facts_of(self._table.find(name), now)
