"""Runs simulated systems twice, under two hash seeds, and compares their histories byte for byte.

    python -m tests.determinism --seeds 0:500

Each seed is a whole system of a profile: launcher, hosts and observers that die and come back. It
prints a line for each seed that differs or whose history is not sound, and exits 1 if there is one.
"""

import argparse
import hashlib
import logging
import os
import subprocess
import sys
from dataclasses import dataclass

from actors.simulation import read_profile, run_seed
from actors.simulation.world import json_lines

HASH_SEEDS = ("1", "4711")
DEADLINE_PER_SEED = 10.0
"""Seconds that a child may take for a seed; about fifty times what one takes on an idle core."""


@dataclass(frozen=True)
class Judgement:
    """What one process found out about one seed."""

    seed: int
    digest: str
    fault: str


def judge(seed: int, profile: str) -> Judgement:
    """Run one seed twice in this process."""
    runs = [run_seed(seed, read_profile(profile)) for _ in range(2)]
    one, two = (b"".join(json_lines(run.lines)) for run in runs)
    messages = [violation.message for violation in runs[0].violations]
    fault = "; ".join(messages) if one == two else "two runs in one process differ"
    return Judgement(seed, hashlib.sha256(one).hexdigest(), fault)


def start_child(seeds: range, hash_seed: str, profile: str) -> "subprocess.Popen[str]":
    """Start a process that judges seeds under another hash seed."""
    arguments = ["--seeds", f"{seeds.start}:{seeds.stop}", "--faults", profile, "--judge"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.determinism", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        text=True,
    )


def compare(seeds: range, profile: str) -> list[str]:
    """Judge seeds in two processes at once; give a line for each seed that is not right."""
    children = [start_child(seeds, hash_seed, profile) for hash_seed in HASH_SEEDS]
    try:
        deadline = 60 + DEADLINE_PER_SEED * len(seeds)
        outputs = [child.communicate(timeout=deadline)[0] for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    results = [[Judgement(*parsed(line)) for line in output.splitlines()] for output in outputs]
    if any([each.seed for each in result] != list(seeds) for result in results):
        return ["a child did not judge every seed; see its standard error"]
    problems = []
    for one, two in zip(*results, strict=True):
        fault = one.fault or two.fault
        if one.digest != two.digest:
            fault = f"histories differ under PYTHONHASHSEED {' and '.join(HASH_SEEDS)}"
        if fault:
            problems.append(f"seed {one.seed}: {fault}")
    return problems


def parsed(line: str) -> tuple[int, str, str]:
    """Read what a child printed of one seed."""
    seed, digest, fault = line.split("\t")
    return int(seed), digest, fault


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.determinism", description=__doc__)
    parser.add_argument("--seeds", default="0:500", metavar="A:B", help="half open; default 0:500")
    parser.add_argument("--faults", default="cruel", metavar="PROFILE", help="default: cruel")
    parser.add_argument("--judge", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    seeds = range(int(first), int(last))
    if options.judge:
        logging.disable(logging.CRITICAL)
        for seed in seeds:
            found = judge(seed, options.faults)
            sys.stdout.write(f"{found.seed}\t{found.digest}\t{found.fault}\n")
        return 0
    problems = compare(seeds, options.faults)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write(
        f"{len(seeds)} {options.faults} seeds, each run twice under each of "
        f"{len(HASH_SEEDS)} hash seeds: {len(problems)} problems\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
