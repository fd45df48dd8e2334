"""Bugs put in on purpose: what each patch is, and the product's code with one of them in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
PATCHES = Path(__file__).parent / "planted_bugs"
PACKAGES = ("actors", "transport", "host_sim")
SOURCES_ONLY = shutil.ignore_patterns("__pycache__", "*.so")
"""A compiled module would hide the source that a patch changes."""


class PatchError(Exception):
    """A patch cannot be put in; says which, and why."""


@dataclass(frozen=True)
class PlantedBug:
    """A bug as test data.

    Attributes:
        name: of its file.
        words: what is wrong, as the patch's first line says it.
        file: that it changes, from the root of the repository.
        removed, added: the lines that it takes out and puts in.
    """

    name: str
    words: str
    file: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    path: Path


def planted_bugs() -> list[PlantedBug]:
    """Give every bug there is, by name."""
    return [_read(path) for path in sorted(PATCHES.glob("*.patch"))]


def _read(path: Path) -> PlantedBug:
    words, *lines = path.read_text().splitlines()
    files = [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ ")]
    body = [line for line in lines if not line.startswith(("+++ ", "--- "))]
    return PlantedBug(
        name=path.stem,
        words=words,
        file=", ".join(files),
        removed=tuple(line[1:] for line in body if line.startswith("-")),
        added=tuple(line[1:] for line in body if line.startswith("+")),
        path=path,
    )


@contextmanager
def copy_of_the_product(*names: str) -> Iterator[Path]:
    """Give a directory with a copy of the packages, and of what else is named; then remove it."""
    with TemporaryDirectory(prefix="planted-bug-") as directory:
        for name in (*PACKAGES, *names):
            source, target = ROOT / name, Path(directory) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=SOURCES_ONLY)
            else:
                shutil.copy(source, target)
        yield Path(directory)


def put_in(bug: PlantedBug, copy: Path) -> None:
    """Put a bug into a copy of the product.

    Raises:
        PatchError: the patch does not apply.
    """
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(bug.path)],  # noqa: S607 - the user's git
        cwd=copy,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"{bug.name}.patch does not apply: {done.stderr.strip()}"
        raise PatchError(msg)
