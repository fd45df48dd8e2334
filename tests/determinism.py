"""Runs simulated systems twice, under two hash seeds, and compares their histories byte for byte.

    python -m tests.determinism --seeds 0:500

Each seed is a whole system: launcher, two hosts, an observer, 50 promotes, links that break. It
prints a line for each seed that differs or whose history is not clean, and exits 1 if there is one.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass

from actors.simulation import SimulationSettings, simulate
from actors.simulation.world import json_lines
from transport.history_counts import Counts, count

PROMOTES = 50
HASH_SEEDS = ("1", "4711")
DEADLINE_PER_SEED = 10.0
"""Seconds that a child may take for a seed; about fifty times what one takes on an idle core."""


@dataclass(frozen=True)
class Judgement:
    """What one process found out about one seed."""

    seed: int
    digest: str
    fault: str


def judge(seed: int) -> Judgement:
    """Run one seed twice in this process."""
    settings = SimulationSettings(seed=seed, promotes=PROMOTES)
    lines = simulate(settings)
    one, two = (b"".join(json_lines(each)) for each in (lines, simulate(settings)))
    fault = uncleanness(count(lines)) if one == two else "two runs in one process differ"
    return Judgement(seed, hashlib.sha256(one).hexdigest(), fault)


def uncleanness(counts: Counts) -> str:
    """Say what is wrong with a run that had no fault but broken links, or nothing."""
    expected = {"promotes": PROMOTES, "completed": PROMOTES, "cleanups": PROMOTES}
    wrong = [
        f"{name} is {getattr(counts, name)}, not {value}"
        for name, value in expected.items()
        if getattr(counts, name) != value
    ]
    zeros = (
        "failed",
        "open",
        "cold",
        "failed_sagas",
        "unclosed",
        "duplicate_terminals",
        "terminals_without_start",
        "foreign_completions",
        "version_gaps",
    )
    wrong += [f"{name} is {getattr(counts, name)}" for name in zeros if getattr(counts, name)]
    wrong += [
        f"{host} has {pool.size} of {pool.target} in its pool"
        for host, pool in counts.pool.items()
        if pool.size < pool.target
    ]
    return "; ".join(wrong)


def start_child(seeds: range, hash_seed: str) -> "subprocess.Popen[str]":
    """Start a process that judges seeds under another hash seed."""
    arguments = ["--seeds", f"{seeds.start}:{seeds.stop}", "--judge"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.determinism", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        text=True,
    )


def compare(seeds: range) -> list[str]:
    """Judge seeds in two processes at once; give a line for each seed that is not right."""
    children = [start_child(seeds, hash_seed) for hash_seed in HASH_SEEDS]
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
    parser.add_argument("--judge", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    first, _, last = options.seeds.partition(":")
    seeds = range(int(first), int(last))
    if options.judge:
        for seed in seeds:
            found = judge(seed)
            sys.stdout.write(f"{found.seed}\t{found.digest}\t{found.fault}\n")
        return 0
    problems = compare(seeds)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write(
        f"{len(seeds)} seeds of {PROMOTES} promotes, each run twice under each of "
        f"{len(HASH_SEEDS)} hash seeds: {len(problems)} problems\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
