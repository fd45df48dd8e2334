"""A run's history file: what its observer was handed and what each host did, by their time."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec


class _Time(msgspec.Struct):
    at_ns: int


_time_of = msgspec.json.Decoder(_Time).decode

TimedLine = tuple[int, bytes]


def merge_histories(observed: Path, did: Sequence[Path], destination: Path) -> None:
    """Write several histories into one file, by their time; the order within each is kept.

    Args:
        observed: lines of a history, taken as they are.
        did: lines of what hosts did, taken as they are.
        destination: what was in it is replaced.
    """
    sources = map(_timed_lines, (observed, *did))
    with destination.open("wb") as file:
        file.writelines(line for _, line in heapq.merge(*sources, key=lambda timed: timed[0]))


def _timed_lines(path: Path) -> Iterator[TimedLine]:
    for line in _whole_lines(path):
        yield _time_of(line).at_ns, line


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Give a file's lines; a last one that is cut off is of a process that was killed."""
    if not path.exists():
        return
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))
