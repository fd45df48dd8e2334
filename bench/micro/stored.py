"""The figures of some sessions, as a file holds them."""

from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from bench.result import Environment, ResultError

SCHEMA: Final = 1
"""Rises when the file changes its form."""

STORED = Path(__file__).parent / "stored.json"
"""The result that is kept in the repository."""


class Figures(Struct, frozen=True, kw_only=True):
    """One benchmark: a value a session.

    Attributes:
        ns: the median of the session's rounds, for one operation, in nanoseconds.
        disk: it waits for the disk, so it is not scaled by the loop.
    """

    ns: list[float]
    disk: bool = False


class MicroResult(Struct, frozen=True, kw_only=True):
    """All benchmarks, and what they ran on.

    Attributes:
        calibration_ns: what the fixed loop took in each session, in nanoseconds.
    """

    schema: Literal[1] = SCHEMA
    environment: Environment
    calibration_ns: list[float]
    benchmarks: dict[str, Figures]


def write_result(path: Path, result: MicroResult) -> None:
    """Write a result to a file, in place of what was there.

    Raises:
        ResultError: the file cannot be written.
    """
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}: choose another place"
        raise ResultError(msg) from error


def read_result(path: Path) -> MicroResult:
    """Give a file's result.

    Raises:
        ResultError: it cannot be read, or is no such file.
    """
    remedy = "give a file that 'python -m bench micro --store FILE' wrote"
    try:
        return msgspec.json.decode(path.read_bytes(), type=MicroResult)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}: {remedy}"
        raise ResultError(msg) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no result of micro-benchmarks ({error}): {remedy}"
        raise ResultError(msg) from error
