"""Many seeds: each in whichever process is free, with the same results in any order."""

import logging
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context

from msgspec import Struct

from actors.simulation.judgement import Violation
from actors.simulation.profile import Profile
from actors.simulation.run import NO_INVARIANT, planned_faults, run_seed
from actors.simulation.shrink import shortest_schedule

SEEDS_A_TASK = 4


class SeedResult(Struct, frozen=True):
    """What one seed gave, without its history; see `Run`."""

    seed: int
    violations: list[Violation]
    faults: dict[str, int]
    sagas: int
    virtual_ns: int


def judged_seed(seed: int, profile: Profile, only: Sequence[int] | None) -> SeedResult:
    """Run one seed; see `run_seed`."""
    run = run_seed(seed, profile, only)
    return SeedResult(seed, run.violations, run.faults, run.sagas, run.virtual_ns)


def judged_seeds(
    seeds: range, profile: Profile, only: Sequence[int] | None, jobs: int
) -> Iterator[SeedResult]:
    """Run seeds in so many processes at once, and give the results as they come."""
    judged = partial(judged_seed, profile=profile, only=only)
    if jobs == 1 or len(seeds) == 1:
        yield from map(judged, seeds)
        return
    with get_context("spawn").Pool(min(jobs, len(seeds)), initializer=begin_worker) as pool:
        yield from pool.imap_unordered(judged, seeds, chunksize=SEEDS_A_TASK)


def begin_worker() -> None:
    """Begin a process that runs seeds for another one."""
    # Ctrl-C is the parent's business; crashes that were asked for are no news.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)


def shrunk_schedule(
    result: SeedResult, profile: Profile, only: Sequence[int] | None
) -> list[int] | None:
    """Give the shortest schedule found that breaks the first invariant that a seed breaks.

    None where no schedule does: what a profile promises is promised of its whole plan.
    """
    broken = [violation.invariant for violation in result.violations]
    invariant = next((number for number in broken if number != NO_INVARIANT), NO_INVARIANT)
    planned = [fault.number for fault in planned_faults(result.seed, profile)]
    numbers = planned if only is None else [number for number in planned if number in only]

    def shows(schedule: Sequence[int]) -> bool:
        found = judged_seed(result.seed, profile, schedule).violations
        return any(violation.invariant == invariant for violation in found)

    return shortest_schedule(numbers, shows) if shows(numbers) else None
