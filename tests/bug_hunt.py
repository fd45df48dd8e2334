"""Looks for the first seed that shows a bug, in the copy of the product that it is run on.

    PYTHONPATH=COPY python tests/bug_hunt.py COPY SEEDS JOBS

It takes seeds from 0 on, in order, and prints the first that breaks an invariant as JSON, or null.
That a run injected less than its profile promises is no find: it says nothing of the product.
"""

import json
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import actors
import host_sim
import transport
from actors.simulation.campaign import SeedResult, begin_worker, judged_seed
from actors.simulation.judgement import Violation
from actors.simulation.profile import read_profile

BROKEN_PROMISE = "the profile promises"


def is_of(module: ModuleType, copy: Path) -> bool:
    """Say whether a package was imported from the copy."""
    return Path(module.__file__ or "").resolve().is_relative_to(copy)


def finds_in(result: SeedResult) -> list[Violation]:
    """Give what shows a bug, broken invariants first."""
    finds = [each for each in result.violations if not each.message.startswith(BROKEN_PROMISE)]
    return sorted(finds, key=lambda each: each.invariant == 0)


def results(seeds: int, jobs: int) -> Iterator[SeedResult]:
    """Give the result of each seed, in order."""
    judged = partial(judged_seed, profile=read_profile("cruel"), only=None)
    with get_context("spawn").Pool(jobs, initializer=begin_worker) as pool:
        yield from pool.imap(judged, range(seeds))


def main() -> None:
    """Run the command."""
    copy = Path(sys.argv[1]).resolve()
    seeds, jobs = int(sys.argv[2]), int(sys.argv[3])
    for module in (actors, transport, host_sim):
        if not is_of(module, copy):
            sys.exit(f"{module.__name__} is that of {module.__file__}, not the one in {copy}")
    for result in results(seeds, jobs):
        finds = finds_in(result)
        if finds:
            first = finds[0]
            found = {"seed": result.seed, "invariant": first.invariant, "message": first.message}
            sys.stdout.write(json.dumps(found))
            return
    sys.stdout.write("null")


if __name__ == "__main__":
    main()
