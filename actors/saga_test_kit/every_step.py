"""Runs a scenario once, and then again and again with a crash at each of its steps.

A simulated system takes the same course each time, so the n-th step of one run is that of all: the
first run counts the steps, and each other one crashes at one of them. What crashed is started again
as its supervisor would, half a virtual second later; a saga's actor is made anew at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from actors.injected_crash import InjectedCrashError
from actors.saga import Saga
from actors.saga_actor import Turn
from actors.saga_test_kit.failed_runs import FailedRun, ScenarioFailedError, failure_of
from actors.saga_test_kit.simulated_system import SimulatedSystem
from actors.saga_test_kit.step_names import StepNames, of_peer_step
from actors.simulation.fault_plan import LAUNCHER
from actors.simulation.launcher_port import Doing, LauncherKilledError, Moment
from actors.simulation.peer_node import PeerKilledError
from actors.simulation.step_watch import StepWatch
from transport.history_lines import HostLine

SAGAS = "sagas"
"""What is said for the actors of sagas, where others are named by their processes."""

Scenario = Callable[[SimulatedSystem], object]
"""What a test does with a system, and expects of it; it raises if that does not come."""

MakeSystem = Callable[[StepWatch], SimulatedSystem]
"""Makes a system, each time the same, whose steps somebody watches."""


class _Source(Enum):
    LAUNCHER = auto()
    SAGA = auto()
    PEER = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    Attributes:
        source: whose step it is.
        peer: name of the host or service whose it is; empty for others.
        number: how many there were of that source before.
        text: says when it is, or what crashes there.
    """

    source: _Source
    peer: str
    number: int
    text: str


class _Counting(StepWatch):
    """Counts the steps from when it is told to.

    Attributes:
        steps: those that were counted.
        system: whose steps they are; None before and after the scenario.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.system: SimulatedSystem | None = None
        self._names = StepNames()
        self._counts: dict[tuple[_Source, str], int] = {}

    def launcher_moment(self, moment: Moment, doing: Doing) -> None:
        text = self._names.of_moment(moment, doing)
        self._count(_Source.LAUNCHER, "", text)

    def saga_turn(self, saga: Saga, turn: Turn) -> None:
        self._count(_Source.SAGA, "", self._names.of_turn(saga, turn))

    def peer_step(self, line: HostLine) -> None:
        if line.did == "command" or (line.did == "report" and line.identity is not None):
            self._count(_Source.PEER, line.host, of_peer_step(line))

    def _count(self, source: _Source, peer: str, text: str) -> None:
        if self.system is not None:
            number = self._counts.get((source, peer), 0)
            self._counts[source, peer] = number + 1
            step = Step(source, peer, number, text)
            self.steps.append(step)
            self.reached(step)

    def reached(self, step: Step) -> None:
        """Hear of a counted step."""


class _Crashing(_Counting):
    """Lets something crash at one step.

    Attributes:
        crashed: it did.
    """

    def __init__(self, at: Step, what: str) -> None:
        super().__init__()
        self.crashed = False
        self._at = at
        self._what = what

    def reached(self, step: Step) -> None:
        if step != self._at or self.crashed or self.system is None:
            return
        self.crashed = True
        if self._what == SAGAS:
            msg = "a crash that was asked for"
            raise InjectedCrashError(msg)
        if self._what == LAUNCHER:
            self.system.start_again_later(LAUNCHER)
            raise LauncherKilledError
        if step.source is _Source.PEER:
            self.system.start_again_later(self._what)
            raise PeerKilledError
        self.system.kill(self._what)


def crash_at_every_step(
    make: MakeSystem, scenario: Scenario, crash: str | Sequence[str] = (LAUNCHER, SAGAS)
) -> list[str]:
    """Run a scenario without a crash, then once for each crash; give what the crashes were.

    The launcher is killed at each moment of each of its passes, sagas crash at each of their turns,
    and a host or service is killed at each of its own steps for a saga and at each of the
    launcher's moments.

    Args:
        make: gives a system, the same each time.
        scenario: is run with each, and raises if something does not come as it is to.
        crash: what crashes: `launcher`, `sagas`, or names of hosts and services; one or several.

    Raises:
        ScenarioFailedError: with some crashes it failed, or a history is not as it must be; says at
            which steps.
        ValueError: nothing of that name can crash, or the scenario has no step of it.
    """
    __tracebackhide__ = True
    counting = _Counting()
    failed = _run(make, counting, scenario)
    if failed is not None:
        msg = f"without any crash, the scenario failed: {failed}"
        raise ScenarioFailedError(msg) from failed.error
    wanted = [crash] if isinstance(crash, str) else crash
    crashes = [(what, step) for what in wanted for step in _steps_of(what, counting.steps)]
    failures = []
    for what, step in crashes:
        crashing = _Crashing(step, what)
        failed = _run(make, crashing, scenario)
        if failed is None and not crashing.crashed:
            failed = FailedRun(
                "the run took another course before that step: "
                "something depends on more than the system's seed"
            )
        if failed is not None:
            failures.append((_text(what, step), failed))
    if failures:
        raise failure_of(failures, len(crashes), "crashes")
    return [_text(what, step) for what, step in crashes]


def _run(make: MakeSystem, watch: _Counting, scenario: Scenario) -> FailedRun | None:
    system = make(watch)
    watch.system = system
    failed = FailedRun.of(lambda: scenario(system))
    watch.system = None
    return failed or FailedRun.judging(system)


def _steps_of(what: str, steps: Sequence[Step]) -> list[Step]:
    sources = {SAGAS: _Source.SAGA}
    source = sources.get(what, _Source.LAUNCHER)
    found = [step for step in steps if step.source is source or step.peer == what]
    is_known = what in {LAUNCHER, SAGAS} or any(step.peer == what for step in found)
    if not found or not is_known:
        msg = (
            f"there is nothing in the scenario at which {what!r} could crash: "
            "say 'launcher', 'sagas', or the name of a host or service that has commands in it"
        )
        raise ValueError(msg)
    return found


def _text(what: str, step: Step) -> str:
    return f"{step.text} crashed" if what == SAGAS else f"{what} killed {step.text}"
