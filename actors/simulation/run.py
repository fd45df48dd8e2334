"""One simulated run: one seed, one history, and what is wrong with it."""

from collections import Counter
from collections.abc import Collection
from functools import partial
from random import Random

from msgspec import Struct

from actors.outcome_text import summary_of
from actors.saga_rules import rules_of
from actors.simulation import window_inspection
from actors.simulation.fault_plan import (
    HOST_KILLS,
    IN_QUIET,
    LAUNCHER_KILLS,
    PlannedFault,
    plan_faults,
)
from actors.simulation.injector import Injector
from actors.simulation.judgement import Violation, judge
from actors.simulation.profile import Profile
from actors.simulation.unrest import launcher_leftovers
from actors.simulation.workload import Users
from actors.simulation.world import SECOND, World
from transport.checker import Rules
from transport.history_lines import FaultLine, HistoryLine, SagaLine

QUIET_WITHIN = 60 * SECOND
"""How long after the last fault everything is to be closed and whole, in nanoseconds."""

LONGEST_RUN = 300 * SECOND
"""How long faults and promotes may take in all, in nanoseconds of virtual time."""

NO_INVARIANT = 0
"""The number of a violation that is none of the nine: the run itself is not what it is to be."""


class Run(Struct, frozen=True):
    """What one seed gave.

    Attributes:
        lines: the whole history.
        violations: what is wrong with it.
        faults: how many of each kind happened.
        virtual_ns: how long it took in virtual time.
    """

    seed: int
    lines: list[HistoryLine]
    violations: list[Violation]
    faults: dict[str, int]
    sagas: int
    virtual_ns: int


def planned_faults(seed: int, profile: Profile) -> list[PlannedFault]:
    """Give the faults of a seed, in order of time."""
    system = profile.system
    return plan_faults(
        Random(f"{seed} plan"),  # noqa: S311 - a seed is the point
        profile.faults,
        round(profile.fault_seconds * SECOND),
        [f"host-{number}" for number in range(1, system.hosts + 1)],
        [f"observer-{number}" for number in range(1, system.observers + 1)],
    )


def run_seed(seed: int, profile: Profile, only: Collection[int] | None = None) -> Run:
    """Run a whole world from its seed, to its end.

    Args:
        seed: everything that chance decides follows from it.
        profile: how the world is.
        only: numbers of the planned faults that are to happen; None for all. Less than all keep no
            promise, and none is asked of them.
    """
    faults = planned_faults(seed, profile)
    wanted = [fault for fault in faults if only is None or fault.number in only]
    world = World(seed, profile, [window_inspection.__name__])
    rules = rules_of(world.extensions.kinds, world.extensions.codec, [window_inspection.ENDING])
    violations: list[Violation] = []
    lines = world.history
    try:
        _conduct(world, wanted)
        lines.extend(world.end_lines())
    except Exception as error:  # noqa: BLE001 - a process that raises is what is looked for
        violations.append(Violation(NO_INVARIANT, f"the run ended early: {summary_of(error)}"))
    happened = _faults_in(lines)
    violations.extend(Violation(NO_INVARIANT, each) for each in world.complaints)
    violations.extend(_judged(lines, rules))
    if only is None:
        violations.extend(_broken_promises(profile, world, happened))
    sagas = sum(isinstance(line, SagaLine) for line in lines)
    return Run(seed, lines, violations, dict(happened), sagas, world.clock.now)


def _judged(lines: list[HistoryLine], rules: Rules) -> list[Violation]:
    try:
        return judge(lines, rules)
    except Exception as error:  # noqa: BLE001 - a history that the checker cannot take is a finding
        return [Violation(NO_INVARIANT, f"the checker raised: {summary_of(error)}")]


def _conduct(world: World, faults: list[PlannedFault]) -> None:
    world.start()
    users = Users(world, world.generator("workload"))
    injector = Injector(world, [fault for fault in faults if fault.kind not in IN_QUIET])
    joining = world.generator("late observers")
    window = round(world.profile.fault_seconds * SECOND)
    for number in range(1, world.profile.system.late_observers + 1):
        name = f"late-{number}"
        world.observer_names.append(name)
        time = world.clock.now + joining.randrange(window)
        world.network.at(time, partial(world.start_observer, name))
    end = world.clock.now + window
    enough = world.profile.workload.promotes
    world.holds_within(
        lambda: injector.done and world.clock.now >= end and world.promoted.total() >= enough,
        LONGEST_RUN,
    )
    injector.stop()
    users.at_work = False
    deadline = world.clock.now + QUIET_WITHIN
    _leave_every_pool_wanted(world, users)
    is_quiet = _becomes_quiet(world, deadline)
    for fault in faults:
        if is_quiet and fault.kind in IN_QUIET:
            injector.do_in_quiet(fault)
            world.pass_time(SECOND)
            is_quiet = _becomes_quiet(world, world.clock.now + QUIET_WITHIN)


def _becomes_quiet(world: World, deadline: int) -> bool:
    """Let time pass until all is as it should be; say whether it was, and complain if not."""
    quiet = world.holds_within(lambda: world.unrest() is None, deadline - world.clock.now)
    if not quiet:
        world.complaints.append(f"not quiet 60 s after the last fault: {world.unrest()}")
    elif world.launcher is not None:
        world.complaints.extend(launcher_leftovers(world.launcher))
    return quiet


def _leave_every_pool_wanted(world: World, users: Users) -> None:
    """Let every host's last user action be a promote: a pool that was drained fills again."""
    before = dict(world.promoted)

    def all_promoted() -> bool:
        waiting = [name for name in world.host_names if world.promoted[name] == before.get(name, 0)]
        for name in waiting:
            users.promote(name)
        return not waiting

    world.holds_within(all_promoted, QUIET_WITHIN // 2)


def _faults_in(lines: list[HistoryLine]) -> Counter[str]:
    return Counter(
        line.fault for line in lines if isinstance(line, FaultLine) and line.did != "ended"
    )


def _broken_promises(profile: Profile, world: World, happened: Counter[str]) -> list[Violation]:
    promise = profile.promise
    kept = {
        "promotes": (world.promoted.total(), promise.promotes),
        "faults": (happened.total(), promise.faults),
        "kinds of faults": (len(happened), promise.kinds),
        "kills of the launcher": (_sum(happened, LAUNCHER_KILLS), promise.launcher_kills),
        "kills of a host": (_sum(happened, HOST_KILLS), promise.host_kills),
    }
    return [
        Violation(NO_INVARIANT, f"the profile promises {promised} {what}, and there were {number}")
        for what, (number, promised) in kept.items()
        if number < promised
    ]


def _sum(happened: Counter[str], kinds: Collection[str]) -> int:
    return sum(number for kind, number in happened.items() if kind in kinds)
