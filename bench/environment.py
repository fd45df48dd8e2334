"""What a benchmark ran on: without it, a figure means nothing."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import zmq

from bench.calibration import calibrate, commit_cost
from bench.machine_code import check_machine_code, is_compiled
from bench.result import Environment

LIBRARIES = ("pykka", "pyzmq", "msgpack", "msgspec", "hdrhistogram")
REPOSITORY = Path(__file__).parent.parent


class Surroundings:
    """Takes down what a benchmark runs on: made before it, asked after it.

    Args:
        command: the arguments of `python -m bench`.

    Raises:
        ResultError: compiled modules are older than their sources.
    """

    def __init__(self, command: Sequence[str]) -> None:
        check_machine_code()
        self._command = list(command)
        self._began = datetime.now(UTC).isoformat(timespec="seconds")
        self._load = os.getloadavg()
        self._revision = _revision()
        self._commit = commit_cost()
        self._calibration = calibrate()

    def environment(self) -> Environment:
        """Give everything, with the load and the calibration of this moment."""
        return Environment(
            began=self._began,
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
            python=platform.python_version(),
            libraries={
                **{name: version(name) for name in LIBRARIES},
                "libzmq": zmq.zmq_version(),
                "sqlite": sqlite3.sqlite_version,
            },
            revision=self._revision,
            compiled=is_compiled(),
            load_before=self._load,
            load_after=os.getloadavg(),
            calibration_before=self._calibration,
            calibration_after=calibrate(),
            commit=self._commit,
            command=self._command,
        )


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
