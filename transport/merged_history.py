"""One history file out of several: what observers were handed, what hosts did, by their time."""

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec


class _Time(msgspec.Struct):
    at_ns: int


_time_of = msgspec.json.Decoder(_Time).decode

TimedLine = tuple[int, bytes]


def merge_histories(parts: Sequence[Path], destination: Path) -> None:
    """Write several histories into one file, by their time; the order within each is kept.

    Args:
        parts: lines of histories, taken as they are; a file that is not there has none.
        destination: what was in it is replaced.
    """
    sources = map(_timed_lines, parts)
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
