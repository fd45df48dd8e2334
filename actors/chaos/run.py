"""One run of chaos, from the first process to the judgement."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from actors.chaos.injector import Injector
from actors.chaos.plan import ChaosKind, PlannedFault, Targets, plan_chaos
from actors.chaos.profile import ChaosProfile
from actors.chaos.users import ChaosUsers
from actors.process_system import ProcessSystem, ProcessSystemSettings
from actors.process_system.links import link_names
from transport.checker import Violation
from transport.messages import SagaStarted
from transport.process_signals import StopSignals

OVERTIME = 15.0
"""Seconds that faults which had to wait may begin after the run's duration."""

QUIET_WITHIN = 60.0
"""Seconds in which everything must be closed and every pool whole, once faults have stopped."""

ROUND = 0.02
"""Seconds between two looks at what is due."""

SAY_EVERY = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChaosOutcome:
    """What came of a run.

    Attributes:
        seconds: from the first whole pool to the end of the last fault.
        violations: of the invariants, that its history shows.
        complaints: what no line of the history can say: a process that ended by itself, a run that
            did not become quiet, or injected less than its profile promises.
        faults: how many of each kind were carried out.
        process_faults, link_faults: how many of these.
        sagas: how many began.
        promotes: how many hosts did.
        history: the file.
    """

    seconds: float
    violations: list[Violation]
    complaints: list[str]
    faults: dict[ChaosKind, int]
    process_faults: int
    link_faults: int
    sagas: int
    promotes: int
    history: Path

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations and not self.complaints


def planned_faults(
    seed: int, profile: ChaosProfile, seconds: float, extensions: Sequence[str] = ()
) -> list[PlannedFault]:
    """Give what a run is going to do to its system.

    Raises:
        HostExtensionError: an extension cannot be used.
    """
    settings = _settings(seed, profile, extensions)
    targets = Targets(settings.host_names, settings.observer_names, tuple(link_names(settings)))
    return plan_chaos(seed, profile.faults, seconds, targets)


def run_chaos(
    directory: Path,
    *,
    seed: int,
    profile: ChaosProfile,
    seconds: float,
    say: Say,
    extensions: Sequence[str] = (),
    signals: StopSignals | None = None,
) -> ChaosOutcome:
    """Run a system under chaos in an empty directory, let it heal, and judge it.

    Args:
        directory: where everything is; its path must be short.
        seed: of the plan, of the users' choices and of the hosts'.
        profile: what runs, and what is done to it.
        seconds: for how long faults begin.
        say: takes how it goes, for people.
        extensions: names of extension modules.
        signals: requests to stop.

    Raises:
        ProcessSystemError: the system could not be started.
        SystemInterruptedError: somebody asked to stop.
        EndpointError, ExtensionError, HostExtensionError, LogUnreadableError: what they say.
    """
    settings = _settings(seed, profile, extensions)
    plan = planned_faults(seed, profile, seconds, extensions)
    with ProcessSystem(directory, settings, signals=signals) as system:
        say(f"{len(plan)} faults are planned; {', '.join(system.names)} are ready")
        users = ChaosUsers(system, profile.users, Random(f"{seed} users"))  # noqa: S311 - a seed is the point
        injector, began = Injector(system, plan), time.monotonic()
        _conduct(system, users, injector, seconds, say)
        lasted = time.monotonic() - began
        _let_heal(system, users, say)
        history = system.end(settle_seconds=0.0)
        say("judging the history")
        complaints = [*system.trouble(), *_broken_promises(profile, seconds, injector)]
    return ChaosOutcome(
        seconds=lasted,
        violations=system.violations(),
        complaints=complaints,
        faults=dict(sorted(injector.counts.items())),
        process_faults=injector.process_faults,
        link_faults=injector.link_faults,
        sagas=sum(isinstance(event, SagaStarted) for event in system.events),
        promotes=users.promotes,
        history=history,
    )


def _settings(seed: int, profile: ChaosProfile, extensions: Sequence[str]) -> ProcessSystemSettings:
    return ProcessSystemSettings(
        hosts=profile.system.hosts,
        observers=profile.system.observers,
        extensions=tuple(extensions),
        pool_target=profile.system.pool_target,
        spawn_time=profile.system.spawn_time,
        seed=seed,
        relayed=True,
    )


def _conduct(
    system: ProcessSystem, users: ChaosUsers, injector: Injector, seconds: float, say: Say
) -> None:
    began = said = time.monotonic()
    while True:
        now = time.monotonic()
        if now - began >= (seconds if injector.done else seconds + OVERTIME):
            break
        if now - said >= SAY_EVERY:
            said = now
            say(
                f"{now - began:.0f} of {seconds:g} s: {users.promotes} promotes, "
                f"{injector.process_faults} process faults, {injector.link_faults} link faults"
            )
        users.go_on()
        injector.go_on()
        system.poll(ROUND)
    injector.stop()
    system.heal()


def _let_heal(system: ProcessSystem, users: ChaosUsers, say: Say) -> None:
    """Let everything become whole, at most within the time that it has."""
    say("faults have stopped; everything has to become whole")
    began = time.monotonic()
    users.leave()
    while not users.gone and time.monotonic() - began < QUIET_WITHIN:
        users.go_on()
        system.poll(ROUND)
    is_whole = system.settle(max(0.0, began + QUIET_WITHIN - time.monotonic()))
    said = "everything" if is_whole else "not everything"
    say(f"{said} was whole {time.monotonic() - began:.1f} s later")


def _broken_promises(profile: ChaosProfile, seconds: float, injector: Injector) -> list[str]:
    processes, links = profile.promise.within(seconds)
    kept = {
        "process faults": (injector.process_faults, processes),
        "link faults": (injector.link_faults, links),
    }
    return [
        f"the profile promises {promised} {what} in {seconds:g} s, and there were {number}"
        for what, (number, promised) in kept.items()
        if number < promised
    ]
