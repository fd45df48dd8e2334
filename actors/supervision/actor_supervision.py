"""One supervisor's children, as Pykka actors: carries out what the pure supervisor decides.

Everything here runs in the tree's thread (`actors.supervision.actor_tasks`), and nothing waits.
"""

from collections.abc import Callable, Hashable
from functools import partial

from actors.supervision.actor_answers import Answer
from actors.supervision.actor_child import ChildLife, ChildSlot
from actors.supervision.actor_listener import SupervisionListener
from actors.supervision.actor_pending import PendingRequests
from actors.supervision.actor_progress import forget_progress
from actors.supervision.actor_tasks import SupervisionOptions, SupervisorTask, TaskLoop
from actors.supervision.child_spec import (
    SHUTDOWN,
    ChildSpec,
    ExitReason,
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
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_child import ChildState
from actors.supervision.supervisor_errors import ChildNotFoundError, SupervisionError
from actors.supervision.supervisor_steps import Phase


class ActorSupervision:
    """One supervisor of a tree.

    Args:
        slots: the children's slots; of a nested supervisor they outlive it.

    Attributes:
        machine: the pure supervisor. It may be read from any thread.
    """

    def __init__(
        self,
        spec: SupervisorSpec,
        loop: TaskLoop,
        options: SupervisionOptions,
        listener: SupervisionListener,
        slots: dict[Hashable, ChildSlot] | None = None,
    ) -> None:
        self.is_nested = slots is not None
        self.machine = Supervisor(spec, generator=options.generator)
        self.loop = loop
        self.options = options
        self.listener = listener
        self.slots: dict[Hashable, ChildSlot] = {} if slots is None else slots
        self._pending = PendingRequests()
        self._unsettled: set[Hashable] = set()
        self._was_running = False

    # -- requests; the answer is set when it is done

    def start(self) -> None:
        """Start the children of the spec."""
        self._carry_out(self.machine.start(self._now()))
        self._settle_all()

    def stop(self) -> None:
        """Stop them all, and end."""
        self._carry_out(self.machine.stop(self._now()))
        self._settle_all()

    def kill(self) -> None:
        """End them all by force, and end."""
        self._carry_out(self.machine.kill(self._now()))
        self._settle_all()

    def start_child(self, spec: ChildSpec, answer: Answer) -> None:
        """Add a child; the answer is its slot."""
        self._request(
            partial(self.machine.start_child, spec), spec.name, self._pending.starts, answer
        )

    def restart_child(self, name: Hashable, answer: Answer) -> None:
        """Start a child that is down; the answer is its slot."""
        self._request(partial(self.machine.restart_child, name), name, self._pending.starts, answer)

    def terminate_child(self, name: Hashable, answer: Answer) -> None:
        """Stop a child; the answer comes when it is down."""
        self._unsettled.add(name)
        self._request(partial(self.machine.terminate_child, name), name, self._pending.ends, answer)

    def delete_child(self, name: Hashable, answer: Answer) -> None:
        """Forget a child that is down."""
        self._unsettled.add(name)
        self._request(partial(self.machine.delete_child, name), name, self._pending.ends, answer)

    def _request(
        self,
        request: Callable[[int], list[Effect]],
        name: Hashable,
        waiting: dict[Hashable, list[Answer]],
        answer: Answer,
    ) -> None:
        try:
            effects = request(self._now())
        except (SupervisionError, ValueError) as error:
            answer.set_exception((type(error), error, error.__traceback__))
            return
        waiting.setdefault(name, []).append(answer)
        self._carry_out(effects)
        self._settle(name)

    # -- what happened

    def child_started(self, life: ChildLife) -> None:
        """Learn that a child is up."""
        name = life.slot.name
        self._unsettled.discard(name)
        self._pending.settle_starts(name, life.slot)
        self._carry_out(self.machine.child_started(name, life.number, self._now()))
        self._settle(name)

    def child_not_started(self, life: ChildLife, reason: ExitReason) -> None:
        """Learn that a child could not be started."""
        self._child_down(life)
        name = life.slot.name
        self._carry_out(self.machine.start_failed(name, life.number, reason, self._now()))
        self._settle(name)

    def child_ended(self, life: ChildLife, reason: ExitReason) -> None:
        """Learn that a child is over."""
        self._child_down(life)
        name = life.slot.name
        self._carry_out(self.machine.child_exited(name, life.number, reason, self._now()))
        self._settle(name)

    def timer_fired(self, key: Hashable) -> None:
        """Learn that it is time."""
        self._carry_out(self.machine.timer_fired(key, self._now()))

    def set_timer(self, key: Hashable, due: int, task: Callable[[], None]) -> None:
        """Have something done at `due`, in the tree's thread."""
        self.loop.actor.set_timer((id(self), key), due, SupervisorTask(task))

    def cancel_timer(self, key: Hashable) -> None:
        """Make sure that it is not done."""
        self.loop.actor.cancel_timer((id(self), key))

    # -- inside

    def _now(self) -> int:
        return self.options.clock()

    def _child_down(self, life: ChildLife) -> None:
        slot = life.slot
        forget_progress(self, life)
        if slot.life is life:
            slot.life = None
        self._unsettled.add(slot.name)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case StartChild(spec, incarnation):
                    self._start_child(spec, incarnation)
                case StopChild(child, _):
                    self._life(child).stop(SHUTDOWN)
                case KillChild(child, _):
                    self._life(child).kill()
                case SetTimer(key, due):
                    self.set_timer(key, due, partial(self.timer_fired, key))
                case CancelTimer(key):
                    self.cancel_timer(key)
                case Ready():
                    self.listener.ready()
                case ChildGivenUp(child, reason):
                    self.listener.given_up(child, reason)
                case StartRefused(child, reason):
                    self._pending.refuse_starts(child, reason)
                    self._unsettled.add(child)
                case Ended(reason):
                    self._pending.end(reason)
                    self.listener.ended(reason)

    def _start_child(self, spec: ChildSpec, incarnation: int) -> None:
        slot = self.slots.get(spec.name)
        if slot is None:
            slot = self.slots[spec.name] = ChildSlot(spec.name)
        slot.life = ChildLife(slot, spec, incarnation, self)
        slot.life.start()

    def _life(self, name: Hashable) -> ChildLife:
        life = self.slots[name].life
        assert life is not None  # noqa: S101 - the supervisor stops only what it started
        return life

    def _settle(self, name: Hashable) -> None:
        """Settle what an input about one child may have decided."""
        is_running = self.machine.phase is Phase.RUNNING
        if self._was_running and self.machine.spec.strategy is Strategy.ONE_FOR_ONE:
            if name in self._unsettled:
                self._settle_one(name)
        else:
            self._settle_all()
        self._was_running = is_running

    def _settle_all(self) -> None:
        for name in tuple(self._unsettled):
            self._settle_one(name)

    def _settle_one(self, name: Hashable) -> None:
        """Close the child's post if it is down and will not come back by itself."""
        try:
            if self.machine.child_facts(name, self._now()).state is not ChildState.STOPPED:
                return
            slot = self.slots.get(name)
        except ChildNotFoundError:
            slot = self.slots.pop(name, None)
        self._unsettled.discard(name)
        self._pending.settle_ends(name)
        is_restarted_whole = self.is_nested and self.machine.phase is not Phase.RUNNING
        if slot is not None and not is_restarted_whole:
            slot.close()
