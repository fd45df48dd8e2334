"""Fuzzes for as long as it is told, from random seeds.

    python -m tests.fuzz --minutes 10 --target codec

Each round is a run of pytest over one target's tests, from a seed of its own. A round that fails
prints the failing example and the one command that replays it; then the exit status is 1.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz_profiles import SCALE_VARIABLE

ROUND_SECONDS = 900
PREFIX = "test_fuzz_"
TESTS = Path(__file__).parent


def targets() -> dict[str, Path]:
    """Give the test files by target."""
    found = sorted(TESTS.glob(f"{PREFIX}*.py"))
    return {file.stem.removeprefix(PREFIX): file for file in found}


def run_round(file: Path, seed: int, scale: int) -> bool:
    """Run one round; say whether nothing was found."""
    arguments = [
        *("-q", "-p", "no:randomly", f"--timeout={ROUND_SECONDS}"),
        *(f"--hypothesis-seed={seed}", str(file.relative_to(TESTS.parent))),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=TESTS.parent,
        env={**os.environ, SCALE_VARIABLE: str(scale)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    sys.stdout.write(f"{file.stem.removeprefix(PREFIX)}, seed {seed}: {last_line(done.stdout)}\n")
    if done.returncode:
        sys.stdout.write(done.stdout)
        command = " ".join(["python", "-m", "pytest", *arguments])
        sys.stdout.write(f"replay with: {SCALE_VARIABLE}={scale} {command}\n")
    sys.stdout.flush()
    return done.returncode == 0


def last_line(output: str) -> str:
    """Give how a run of pytest ended, in its own words."""
    lines = output.strip().splitlines()
    return lines[-1].strip("= ") if lines else "it said nothing"


def main() -> int:
    """Run the command."""
    known = targets()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--target", choices=known, help="default: all of them, in turn")
    parser.add_argument(
        "--scale", type=int, default=10, help="times the suite's examples a round (%(default)s)"
    )
    options = parser.parse_args()
    files = list(known.values()) if options.target is None else [known[options.target]]
    until = time.monotonic() + options.minutes * 60
    rounds = found = 0
    while time.monotonic() < until:
        found += not run_round(files[rounds % len(files)], secrets.randbits(32), options.scale)
        rounds += 1
    sys.stdout.write(f"{rounds} rounds, {found} of them found something\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
