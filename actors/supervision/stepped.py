"""A whole tree of supervisors and scripted children, in one thread, under a clock of its own.

For tests, of this project and of users: what a tree does when its children crash, hang or do not
start, without actors, processes, threads or waiting.

    tree = SteppedTree(SupervisorSpec(children=(ChildSpec("db", None), ChildSpec("web", None))))
    tree.start()
    tree.crash("db")
    tree.script("web").stop_takes = None  # it hangs
    tree.stop()
    tree.advance(5.0)
    assert " ".join(map(str, tree.history)) == "+db +web ready +db -web !web -db ended:shutdown"

A child is what its spec says, but for `start`: where that is a `SupervisorSpec`, a supervisor is
started under this one; whatever else it is, a scripted child. Children are named by their path
from the root: `tree.crash("group", "worker")`.
"""

import random
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from heapq import heappop, heappush

from actors.supervision.child_spec import (
    NORMAL,
    SECOND,
    ChildSpec,
    ExitKind,
    ExitReason,
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
from actors.supervision.intensity import nanoseconds
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_scripted import (
    Happened,
    Life,
    Path,
    Script,
    SupervisorMachine,
    What,
)
from actors.timers import Timers

MakeSupervisor = Callable[[SupervisorSpec, random.Random], SupervisorMachine]


def make_supervisor(spec: SupervisorSpec, generator: random.Random) -> SupervisorMachine:
    """The supervisor itself: what a tree is made of unless a test says otherwise."""
    return Supervisor(spec, generator=generator)


class SteppedTree:
    """A tree that moves only when told to: by a command, or by `advance`.

    Attributes:
        now: nanoseconds since the tree was made.
        history: everything that happened.
    """

    def __init__(
        self, spec: SupervisorSpec, *, seed: int = 0, make: MakeSupervisor = make_supervisor
    ) -> None:
        self.now = 0
        self.history: list[Happened] = []
        self._make = make
        self._generator = random.Random(seed)  # noqa: S311 - a seed is the point
        self._scripts: dict[Path, Script] = {}
        self._timers = Timers()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._agenda_count = 0
        self._todo: deque[tuple[Life, Effect]] = deque()
        self._root = Life((), 1, None, self._make(spec, self._generator))

    # -- commands

    def start(self) -> None:
        """Start the root supervisor."""
        self._command((), lambda machine: machine.start(self.now))

    def stop(self) -> None:
        """Tell the root supervisor to stop."""
        self._command((), lambda machine: machine.stop(self.now))

    def kill(self) -> None:
        """Tell the root supervisor to end by force."""
        self._command((), lambda machine: machine.kill(self.now))

    def script(self, *path: Hashable) -> Script:
        """How the child at that path behaves, to be changed; it need not exist yet."""
        return self._scripts.setdefault(path, Script())

    def crash(self, *path: Hashable, detail: str = "crashed") -> None:
        """Let a child end by an error; a supervisor's children end with it, unnoticed."""
        self.exit(*path, reason=ExitReason(ExitKind.CRASHED, detail))

    def exit(self, *path: Hashable, reason: ExitReason = NORMAL) -> None:
        """Let a child end by itself, whatever it is doing."""
        self._gone(self._life(path), reason)
        self._carry_out_all()

    def start_child(self, spec: ChildSpec, *, under: Path = ()) -> None:
        """Ask the supervisor at `under` to add a child; its errors are raised here."""
        self._command(under, lambda machine: machine.start_child(spec, self.now))

    def terminate_child(self, *path: Hashable) -> None:
        """Ask the child's supervisor to terminate it."""
        self._command(path[:-1], lambda machine: machine.terminate_child(path[-1], self.now))

    def restart_child(self, *path: Hashable) -> None:
        """Ask the child's supervisor to start it again."""
        self._command(path[:-1], lambda machine: machine.restart_child(path[-1], self.now))

    def delete_child(self, *path: Hashable) -> None:
        """Ask the child's supervisor to forget it."""
        self._command(path[:-1], lambda machine: machine.delete_child(path[-1], self.now))

    def advance(self, seconds: float) -> None:
        """Let time pass, and with it everything that becomes due.

        At one instant, what children do comes before timers.
        """
        self.advance_to(self.now + nanoseconds(seconds))

    def advance_to(self, end: int) -> None:
        """Let time pass until `end`, in nanoseconds since the tree was made."""
        while True:
            by_child = self._agenda[0][0] if self._agenda else end + 1
            by_timer = self._timers.next_due()
            by_timer = end + 1 if by_timer is None else by_timer
            if min(by_child, by_timer) > end:
                break
            self.now = max(self.now, min(by_child, by_timer))
            if by_child <= by_timer:
                heappop(self._agenda)[2]()
            else:
                self._fire()
            self._carry_out_all()
        self.now = max(self.now, end)

    # -- questions

    def supervisor(self, *path: Hashable) -> SupervisorMachine:
        """The supervisor at that path."""
        machine = self._life(path).machine
        if machine is None:
            message = f"{path} is not a supervisor"
            raise LookupError(message)
        return machine

    def is_supervisor(self, *path: Hashable) -> bool:
        """Whether what lives at that path is a supervisor."""
        return self._life(path).machine is not None

    @property
    def seconds(self) -> float:
        """The time since the tree was made."""
        return self.now / SECOND

    @property
    def ended(self) -> ExitReason | None:
        """How the root supervisor ended, or None while it lives."""
        last = self.history[-1] if self.history else None
        return last.reason if last and last.what is What.ENDED and not last.path else None

    def next_due(self) -> int | None:
        """When something happens next by itself, or None if nothing will."""
        timer = self._timers.next_due()
        times = [*(entry[0] for entry in self._agenda[:1]), *([] if timer is None else [timer])]
        return min(times, default=None)

    def lives(self) -> list[Path]:
        """The paths of all children that live, supervisors among them, in the order of start."""
        return [life.path for life in self._root.descendants()]

    # -- effects

    def _command(self, path: Path, command: Callable[[SupervisorMachine], list[Effect]]) -> None:
        life = self._life(path)
        self._queue(life, command(self.supervisor(*path)))
        self._carry_out_all()

    def _life(self, path: Path) -> Life:
        life = self._root
        for name in path:
            if name not in life.children:
                message = f"no child lives at {path}"
                raise LookupError(message)
            life = life.children[name]
        return life

    def _queue(self, life: Life, effects: Iterable[Effect]) -> None:
        self._todo.extend((life, effect) for effect in effects)

    def _carry_out_all(self) -> None:
        while self._todo:
            self._carry_out(*self._todo.popleft())

    def _carry_out(self, life: Life, effect: Effect) -> None:
        if life.over:
            return
        match effect:
            case StartChild(spec, incarnation):
                self._start(life, spec, incarnation)
            case StopChild(name):
                self._note(What.STOP, (*life.path, name))
                self._stop(life.children.get(name))
            case KillChild(name):
                self._note(What.KILL, (*life.path, name))
                self._kill(life.children.get(name))
            case SetTimer(key, due):
                life.timers.add(key)
                self._timers.set((life, key), due)
            case CancelTimer(key):
                life.timers.discard(key)
                self._timers.cancel((life, key))
            case Ready():
                self._note(What.READY, life.path)
                self._started(life)
            case ChildGivenUp(name, reason):
                self._note(What.GIVEN_UP, (*life.path, name), reason)
            case StartRefused(name, reason):
                self._note(What.REFUSED, (*life.path, name), reason)
            case Ended(reason):
                self._over(life, reason)

    def _note(self, what: What, path: Path, reason: ExitReason | None = None) -> None:
        self.history.append(Happened(self.now, what, path, reason))

    def _start(self, owner: Life, spec: ChildSpec, incarnation: int) -> None:
        path = (*owner.path, spec.name)
        self._note(What.START, path)
        life = owner.children[spec.name] = Life(path, incarnation, owner)
        script = self.script(*path)
        if script.failing_starts:
            script.failing_starts -= 1
            reason = ExitReason(ExitKind.CRASHED, "start failed")
            self._later(script.start_takes, lambda: self._gone(life, reason), life)
        elif isinstance(spec.start, SupervisorSpec):
            life.machine = self._make(spec.start, self._generator)
            self._queue(life, life.machine.start(self.now))
        else:
            self._later(script.start_takes, lambda: self._started(life), life)

    def _started(self, life: Life) -> None:
        life.started = True
        if life.owner is not None and life.owner.machine is not None:
            machine, name = life.owner.machine, life.path[-1]
            self._queue(life.owner, machine.child_started(name, life.incarnation, self.now))

    def _stop(self, life: Life | None) -> None:
        if life is None:
            return
        if life.machine is not None:
            self._queue(life, life.machine.stop(self.now))
            return
        script = self.script(*life.path)
        self._later(script.stop_takes, lambda: self._gone(life, script.stop_reason), life)

    def _kill(self, life: Life | None) -> None:
        if life is None:
            return
        if life.machine is not None:
            self._queue(life, life.machine.kill(self.now))
            return
        unkillable = self.script(*life.path).unkillable
        kind = ExitKind.ABANDONED if unkillable else ExitKind.KILLED
        self._gone(life, ExitReason(kind))

    def _over(self, life: Life, reason: ExitReason) -> None:
        if life.children or life.timers:
            message = f"{life.path} ended before its children or timers: {life}"
            raise AssertionError(message)
        self._note(What.ENDED, life.path, reason)
        self._gone(life, reason)

    def _gone(self, life: Life, reason: ExitReason) -> None:
        for each in (life, *life.descendants()):
            each.over = True
            for key in each.timers:
                self._timers.cancel((each, key))
        owner, incarnation = life.owner, life.incarnation
        if owner is None or owner.machine is None:
            return
        name = life.path[-1]
        del owner.children[name]
        answer = owner.machine.child_exited if life.started else owner.machine.start_failed
        self._queue(owner, answer(name, incarnation, reason, self.now))

    def _fire(self) -> None:
        entry = self._timers.pop_due(self.now)
        if isinstance(entry, tuple) and isinstance(entry[0], Life):
            life, key = entry
            life.timers.discard(key)
            if life.machine is not None:
                self._queue(life, life.machine.timer_fired(key, self.now))

    def _later(self, seconds: float | None, action: Callable[[], None], life: Life) -> None:
        """Do it after that time, unless the life is over by then."""
        if seconds is None:
            return
        if seconds == 0:
            action()
            return
        self._agenda_count += 1
        due = self.now + nanoseconds(seconds)

        def if_alive() -> None:
            if not life.over:
                action()

        heappush(self._agenda, (due, self._agenda_count, if_alive))
