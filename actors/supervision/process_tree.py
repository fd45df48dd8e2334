"""Carries out what the supervisors of a tree of processes decide; tells them what came of it."""

import pickle
import random
import selectors
from collections import deque
from collections.abc import Callable, Hashable

from actors.supervision.child_spec import SECOND, ChildSpec, ExitKind, ExitReason, Restart
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
from actors.supervision.process_events import (
    ChildForgotten,
    ChildKilled,
    ChildRefused,
    ChildStarting,
    ChildStopping,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
    RestartWaits,
    SupervisorEnded,
    SupervisorReady,
)
from actors.supervision.process_incarnation import Incarnation, KilledFor, Phase, launch
from actors.supervision.process_node import Node, make_node
from actors.supervision.process_spec import ProcessSpec
from actors.supervision.supervisor_errors import NotRunningError
from actors.supervision.supervisor_steps import Phase as SupervisorPhase
from actors.supervision.supervisor_steps import TimerKind

CANNOT_LAUNCH = (OSError, pickle.PicklingError, AttributeError, TypeError)
"""What starting a process raises where the system, or the entry, does not allow it."""


class ProcessTree:
    """Nodes and processes; every change to them is made here.

    Args:
        root: the topmost supervisor, not started yet.
        generator: chance, for supervisors that are started.
        clock: nanoseconds.

    Attributes:
        selector: tells when a process says something or ends.
        events: what happened and was not handed over yet.
        ended: how the topmost supervisor ended.
    """

    def __init__(self, root: Node, generator: random.Random, clock: Callable[[], int]) -> None:
        self.root = root
        self.selector = selectors.DefaultSelector()
        self.events: deque[ProcessEvent] = deque()
        self.ended: ExitReason | None = None
        self._generator = generator
        self._clock = clock
        self._effects: deque[tuple[Node, Effect]] = deque()
        self._busy = False

    # --- what happened ---------------------------------------------------------------------------

    def take(self, found: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Deal with what the selector found, and then with what is due."""
        now = self._clock()
        over: list[tuple[Node, Incarnation]] = []
        # Everything that was said is heard before anybody is taken for silent.
        for key, _ in found:
            node, child = key.data
            if key.fileobj == child.end:
                over.append((node, child))
            else:
                self._listen(node, child, now)
        for node, child in over:
            self._reap(node, child, now)
        for node in list(self.root.family()):
            self._look_at_the_time(node, now)

    def _listen(self, node: Node, child: Incarnation, now: int) -> None:
        was = child.phase
        if not child.listen(now):
            self.selector.unregister(child.link)
        if was is Phase.STARTING and child.phase is Phase.READY:
            path, seconds = (*node.path, child.name), (now - child.started_at) / SECOND
            self.events.append(ProcessReady(path, child.number, child.pid, seconds))
            self.carry_out(node, node.machine.child_started(child.name, child.number, now))

    def _reap(self, node: Node, child: Incarnation, now: int) -> None:
        for each in (child.link, child.end):
            if each in self.selector.get_map():
                self.selector.unregister(each)
        reason = child.reap()
        del node.processes[child.name]
        path, said = (*node.path, child.name), child.said()
        self.events.append(
            ProcessEnded(path, child.number, child.pid, reason, child.was_ready, child.how(), said)
        )
        if child.was_ready:
            if child.status in child.spec.final_statuses:
                self._keep_down(node, child.name, now)
            effects = node.machine.child_exited(child.name, child.number, reason, now)
        else:
            effects = node.machine.start_failed(child.name, child.number, reason, now)
        self.carry_out(node, effects)

    def _keep_down(self, node: Node, name: Hashable, now: int) -> None:
        """Have a permanent child not restarted after the end that is about to be told."""
        if node.machine.get_childspec(name).restart is Restart.PERMANENT:
            try:
                effects = node.machine.terminate_child(name, now)
            except NotRunningError:
                return
            self.carry_out(node, effects)

    def _look_at_the_time(self, node: Node, now: int) -> None:
        for child in node.processes.values():
            overdue = child.overdue(now)
            if overdue is not None:
                self._kill_process(node, child, overdue)
        for key in node.due_timers(now):
            if node.timers.pop(key, None) is not None:
                self.carry_out(node, node.machine.timer_fired(key, now))

    # --- effects ---------------------------------------------------------------------------------

    def carry_out(self, node: Node, effects: list[Effect]) -> None:
        """Carry out effects in order; those of their answers come after them."""
        self._effects.extend((node, effect) for effect in effects)
        if self._busy:
            return
        self._busy = True
        try:
            while self._effects:
                self._carry_out_one(*self._effects.popleft())
        finally:
            self._busy = False

    def _carry_out_one(self, node: Node, effect: Effect) -> None:
        match effect:
            case StartChild(spec, incarnation):
                self._start(node, spec, incarnation)
            case StopChild(name):
                self._stop(node, name)
            case KillChild(name):
                self._kill(node, name)
            case SetTimer(key, due):
                node.timers[key] = due
                self._tell_wait(node, key, due)
            case CancelTimer(key):
                node.timers.pop(key, None)
            case ChildGivenUp(name, reason):
                self.events.append(ChildForgotten((*node.path, name), reason))
            case StartRefused(name, reason):
                self.events.append(ChildRefused((*node.path, name), reason))
            case Ready():
                self._became_ready(node)
            case Ended(reason):
                self._end(node, reason)

    def _start(self, node: Node, spec: ChildSpec, incarnation: int) -> None:
        if isinstance(spec.start, ProcessSpec):
            self._start_process(node, spec, incarnation)
            return
        child = make_node(
            spec.start, self._generator, parent=node, name=spec.name, incarnation=incarnation
        )
        node.nodes[spec.name] = child
        self.events.append(ChildStarting(child.path, incarnation, None))
        self.carry_out(child, child.machine.start(self._clock()))

    def _start_process(self, node: Node, spec: ChildSpec, incarnation: int) -> None:
        child = node.ahead.pop(spec.name, None)
        if child is None:
            try:
                child = self._launch(node, spec, incarnation)
            except CANNOT_LAUNCH as error:
                self._not_launched(node, spec, incarnation, error)
                return
        node.processes[spec.name] = child
        for each in (child.link, child.end):
            self.selector.register(each, selectors.EVENT_READ, (node, child))
        if not node.was_ready:
            self._go_ahead(node, spec)

    def _go_ahead(self, node: Node, started: ChildSpec) -> None:
        for spec in node.starts_with(started):
            try:
                node.ahead[spec.name] = self._launch(node, spec, 1)
            except CANNOT_LAUNCH:
                return  # it is tried again when its turn comes

    def _launch(self, node: Node, spec: ChildSpec, incarnation: int) -> Incarnation:
        child = launch(spec.name, incarnation, spec.start, self._clock())
        self.events.append(ChildStarting((*node.path, spec.name), incarnation, child.pid))
        return child

    def _not_launched(
        self, node: Node, spec: ChildSpec, incarnation: int, error: Exception
    ) -> None:
        reason = ExitReason(ExitKind.CRASHED, f"cannot start a process: {error}", error)
        path = (*node.path, spec.name)
        self.events.append(ProcessEnded(path, incarnation, None, reason, ready=False))
        now = self._clock()
        self.carry_out(node, node.machine.start_failed(spec.name, incarnation, reason, now))

    def _stop(self, node: Node, name: Hashable) -> None:
        if name in node.nodes:
            below = node.nodes[name]
            self.events.append(ChildStopping(below.path, below.incarnation, None))
            self.carry_out(below, below.machine.stop(self._clock()))
        elif name in node.processes:
            self._terminate(node, node.processes[name])
            if node.machine.phase is SupervisorPhase.STOPPING:
                for child in node.stops_with(name):
                    self._terminate(node, child)

    def _terminate(self, node: Node, child: Incarnation) -> None:
        if not child.told:
            child.terminate()
            self.events.append(ChildStopping((*node.path, child.name), child.number, child.pid))

    def _kill(self, node: Node, name: Hashable) -> None:
        if name in node.nodes:
            below = node.nodes[name]
            why = KilledFor.ORDERED.value
            self.events.append(ChildKilled(below.path, below.incarnation, None, why))
            self.carry_out(below, below.machine.kill(self._clock()))
        elif name in node.processes:
            self._kill_process(node, node.processes[name], KilledFor.ORDERED)

    def _kill_process(self, node: Node, child: Incarnation, reason: KilledFor) -> None:
        child.kill(reason)
        path, why = (*node.path, child.name), reason.text(child.spec)
        self.events.append(ChildKilled(path, child.number, child.pid, why))

    def _tell_wait(self, node: Node, key: Hashable, due: int) -> None:
        now = self._clock()
        seconds = max(0, due - now) / SECOND
        match key:
            case (TimerKind.RESTART, name, int()):
                restarts = node.machine.child_facts(name, now).restarts
                path = (*node.path, name)
                self.events.append(RestartWaits(path, seconds, restarts))
            case (TimerKind.ROUND,):
                self.events.append(RestartWaits(node.path, seconds, 0))
            case _:
                pass

    def _became_ready(self, node: Node) -> None:
        node.was_ready = True
        self.events.append(SupervisorReady(node.path))
        if node.parent is not None:
            machine, name = node.parent.machine, node.path[-1]
            effects = machine.child_started(name, node.incarnation, self._clock())
            self.carry_out(node.parent, effects)

    def _end(self, node: Node, reason: ExitReason) -> None:
        for child in node.ahead.values():
            self._drop(node, child)
        node.ahead.clear()
        node.timers.clear()
        self.events.append(SupervisorEnded(node.path, reason))
        if node.parent is None:
            self.ended = reason
            return
        machine, name, now = node.parent.machine, node.path[-1], self._clock()
        del node.parent.nodes[name]
        answer = machine.child_exited if node.was_ready else machine.start_failed
        self.carry_out(node.parent, answer(name, node.incarnation, reason, now))

    def _drop(self, node: Node, child: Incarnation) -> None:
        """End a process whose turn never came: nothing stands on it yet."""
        child.kill(KilledFor.ORDERED)
        child.reap()
        path, reason = (*node.path, child.name), ExitReason(ExitKind.SHUTDOWN, "not needed")
        self.events.append(
            ProcessEnded(path, child.number, child.pid, reason, child.was_ready, child.how())
        )
