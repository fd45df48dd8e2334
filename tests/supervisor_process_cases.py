"""Runs the OTP cases through real processes: scripted ones, under virtual time.

Each child is a process that does what its slot of a shared page says, and answers signals. They
are forked, not spawned, so that hundreds of them start in seconds; what they run is the adapter's
own. Between two steps everything that is under way comes to its end; only what a script holds back
waits.
"""

import mmap
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from actors.supervision.child_spec import SECOND, ChildSpec, SupervisorSpec
from actors.supervision.process_events import (
    ChildForgotten,
    ChildKilled,
    ChildRefused,
    ChildStarting,
    ChildStopping,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
    SupervisorEnded,
    SupervisorReady,
)
from actors.supervision.process_spec import ParentLink, ProcessSpec
from actors.supervision.process_supervisor import ProcessSupervisor
from actors.supervision.supervisor_errors import SupervisionError
from tests.supervisor_case_language import Case, Step, child

SEED = 3
SETTLE_SECONDS = 10.0
NEVER = 1e7

BE_READY, END = signal.SIGUSR1, signal.SIGUSR2
SIGNALS = frozenset({BE_READY, END, signal.SIGTERM})

FAILING, HELD, DEAF = 0, 1, 2
"""Bytes of a slot: starts that still fail; a start waits for `BE_READY`; SIGTERM is ignored."""

MARKS = {
    ChildStarting: "+",
    ChildStopping: "-",
    ChildKilled: "!",
    ChildForgotten: "~",
    ChildRefused: "?",
}

Path = tuple[object, ...]
NEEDS_A_PROCESS = frozenset(
    {"crash", "exit", "fail", "slowstart", "neverstart", "hang", "slowstop"}
)
IMPOSSIBLE = frozenset({"shut", "unkillable"})
"""A process that was not told to stop has no such end; and every process can be killed."""


def fits(case: Case) -> bool:
    """Whether processes can do what the case wants of its children."""
    return not case.verbs & IMPOSSIBLE and not any(
        step.verb in NEEDS_A_PROCESS and _is_supervisor(case.spec, step.path) for step in case.steps
    )


def _is_supervisor(spec: SupervisorSpec, path: tuple[str, ...]) -> bool:
    for name in path:
        found = next((each.start for each in spec.children if each.name == name), None)
        if not isinstance(found, SupervisorSpec):
            return False
        spec = found
    return True


@contextmanager
def scripted_processes() -> Iterator[None]:
    """Let processes be forked, with the signals blocked that their scripts wait for."""
    real, fork = multiprocessing.get_context, multiprocessing.get_context("fork")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    multiprocessing.get_context = lambda _=None: fork  # type: ignore[assignment]
    try:
        yield
    finally:
        multiprocessing.get_context = real
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True)
class ScriptedProcess:
    """The entry of every child."""

    page: mmap.mmap
    slot: int

    def __call__(self, parent: ParentLink) -> int:
        if self.page[self.slot + FAILING]:
            if not self.page[self.slot + HELD]:
                self._fail()
        elif not self.page[self.slot + HELD]:
            parent.ready()
        while True:
            match signal.sigwait(SIGNALS):
                case signal.SIGUSR1 if self.page[self.slot + FAILING]:
                    self._fail()
                case signal.SIGUSR1:
                    parent.ready()
                case signal.SIGUSR2:
                    return 0
                case _ if not self.page[self.slot + DEAF]:
                    return 0

    def _fail(self) -> None:
        self.page[self.slot + FAILING] -= 1
        msg = "as scripted"
        raise OSError(msg)


class ProcessCase:
    """One case: a supervisor of scripted processes, and what happened."""

    def __init__(self, spec: SupervisorSpec) -> None:
        self.now = 0
        self.happened: list[str] = []
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._slots: dict[Path, int] = {}
        self._pids: dict[Path, int] = {}
        self._unanswered: dict[Path, int] = {}
        self._dues: dict[Path, tuple[int, signal.Signals]] = {}
        self._start_takes: dict[Path, float | None] = {}
        self._stop_takes: dict[Path, float | None] = {}
        self._supervisor = ProcessSupervisor(
            self._with_scripts(spec, ()), generator=random.Random(SEED), clock=lambda: self.now
        )

    def close(self) -> None:
        self._supervisor.kill()
        self._supervisor.close()

    def do(self, step: Step) -> list[str]:
        """Do a step, and give what happened until everything is settled."""
        self.happened = []
        refused = []
        try:
            self._act(step)
        except SupervisionError as error:
            refused = [type(error).__name__]
        self._settle()
        return self.happened + refused

    # --- actions

    def _act(self, step: Step) -> None:
        requests: dict[str, Callable[..., None]] = {
            "start": self._supervisor.start,
            "stop": self._supervisor.stop,
            "kill": self._supervisor.kill,
            "terminate": self._supervisor.terminate_child,
            "restart": self._supervisor.restart_child,
            "delete": self._supervisor.delete_child,
            "crash": lambda *path: self._signal(path, signal.SIGKILL),
            "exit": lambda *path: self._signal(path, END),
        }
        if step.verb in requests:
            requests[step.verb](*step.path)
        elif step.verb == "wait":
            self._wait(self.now + round(float(step.argument) * SECOND))
        elif step.verb == "add":
            self._supervisor.start_child(self._with_script(child(step.argument), ()))
        else:
            self._script(step)

    def _script(self, step: Step) -> None:
        path, slot = step.path, self._slot(step.path)
        match step.verb:
            case "fail":
                self._page[slot + FAILING] = int(step.argument)
            case "slowstart" | "neverstart":
                self._page[slot + HELD] = 1
                self._start_takes[path] = float(step.argument) if step.argument else None
            case "hang" | "slowstop":
                self._page[slot + DEAF] = 1
                self._stop_takes[path] = float(step.argument) if step.argument else None
            case _:
                raise AssertionError(step)

    def _signal(self, path: Path, number: signal.Signals) -> None:
        os.kill(self._pids[path], number)
        self._unanswered[path] = self._pids[path]

    def _wait(self, until: int) -> None:
        while True:
            dues = [self._supervisor.next_due, *(due for due, _ in self._dues.values())]
            due = min((each for each in dues if each is not None), default=until)
            self.now = max(self.now, min(due, until))
            for path, (at, number) in list(self._dues.items()):
                if at <= self.now:
                    del self._dues[path]
                    self._signal(path, number)
            self._settle()
            if due > until or (due == until == self.now and not self._is_due(until)):
                return

    def _is_due(self, until: int) -> bool:
        due = self._supervisor.next_due
        return due is not None and due <= until

    # --- what happens

    def _settle(self) -> None:
        """Go on until nothing is under way but what a script holds back."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            events = self._supervisor.poll(0.5 if self._unanswered else 0)
            for event in events:
                self._note(event)
            if not events and not self._unanswered:
                return
            assert time.monotonic() < deadline, f"unsettled: {self._unanswered}"

    def _note(self, event: ProcessEvent) -> None:
        token = _token(event)
        if token is not None:
            self.happened.append(token)
        match event:
            case ChildStarting(pid=int(pid)):
                self._started(event.path, pid)
            case ChildStopping(pid=int(pid)):
                self._told_to_stop(event.path, pid)
            case ChildKilled(pid=int(pid)):
                self._unanswered[event.path] = pid
            case ProcessReady():
                self._unanswered.pop(event.path, None)
            case ProcessEnded():
                self._unanswered.pop(event.path, None)
                self._dues.pop(event.path, None)
            case _:
                pass

    def _started(self, path: Path, pid: int) -> None:
        self._pids[path] = pid
        if not self._page[self._slot(path) + HELD]:
            self._unanswered[path] = pid
            return
        takes = self._start_takes[path]
        if takes is not None:
            self._dues[path] = (self.now + round(takes * SECOND), BE_READY)

    def _told_to_stop(self, path: Path, pid: int) -> None:
        if not self._page[self._slot(path) + DEAF]:
            self._unanswered[path] = pid
            return
        takes = self._stop_takes[path]
        if takes is not None:
            self._dues[path] = (self.now + round(takes * SECOND), END)

    # --- children

    def _slot(self, path: Path) -> int:
        return self._slots.setdefault(path, 8 * len(self._slots))

    def _with_scripts(self, spec: SupervisorSpec, above: Path) -> SupervisorSpec:
        children = tuple(self._with_script(each, above) for each in spec.children)
        return replace(spec, children=children)

    def _with_script(self, spec: ChildSpec, above: Path) -> ChildSpec:
        path = (*above, spec.name)
        if isinstance(spec.start, SupervisorSpec):
            return replace(spec, start=self._with_scripts(spec.start, path))
        entry = ScriptedProcess(self._page, self._slot(path))
        return replace(spec, start=ProcessSpec(entry, ready_within=NEVER))


def _token(event: ProcessEvent) -> str | None:
    """Give an event in the language of the cases, if it has a word for it."""
    match event:
        case SupervisorReady(path=()):
            return "ready"
        case SupervisorEnded(path=()):
            return f"ended:{event.reason.kind}"
        case _ if type(event) in MARKS:
            return MARKS[type(event)] + "/".join(map(str, event.path))
        case _:
            return None


def process_differences(case: Case) -> list[str]:
    """What happened otherwise than the case says, one line for each of its steps that did."""
    lines = []
    with scripted_processes():
        running = ProcessCase(case.spec)
        try:
            for step in case.steps:
                happened = running.do(step)
                if happened != list(step.expected):
                    lines.append(f"{step.verb} {'/'.join(step.path)}: {' '.join(happened)}")
        finally:
            running.close()
    return lines
