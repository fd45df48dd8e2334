"""Runs the OTP cases through Pykka actors, on a dispatcher or in threads, under virtual time."""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest import mock

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.supervision.actor_child import ChildLife, ChildSlot
from actors.supervision.actor_pending import PendingRequests
from actors.supervision.actor_supervise import SupervisorHandle
from actors.supervision.actor_supervisor import SupervisorRoot
from actors.supervision.actor_tasks import SupervisionOptions, SupervisorTask
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, ExitReason, SupervisorSpec
from actors.supervision.dead_letters import DeadLetters
from actors.supervision.handle import Handle
from actors.supervision.stuck_actors import StuckBudget
from actors.supervision.supervisor_errors import SupervisionError
from tests.supervised_actors import PATIENCE, Behaviour, VirtualClock
from tests.supervisor_case_language import Case, Step, child

SEED = 3
THREADS_CANNOT = frozenset({"slowstart", "slowstop", "neverstart"})
"""When a thread gets on is not for virtual time to say; one that starts cannot be told to stop."""

TURNS_CANNOT = THREADS_CANNOT | {"hang", "unkillable"}
"""A dispatched actor that waits for something stops everybody, the test too."""


@dataclass
class Script:
    """How a child behaves from now on."""

    failing_starts: int = 0
    hangs: bool = False
    error: Exception | None = None
    released: threading.Event = field(default_factory=threading.Event)


class Actions:
    """What the children of a case do, as their scripts say."""

    def __init__(self, script: Script) -> None:
        super().__init__(None)  # type: ignore[call-arg]
        self.script = script

    def on_start(self) -> None:
        if self.script.failing_starts:
            self.script.failing_starts -= 1
            message = "as scripted"
            raise ValueError(message)

    def on_stop(self) -> None:
        if self.script.hangs:
            self.script.released.wait()
        if self.script.error is not None:
            raise self.script.error


class Run:
    """One run of a case."""

    def __init__(self, case: Case, kind: type[Behaviour]) -> None:
        self.history = list[str]()
        self.scripts = dict[str, Script]()
        self.clock = VirtualClock()
        self.is_started = False
        self.ending: tuple[ChildSlot, ChildLife] | None = None
        self.dispatched = issubclass(kind, DispatchedActor)
        self.dispatcher = Dispatcher(clock=self.clock) if self.dispatched else None
        self.kind = type(kind.__name__, (Actions, kind), {})
        options = SupervisionOptions(
            DeadLetters(), StuckBudget(), Random(SEED), self.dispatcher, self.clock
        )
        spec = self._with_workers(case.spec)
        self.root = SupervisorRoot(spec, options, name="root", is_daemon=True)
        self.handle = SupervisorHandle(self.root)

    def script(self, name: str) -> Script:
        return self.scripts.setdefault(name, Script())

    def do(self, step: Step) -> list[str]:
        """Do a step, and give what happened otherwise than it says."""
        before = len(self.history)
        self.ending = None
        error = self._attempt(step)
        expected = [_last(each) for each in step.expected]
        self._settle(
            lambda: (
                len(self.history) - before + len(error) >= len(expected)
                and self._is_over()
                and self._are_up()
            )
        )
        happened = self.history[before:] + error
        return [] if happened == expected else [f"{step.verb} {step.path}: {' '.join(happened)}"]

    def end(self) -> None:
        for script in self.scripts.values():
            script.released.set()
        if self.root.reason is None and self.is_started:
            self.root.request(self.root.supervision.kill)
            self._settle(lambda: self.root.reason is not None)

    def _is_over(self) -> bool:
        """Whether the incarnation that the step ends is over."""
        return self.ending is None or self.ending[0].life is not self.ending[1]

    def _are_up(self) -> bool:
        """Whether every child that was ordered to start is up: its thread has come so far."""
        return all(
            each.life is None or each.post is None or each.post.ref is not None
            for each in _all_slots(self.root.supervision.slots)
        )

    def _attempt(self, step: Step) -> list[str]:
        try:
            self._act(step)
        except (SupervisionError, LookupError) as error:
            return [type(error).__name__]
        return []

    def _act(self, step: Step) -> None:
        name = step.path[-1] if step.path else ""
        above = step.path[:-1]
        match step.verb:
            case "start":
                self.is_started = True
                self.root.start()
            case "stop":
                self.root.request(self.root.supervision.stop)
            case "kill":
                self.root.request(self.root.supervision.kill)
            case "crash":
                self._end_child(step, ValueError("as scripted"))
            case "exit" | "shut":
                self._end_child(step, None)
            case "wait":
                self.clock.advance(float(step.argument))
            case "add":
                self._request("start_child", self._with_worker(child(step.argument)))
            case "terminate" | "restart" | "delete":
                if step.verb == "terminate" and not self.script(name).hangs:
                    self._expect_end(step.path)
                self._request(f"{step.verb}_child", name, above)
            case "fail":
                self.script(name).failing_starts = int(step.argument)
            case "hang":
                self.script(name).hangs = True
            case _:
                assert step.verb == "unkillable"

    def _end_child(self, step: Step, error: Exception | None) -> None:
        """End a child by itself: by a message, or, if it hangs, in its hook."""
        slot = self._slot(step.path)
        if slot.life is None or slot.post is None:
            raise LookupError(step.path)
        script = self.script(step.path[-1])
        self.ending = (slot, slot.life)
        if script.hangs and slot.post.ref is not None:
            script.error = error
            script.released.set()
        else:
            Handle(slot.post).tell(error or (lambda actor: actor.stop()))

    def _expect_end(self, path: tuple[str, ...]) -> None:
        try:
            slot = self._slot(path)
        except LookupError:
            return
        if slot.life is not None and self.root.reason is None:
            self.ending = (slot, slot.life)

    def _slot(self, path: tuple[str, ...]) -> ChildSlot:
        slots = self.root.supervision.slots
        for name in path[:-1]:
            slots = slots[name].inner or {}
        return slots[path[-1]]

    def _request(self, verb: str, about: Any, above: tuple[str, ...] = ()) -> None:
        """Make a request without waiting for the child; raise what is refused at once."""
        handle = self.handle
        for name in above:
            handle = handle.supervisor(name)
        supervision = handle._supervision()  # noqa: SLF001
        answer = self.root.new_local_answer()
        done = threading.Event()

        def task() -> None:
            getattr(supervision, verb)(about, answer)
            done.set()

        if self.is_started:
            self.root.request(task)
        else:
            task()
        assert done.wait(PATIENCE)
        error = getattr(answer, "_error", None) or _error_of(answer)
        if isinstance(error, SupervisionError) and "was not started" not in str(error):
            raise error

    def _settle(self, is_enough: Callable[[], bool]) -> None:
        if self.dispatcher is not None:
            self.dispatcher.run_until_idle()
            return
        pause = threading.Event()
        for _ in range(1000):
            self._look_at_the_clock()
            if is_enough():
                break
            pause.wait(0.002)
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """Have the tree's thread do all that is due, twice, for one thing brings about another."""
        for _ in range(2):
            done = threading.Event()
            if self.root.reason is not None or not self.is_started:
                return
            self.root.post(SupervisorTask(done.set))
            while not done.wait(0.05) and self.root.reason is None:
                continue

    def _with_workers(self, spec: SupervisorSpec) -> SupervisorSpec:
        return replace(spec, children=tuple(self._with_worker(each) for each in spec.children))

    def _with_worker(self, spec: ChildSpec) -> ChildSpec:
        if isinstance(spec.start, SupervisorSpec):
            return replace(spec, start=self._with_workers(spec.start))
        return replace(spec, start=Worker(self.kind, self.script(str(spec.name))))


def _all_slots(slots: dict[Hashable, ChildSlot]) -> Iterator[ChildSlot]:
    for slot in list(slots.values()):
        yield slot
        yield from _all_slots(slot.inner or {})


def _error_of(answer: Any) -> BaseException | None:
    result = getattr(answer, "_result", None)
    return None if result is None or result.exc_info is None else result.exc_info[1]


def _last(expected: str) -> str:
    """An expectation without the path to the child: in a case every name is its own."""
    return expected[0] + expected[1:].rsplit("/", 1)[-1]


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """Record the orders that children get, and what the root says."""
    note = run.history.append

    def noting(target: type, method: str, text: Callable[..., str]) -> Any:
        original = getattr(target, method)

        def noted(self: Any, *args: Any) -> Any:
            note(text(self, *args))
            return original(self, *args)

        return mock.patch.object(target, method, noted)

    def refused(_: Any, name: str, reason: ExitReason) -> str:
        return f"?{name}"

    with (
        noting(ChildLife, "start", lambda life: f"+{life.slot.name}"),
        noting(ChildLife, "stop", lambda life, _: f"-{life.slot.name}"),
        noting(ChildLife, "kill", lambda life: f"!{life.slot.name}"),
        noting(PendingRequests, "refuse_starts", refused),
        noting(SupervisorRoot, "given_up", lambda _, name, reason: f"~{name}"),
        noting(SupervisorRoot, "ready", lambda _: "ready"),
        noting(SupervisorRoot, "ended", lambda _, reason: f"ended:{reason.kind}"),
    ):
        yield


def differences(case: Case, kind: type[Behaviour]) -> list[str]:
    """What happened otherwise than the case says, one line for each of its steps that did."""
    run = Run(case, kind)
    with recorded(run):
        try:
            return [line for step in case.steps for line in run.do(step)]
        finally:
            run.end()
