"""Compiles a copy of the checkout, and sees that it behaves as the interpreted one, byte by byte.

    python -m tests.compiled
    python -m tests.compiled --seeds 0:200 --faults cruel
    python -m tests.compiled --tests

Two copies of the tracked files are made in a temporary directory, and the modules that setup.py
lists are compiled in one of them (half a minute; needs a C compiler and the extra `lint`). Then
both run the same simulated systems, and the histories of each seed must be equal.

`--tests` then runs the test suite on the compiled copy, which takes as long as it always does. The
tests that replace or count a compiled module's functions, or subclass its classes, skip themselves
there; bugs that are put in on purpose are put into an interpreted copy.

Exit status: 0 equal, 1 a difference or a failed test, 2 not built or wrong usage, 130 interrupted.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from actors.profile_files import ProfileError
from actors.simulation import read_profile, run_seed
from actors.simulation.campaign import begin_worker
from actors.simulation.world import json_lines
from setup import MODULES
from tests.compiled_copy import BuildError, Copies, copies, environment

PROFILES = ("calm", "cruel")
SECONDS_A_SEED = 10
"""That a run may take; about fifty times what one takes on an idle core."""

SHOWN = 200
"""So many characters of lines that differ are shown."""


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        modules: how many were compiled.
        histories: how many were compared.
        differences: one line each.
        tests: exit status of the test suite; None where it was not run.
    """

    modules: int
    histories: int
    differences: list[str]
    tests: int | None


def first_difference(interpreted: bytes, compiled: bytes) -> str | None:
    """Say where two histories differ first; None if they are equal."""
    if interpreted == compiled:
        return None
    ones, others = interpreted.splitlines(), compiled.splitlines()
    number = next(
        (
            index
            for index, (one, other) in enumerate(zip(ones, others, strict=False))
            if one != other
        ),
        min(len(ones), len(others)),
    )
    one, other = (
        lines[number][:SHOWN].decode() if number < len(lines) else "no such line"
        for lines in (ones, others)
    )
    return f"line {number + 1}: interpreted {one!r}, compiled {other!r}"


def play(seeds: range, profiles: Sequence[str], directory: Path) -> None:
    """Run systems in this process; leave each history in a file, and print its name when done."""
    begin_worker()
    signal.alarm(60 + SECONDS_A_SEED * len(seeds) * len(profiles))
    for profile in profiles:
        for seed in seeds:
            run = run_seed(seed, read_profile(profile))
            found = [f"{each.invariant}: {each.message}\n".encode() for each in run.violations]
            name = f"{profile} seed {seed}"
            (directory / name).write_bytes(b"".join([*json_lines(run.lines), *found]))
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()


def differences(made: Copies, seeds: range, profiles: Sequence[str]) -> Iterator[str | None]:
    """Run systems in both copies at once; give a line for each that differs, else None.

    Raises:
        BuildError: a copy did not run every system.
    """
    with TemporaryDirectory(prefix="muxsaga-histories-") as directory:
        children = []
        try:
            for copy in (made.interpreted, made.compiled):
                histories = Path(directory) / copy.name
                histories.mkdir()
                children.append(_start(copy, histories, seeds, profiles))
            for profile in profiles:
                for seed in seeds:
                    name = f"{profile} seed {seed}"
                    yield _compared(name, Path(directory), made, children)
        finally:
            for child in children:
                child.kill()
                child.communicate()


def _start(
    copy: Path, histories: Path, seeds: range, profiles: Sequence[str]
) -> "subprocess.Popen[str]":
    arguments = ["--seeds", f"{seeds.start}:{seeds.stop}", "--play", str(histories)]
    for profile in profiles:
        arguments += ["--faults", profile]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.compiled", *arguments],
        cwd=copy,
        env=environment(copy),
        stdout=subprocess.PIPE,
        text=True,
    )


def _compared(
    name: str, directory: Path, made: Copies, children: Sequence["subprocess.Popen[str]"]
) -> str | None:
    histories = []
    for copy, child in zip((made.interpreted, made.compiled), children, strict=True):
        assert child.stdout is not None
        if child.stdout.readline() != f"{name}\n":
            msg = f"the {copy.name} copy ended at {name}; what it said is above"
            raise BuildError(msg)
        file = directory / copy.name / name
        histories.append(file.read_bytes())
        file.unlink()
    difference = first_difference(*histories)
    return None if difference is None else f"{name}: {difference}"


def run_tests(copy: Path) -> int:
    """Run the test suite on a copy, its output on standard error; give its exit status."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=copy,
        env=environment(copy),
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        child.wait()
        raise


def carry_out(seeds: range, profiles: Sequence[str], *, tests: bool) -> Outcome:
    """Build, compare, and run the tests if wanted.

    Raises:
        BuildError: the copies could not be made or run.
    """
    _say(f"compiling {len(MODULES)} modules")
    with copies() as made:
        found: list[str] = []
        total = len(seeds) * len(profiles)
        for number, difference in enumerate(differences(made, seeds, profiles), 1):
            if difference is not None:
                found.append(difference)
                _say(difference)
            if number % 10 == 0 or number == total:
                _say(f"{number}/{total} systems, {len(found)} differ")
        return Outcome(len(MODULES), total, found, run_tests(made.compiled) if tests else None)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def seeds_of(text: str) -> range:
    """Read A:B as the seeds from A on and below B.

    Raises:
        argparse.ArgumentTypeError: it is no such text, or no seed.
    """
    first, _, last = text.partition(":")
    seeds = range(int(first), int(last)) if first.isdecimal() and last.isdecimal() else range(0)
    if not seeds:
        msg = f"{text!r} names no seed: give A:B, the first and the one after the last, as 0:20"
        raise argparse.ArgumentTypeError(msg)
    return seeds


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compiled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--seeds",
        type=seeds_of,
        default=range(20),
        metavar="A:B",
        help="half open; default 0:20",
    )
    add(
        "--faults",
        action="append",
        metavar="PROFILE",
        help=f"default: {' and '.join(PROFILES)}",
    )
    add("--tests", action="store_true", help="run the test suite on the compiled copy too")
    add("--json", action="store_true", help="print one JSON document")
    add("--play", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.faults = options.faults or PROFILES
    try:
        for profile in options.faults:
            read_profile(profile)
    except ProfileError as error:
        parser.error(str(error))
    return options


def main() -> int:
    """Run the command."""
    options = _options()
    if options.play is not None:
        play(options.seeds, options.faults, options.play)
        return 0
    try:
        outcome = carry_out(options.seeds, options.faults, tests=options.tests)
    except BuildError as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    if options.json:
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
    else:
        sys.stdout.writelines(f"{each}\n" for each in outcome.differences)
        sys.stdout.write(
            f"{outcome.modules} modules compiled; {outcome.histories} histories compared, "
            f"{len(outcome.differences)} differ\n"
        )
    return 1 if outcome.differences or outcome.tests else 0


if __name__ == "__main__":
    sys.exit(main())
