"""Supervised processes for real: spawned, with pipes, signals and deadlines."""

import itertools
import os
import random
import select
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from actors.supervision.child_spec import (
    Backoff,
    ChildSpec,
    ExitKind,
    Intensity,
    Restart,
    SupervisorSpec,
)
from actors.supervision.process_events import (
    ChildKilled,
    ChildStarting,
    ProcessEnded,
    ProcessEvent,
    ProcessReady,
    RestartWaits,
    SupervisorReady,
)
from actors.supervision.process_program import Program
from actors.supervision.process_spec import Entry, ProcessSpec, Task
from actors.supervision.process_supervisor import ProcessSupervisor
from actors.supervision.supervisor_child import ChildState
from actors.supervision.supervisor_errors import SpecError
from tests import process_entries as entries

ROOT = Path(__file__).parent.parent
DEADLINE = 20.0


@pytest.fixture(autouse=True)
def _no_main_to_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every child the import of pytest."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


class Watched:
    """A supervisor, and everything that it has told so far."""

    def __init__(self, supervisor: ProcessSupervisor) -> None:
        self.supervisor = supervisor
        self.events: list[ProcessEvent] = []

    def until(self, holds: Callable[[], bool], seconds: float = DEADLINE) -> None:
        deadline = time.monotonic() + seconds
        self.events += self.supervisor.poll(0)
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"it never came to be; {self.events}"
            self.events += self.supervisor.poll(left)

    def ready(self) -> None:
        self.until(lambda: self.supervisor.ready)

    def ended(self) -> None:
        self.until(lambda: self.supervisor.ended is not None)

    def of(self, kind: type[ProcessEvent]) -> list[ProcessEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def ends(self) -> list[ProcessEnded]:
        return [event for event in self.events if isinstance(event, ProcessEnded)]


@contextmanager
def watched(spec: SupervisorSpec) -> Iterator[Watched]:
    with ProcessSupervisor(spec) as supervisor:
        yield Watched(supervisor)


def one(process: ProcessSpec | Entry, **options: object) -> SupervisorSpec:
    """A supervisor of one temporary child."""
    start = process if isinstance(process, ProcessSpec) else ProcessSpec(process)
    child = ChildSpec("child", start, restart=Restart.TEMPORARY)
    return SupervisorSpec((replace(child, **options),))  # type: ignore[arg-type]


def pid_of(watch: Watched, *path: object) -> int:
    pid = watch.supervisor.pid(*path)
    assert pid is not None
    return pid


@contextmanager
def descriptors_of(pids: Sequence[int]) -> Iterator[list[int]]:
    with ExitStack() as stack:
        found = [os.pidfd_open(pid) for pid in pids]
        for descriptor in found:
            stack.callback(os.close, descriptor)
        yield found


def all_end(descriptors: Sequence[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    return all(
        select.select([each], [], [], max(0.0, deadline - time.monotonic()))[0]
        for each in descriptors
    )


def test_a_process_is_ready_when_it_says_so_and_ends_in_order_when_told() -> None:
    with watched(one(entries.beating)) as watch:
        watch.ready()
        watch.supervisor.stop()
        watch.ended()
    assert [type(event).__name__ for event in watch.events] == [
        "ChildStarting",
        "ProcessReady",
        "SupervisorReady",
        "ChildStopping",
        "ProcessEnded",
        "SupervisorEnded",
    ]
    (end,) = watch.ends()
    assert (end.reason.kind, end.how) == (ExitKind.SHUTDOWN, "exit status 0")


@pytest.mark.parametrize(
    ("entry", "kind", "detail"),
    [
        (entries.Exiting(0), ExitKind.NORMAL, "exit status 0"),
        (Task(time.tzset), ExitKind.NORMAL, "exit status 0"),
        (entries.Exiting(5), ExitKind.CRASHED, "exit status 5"),
        (entries.broken_later, ExitKind.CRASHED, "exit status 1"),
    ],
)
def test_an_end_has_its_reason(entry: Entry, kind: ExitKind, detail: str, tmp_path: Path) -> None:
    with watched(one(ProcessSpec(entry, output=tmp_path / "output"))) as watch:
        watch.until(lambda: bool(watch.ends()))
    assert (watch.ends()[0].reason.kind, watch.ends()[0].reason.detail) == (kind, detail)
    said = watch.ends()[0].said
    assert ("the last words" in said) == (entry is entries.broken_later)


def test_a_process_that_a_signal_ended_has_crashed_and_the_signal_is_named() -> None:
    with watched(one(entries.beating)) as watch:
        watch.ready()
        os.kill(pid_of(watch, "child"), signal.SIGKILL)
        watch.until(lambda: bool(watch.ends()))
    assert str(watch.ends()[0].reason) == "crashed: signal SIGKILL"


@pytest.mark.parametrize(
    ("entry", "detail"),
    [
        (entries.refusing, "the door is shut"),
        (entries.broken_at_start, "LookupError:"),
        (Program(("/no/such/program",)), "/no/such/program"),
        (lambda _: 0, "cannot start a process: Can't pickle"),
    ],
)
def test_a_process_that_cannot_start_says_why(entry: Entry, detail: str, tmp_path: Path) -> None:
    with watched(one(ProcessSpec(entry, output=tmp_path / "output"))) as watch:
        watch.ended()
    (end,) = watch.ends()
    assert detail in end.reason.detail
    assert not end.ready
    assert watch.supervisor.ended is not None
    assert detail in watch.supervisor.ended.detail


def test_a_process_that_is_not_ready_in_time_is_killed() -> None:
    with watched(one(ProcessSpec(entries.never_ready, ready_within=0.3))) as watch:
        watch.ended()
    assert str(watch.ends()[0].reason) == "crashed: it was not ready in 0.3 s: killed"


def test_a_process_whose_loop_is_silent_is_killed_and_restarted() -> None:
    spec = one(ProcessSpec(entries.hanging, silence=0.3), restart=Restart.TRANSIENT, shutdown=0)
    with watched(spec) as watch:
        watch.until(lambda: len(watch.of(ProcessReady)) == 2)
    assert str(watch.ends()[0].reason) == "crashed: its loop was silent for 0.3 s: killed"


def test_a_process_whose_loop_beats_lives_longer_than_the_silence() -> None:
    with watched(one(ProcessSpec(entries.beating, silence=0.6))) as watch:
        watch.ready()
        until = time.monotonic() + 1.0
        watch.until(lambda: time.monotonic() > until or bool(watch.ends()))
        assert watch.ends() == []


def test_beats_that_waited_while_the_parent_was_busy_count() -> None:
    now = 0
    spec = one(ProcessSpec(entries.beating, silence=1.0))
    with ProcessSupervisor(spec, clock=lambda: now) as supervisor:
        watch = Watched(supervisor)
        watch.ready()
        assert select.select([supervisor.fileno()], [], [], DEADLINE)[0]
        now += 3_600_000_000_000
        assert supervisor.poll(0) == []


def test_a_process_that_does_not_stop_is_killed_at_its_deadline() -> None:
    with watched(one(entries.hanging, shutdown=0.2)) as watch:
        watch.ready()
        watch.supervisor.stop()
        watch.ended()
    assert len(watch.of(ChildKilled)) == 1
    assert watch.ends()[0].reason.kind is ExitKind.KILLED


def test_a_process_that_is_stopped_while_it_starts_ends() -> None:
    with watched(one(entries.never_ready, shutdown=0.2)) as watch:
        watch.until(lambda: bool(watch.of(ChildStarting)))
        watch.supervisor.stop()
        watch.ended()
    assert str(watch.supervisor.ended) == "shutdown"


def test_after_a_final_status_not_even_a_permanent_process_is_restarted() -> None:
    process = ProcessSpec(entries.Exiting(3), final_statuses=frozenset({3}))
    with watched(one(process, restart=Restart.PERMANENT)) as watch:
        watch.until(lambda: bool(watch.ends()))
        (info,) = watch.supervisor.machine.which_children()
        assert (info.state, info.incarnation) == (ChildState.STOPPED, 1)
    assert str(watch.ends()[0].reason) == "normal: exit status 3, after which it is not restarted"


def test_restarts_wait_and_are_told() -> None:
    process = ChildSpec("child", ProcessSpec(entries.Exiting(5)))
    spec = SupervisorSpec((process,), intensity=Intensity(2, 60), backoff=Backoff(0.01, 0.02))
    with watched(spec) as watch:
        watch.ended()
    waits = [event for event in watch.events if isinstance(event, RestartWaits)]
    assert [wait.restarts for wait in waits] == [1, 2]
    assert all(0 <= wait.seconds <= 0.02 for wait in waits)
    assert watch.supervisor.ended is not None
    assert watch.supervisor.ended.kind is ExitKind.GAVE_UP


def test_a_wait_that_is_over_when_it_is_told_is_none() -> None:
    process = ChildSpec("child", ProcessSpec(entries.Exiting(5)))
    spec = SupervisorSpec((process,), intensity=Intensity(1, 10**6), backoff=Backoff(0.5, 0.5))
    every_look_a_second_later = itertools.count(0, 10**9)
    with ProcessSupervisor(spec, clock=every_look_a_second_later.__next__) as supervisor:
        watch = Watched(supervisor)
        watch.ended()
    waits = [event for event in watch.events if isinstance(event, RestartWaits)]
    assert [wait.seconds for wait in waits] == [0]


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with watched(one(entries.WithChild(note))) as watch:
        watch.ready()
        with descriptors_of([int(note.read_text())]) as descriptors:
            os.kill(pid_of(watch, "child"), signal.SIGKILL)
            watch.until(lambda: bool(watch.ends()))
            assert all_end(descriptors, DEADLINE)


@pytest.mark.parametrize("by", [[], ["thread"]])
def test_no_process_survives_a_killed_supervisor(by: list[str]) -> None:
    command = [sys.executable, "-m", "tests.process_entries", *by]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids: dict[str, int] = {}
        while "ready" not in pids:
            name, pid = parent.stdout.readline().split()
            pids[name] = int(pid)
        del pids["ready"]
        assert len(pids) == 3
        if not by:  # the kernel sees to a stopped process, a thread in it cannot
            os.kill(pids["stopped"], signal.SIGSTOP)
        with descriptors_of(list(pids.values())) as descriptors:
            parent.kill()
            assert all_end(descriptors, 2.0)


def test_a_program_is_supervised_like_any_process() -> None:
    wait = Program((sys.executable, "-c", "import time; time.sleep(3600)"))
    status = Program(("sh", "-c", "exit $STATUS"), environment={"STATUS": "7"})
    children = (ChildSpec("wait", ProcessSpec(wait)), ChildSpec("status", ProcessSpec(status)))
    with watched(
        SupervisorSpec(tuple(replace(each, restart=Restart.TEMPORARY) for each in children))
    ) as watch:
        watch.until(lambda: bool(watch.ends()))
        watch.ready()
        watch.supervisor.stop()
        watch.ended()
    ends = {end.path[0]: (str(end.reason), end.how) for end in watch.ends()}
    assert ends == {
        "status": ("crashed: exit status 7", "exit status 7"),
        "wait": ("shutdown", "signal SIGTERM"),
    }


def test_children_alongside_start_and_stop_together() -> None:
    with watched(entries.family()) as watch:
        watch.ready()
        kinds = [type(event) for event in watch.events]
        assert kinds == [ChildStarting] * 3 + [ProcessReady] * 3 + [SupervisorReady]
        watch.supervisor.kill()
        watch.ended()


def test_a_process_that_was_started_before_its_turn_ends_when_that_never_comes() -> None:
    alongside = ProcessSpec(entries.beating, alongside=True)
    spec = SupervisorSpec(
        (ChildSpec("a", ProcessSpec(entries.refusing)), ChildSpec("b", alongside))
    )
    with watched(spec) as watch:
        watch.ended()
    assert {event.path[0]: str(event.reason) for event in watch.ends()} == {
        "a": "crashed: the door is shut",
        "b": "shutdown: not needed",
    }


def test_another_loop_can_embed_it() -> None:
    poll = select.poll()
    with ProcessSupervisor(one(entries.beating), generator=random.Random(1)) as supervisor:
        poll.register(supervisor.fileno(), select.POLLIN)
        while not supervisor.ready:
            assert supervisor.next_due is not None
            if not supervisor.poll(0):
                assert poll.poll(DEADLINE * 1000)


def test_nothing_is_left_open_after_many_restarts() -> None:
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    child = ChildSpec("child", ProcessSpec(entries.Exiting(0)))
    spec = SupervisorSpec((child,), intensity=Intensity(1, 60))
    before = None
    for _ in range(2):
        with watched(spec) as watch:
            watch.ended()
        assert len(watch.of(ChildStarting)) == 2
        before = open_files() if before is None else before
    assert open_files() == before


def test_a_child_that_is_no_process_is_refused() -> None:
    with pytest.raises(SpecError, match="child 'child' must start a ProcessSpec"):
        ProcessSupervisor(SupervisorSpec((ChildSpec("child", print),)))
