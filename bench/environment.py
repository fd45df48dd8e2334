"""What a benchmark ran on: without it, a figure means nothing."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import zmq

LIBRARIES = ("pykka", "pyzmq", "msgpack", "msgspec")
REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine and the software.

    Attributes:
        cores: how many this process may run on.
        revision: of the repository; with `-dirty` where files differ from it or are not in it.
    """

    cpu: str
    cores: int
    kernel: str
    python: str
    libzmq: str
    libraries: dict[str, str]
    revision: str

    @classmethod
    def here(cls) -> "Environment":
        """Give this process's own."""
        return cls(
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
            python=platform.python_version(),
            libzmq=zmq.zmq_version(),
            libraries={name: version(name) for name in LIBRARIES},
            revision=_revision(),
        )


def load() -> tuple[float, float, float]:
    """Give the load averages of the last 1, 5 and 15 minutes."""
    return os.getloadavg()


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()


def _revision() -> str:
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - the callers give literals
        ["git", *arguments],  # noqa: S607 - whichever git the user has
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()
