"""Two copies of the checkout: one as it is, one with the listed modules compiled."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from setup import MODULES, SWITCH

ROOT = Path(__file__).parent.parent
BUILD_SECONDS = 600
LAST_LINES = 15
"""So much of a failed build's output is shown."""

LOADED = """\
import importlib, sys
for name in sys.argv[1:]:
    print(importlib.import_module(name).__file__)
"""


class BuildError(Exception):
    """The copies cannot be made, or are not what they should be; says why."""


@dataclass(frozen=True)
class Copies:
    """Directories with the checkout's tracked files, as they stand in its working tree."""

    interpreted: Path
    compiled: Path


@contextmanager
def copies() -> Iterator[Copies]:
    """Give both copies, the second compiled; then remove them.

    Raises:
        BuildError: see there.
    """
    with TemporaryDirectory(prefix="muxsaga-compiled-") as directory:
        made = Copies(Path(directory) / "interpreted", Path(directory) / "compiled")
        files = tracked_files()
        for copy in (made.interpreted, made.compiled):
            copy_files(files, copy)
        build(made.compiled)
        check_loaded(made.interpreted, ".py")
        check_loaded(made.compiled, ".so")
        yield made


def tracked_files() -> list[str]:
    """Give the names of the files that git knows, from the root of the checkout.

    Raises:
        BuildError: git cannot say.
    """
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - the user's git
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        msg = f"{ROOT} must be a git checkout, to know which files belong to it: {error}"
        raise BuildError(msg) from error
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_files(names: Iterable[str], target: Path) -> None:
    """Copy files of the checkout.

    Raises:
        BuildError: a module that is to be compiled is not among them.
    """
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    missing = [module for module in MODULES if not (target / module).is_file()]
    if missing:
        msg = f"setup.py lists {', '.join(missing)}, and git has no such file: correct the list"
        raise BuildError(msg)


def build(copy: Path) -> None:
    """Compile a copy in place.

    Raises:
        BuildError: with the end of what the build said.
    """
    for needed in ("mypyc", "setuptools"):
        if find_spec(needed) is None:
            msg = f"{needed} is not installed: pip install -e '.[test,lint]'"
            raise BuildError(msg)
    child = subprocess.Popen(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=copy,
        env={**environment(copy), SWITCH: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired as error:
        msg = f"the build was not done after {BUILD_SECONDS} s"
        raise BuildError(msg) from error
    finally:
        _end_session(child)
    if child.returncode:
        said = "\n".join(output.splitlines()[-LAST_LINES:])
        msg = f"the build failed with exit status {child.returncode}:\n{said}"
        raise BuildError(msg)


def _end_session(child: "subprocess.Popen[str]") -> None:
    """End a process with the compilers that it may have started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def check_loaded(copy: Path, suffix: str) -> None:
    """See from where a process in a copy loads the listed modules.

    Raises:
        BuildError: one is not the copy's, or not of this kind.
    """
    names = [module.removesuffix(".py").replace("/", ".") for module in MODULES]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *names],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"the modules in {copy} cannot be loaded: {done.stderr.strip()}"
        raise BuildError(msg)
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        file = Path(line).resolve()
        if not file.is_relative_to(copy.resolve()) or file.suffix != suffix:
            msg = f"{name} is loaded from {file}, where a {suffix} file in {copy} was expected"
            raise BuildError(msg)


def environment(copy: Path) -> dict[str, str]:
    """Give the environment of a process that is to use a copy, wherever it is started."""
    return {**os.environ, "PYTHONPATH": str(copy)}
