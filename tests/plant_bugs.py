"""Puts bugs into copies of the product, one at a time, and has the simulator find each.

    python -m tests.plant_bugs
    python -m tests.plant_bugs --only fence_off --seeds 50
    python -m tests.plant_bugs --unit-tests fence_off

Each bug is a patch in `tests/planted_bugs` that changes one line. `muxsaga simulate --faults cruel`
is run on the copy, seed by seed from 0 on, until one breaks an invariant. It prints a table and
exits 1 if a bug is not found, 2 if a patch does not apply.

`--unit-tests` runs the tests instead, without those of the simulator and of this, and exits 1 if
they do not fail: a bug that no unit test finds.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bug_patches import (
    PatchError,
    PlantedBug,
    copy_of_the_product,
    planted_bugs,
    put_in,
)

HUNT = Path(__file__).with_name("bug_hunt.py")
SECONDS_A_BUG = 900
EPOCH = re.compile("[0-9a-f]{32}")
"""What makes a label long, and says nothing to people."""

BY_THE_SIMULATOR = (
    "test_simulator.py",
    "test_checkers_agree.py",
    "test_determinism.py",
    "test_planted_bugs.py",
)
"""The tests that run the simulator: what they find, it finds."""


@dataclass(frozen=True)
class Find:
    """What shows a bug. `seeds`: how many were needed; None if it was not found."""

    bug: str
    words: str
    seeds: int | None
    invariant: int | None
    message: str


def look_for(bug: PlantedBug, seeds: int, jobs: int) -> Find:
    """Put a bug into a copy, and look for the first seed that shows it.

    Raises:
        PatchError: the patch does not apply.
        RuntimeError: the simulator could not be run on the copy.
    """
    with copy_of_the_product() as copy:
        put_in(bug, copy)
        done = subprocess.run(
            [sys.executable, str(HUNT), str(copy), str(seeds), str(jobs)],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            timeout=SECONDS_A_BUG,
            check=False,
        )
    if done.returncode:
        msg = f"{bug.name}: the simulator could not be run: {done.stderr.strip()}"
        raise RuntimeError(msg)
    found = json.loads(done.stdout)
    if found is None:
        return Find(bug.name, bug.words, None, None, f"not found in {seeds} seeds")
    return Find(bug.name, bug.words, found["seed"] + 1, found["invariant"], found["message"])


def rows(finds: Iterable[Find]) -> Iterable[str]:
    """Give the table, line by line, as Markdown."""
    yield "| bug | seeds needed | invariant | what was found first |"
    yield "| --- | --- | --- | --- |"
    for find in finds:
        seeds = "not found" if find.seeds is None else find.seeds
        invariant = "" if find.invariant is None else find.invariant
        message = EPOCH.sub("...", find.message).replace("|", "\\|")
        yield f"| {find.words} (`{find.bug}`) | {seeds} | {invariant} | {message} |"


def unit_tests(bug: PlantedBug, tests: Sequence[str]) -> int:
    """Run tests on a copy with the bug in it; give 1 if they do not fail."""
    with copy_of_the_product("tests", "bench", "docs", "pyproject.toml") as copy:
        put_in(bug, copy)
        left_out = [f"--ignore=tests/{each}" for each in BY_THE_SIMULATOR]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", *left_out, *tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            check=False,
        )
    found = "found" if done.returncode else "not found"
    sys.stdout.write(f"{bug.name}: {found} by the tests\n")
    return 0 if done.returncode else 1


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.plant_bugs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="only this bug")
    parser.add_argument("--seeds", type=int, default=500, help="at most so many; default 500")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="default: all cores")
    parser.add_argument("--json", action="store_true", help="one map a bug instead of the table")
    parser.add_argument("--unit-tests", metavar="NAME", help="run the tests with this bug instead")
    parser.add_argument("tests", nargs="*", help="with --unit-tests: only these; default: all")
    options = parser.parse_args()
    bugs = {bug.name: bug for bug in planted_bugs()}
    wanted = [options.unit_tests] if options.unit_tests else options.only or list(bugs)
    unknown = [name for name in wanted if name not in bugs]
    if unknown:
        parser.error(f"no bug {', '.join(unknown)}; there are {', '.join(bugs)}")
    try:
        if options.unit_tests:
            return unit_tests(bugs[options.unit_tests], options.tests)
        finds = []
        for name in wanted:
            find = look_for(bugs[name], options.seeds, options.jobs)
            finds.append(find)
            seeds = "not found" if find.seeds is None else f"seed {find.seeds - 1}"
            sys.stderr.write(f"{len(finds)}/{len(wanted)} {name}: {seeds}\n")
    except PatchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    lines = [json.dumps(asdict(find)) for find in finds] if options.json else rows(finds)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if any(find.seeds is None for find in finds) else 0


if __name__ == "__main__":
    sys.exit(main())
