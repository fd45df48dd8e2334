"""The history file: what observers were told and what hosts really did, as JSON lines.

One map a line; its `kind` says which class of `transport.history_lines` it is. It is what every
check of a run reads, whether the run was simulated, real or a user's.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from transport.codec import Codec
from transport.event_stream.event_map import event_map
from transport.event_stream.items import Batch, Truncated
from transport.frame_fault import FrameError
from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostLine,
    OpenBracket,
    TruncatedLine,
)
from transport.messages import Recorded


class HistoryError(ValueError):
    """A line of a history file cannot be read; says which, and why."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(HistoryLine)


def lines_of(item: Batch | Truncated, observer: str) -> list[HistoryLine]:
    """Give the lines of what an observer was handed."""
    if isinstance(item, Truncated):
        brackets = (OpenBracket(each.saga_id, each.name) for each in item.snapshot.groups.groups())
        return [TruncatedLine(item.at_ns, observer, item.before, tuple(brackets))]
    return [EventLine(item.at_ns, observer, event_map(event)) for event in item.events]


def host_line(record: dict[str, Any]) -> HostLine:
    """Give the line of a host's own record.

    Raises:
        HistoryError: a field that `HostLine` has is missing or of another type.
    """
    try:
        return msgspec.convert(record, HostLine)
    except msgspec.ValidationError as error:
        msg = f"a host's record {record!r}: {error}"
        raise HistoryError(msg) from error


def recorded(line: EventLine, codec: Codec) -> Recorded:
    """Give the event of a line.

    Raises:
        HistoryError: the map is no event.
    """
    try:
        return codec.decode_event(line.event)
    except FrameError as error:
        msg = f"observer {line.observer!r} at {line.at_ns} ns: {error}"
        raise HistoryError(msg) from error


class HistoryWriter:
    """Appends lines to a history file; usable as a context manager."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def write(self, lines: Iterable[HistoryLine]) -> None:
        """Append lines."""
        self._file.writelines(_encoder.encode(line) + b"\n" for line in lines)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_history(path: Path) -> Iterator[HistoryLine]:
    """Give the lines of a history file, one by one.

    Raises:
        HistoryError: a line is no history line; names file, line number and what is wrong.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            try:
                yield _decoder.decode(text)
            except (msgspec.DecodeError, UnicodeError) as error:
                msg = f"{path}, line {number}: {error}"
                raise HistoryError(msg) from error


class HistoryFile:
    """A history file that can be gone through again and again, line by line.

    Going through it raises `HistoryError` and `OSError` as `read_history` does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[HistoryLine]:
        return read_history(self._path)
