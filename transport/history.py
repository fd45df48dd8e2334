"""The history file: what observers were told and what hosts really did, as JSON lines.

One map a line; its `kind` says which of the classes here it is. It is what every check of a run
reads, whether the run was simulated, real or a user's.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta, Struct

from transport.codec import Codec
from transport.event_stream.event_map import event_map
from transport.event_stream.items import Batch, Truncated
from transport.frame_fault import FrameError
from transport.messages import CommandIdentity, Recorded

Nanoseconds = Annotated[int, Meta(ge=0)]
"""A monotonic clock's time; one machine's processes share that clock."""


class EventLine(Struct, frozen=True, tag_field="kind", tag="event", forbid_unknown_fields=True):
    """An event as an observer was handed it. `event`: the wire's map."""

    at_ns: Nanoseconds
    observer: str
    event: dict[str, Any]


class HostLine(Struct, frozen=True, tag_field="kind", tag="host"):
    """What a host really did, by its own record; a host may record more fields than these.

    Attributes:
        did: `promoted` (with `promote_id`, `cold`), `ready` (a window is; with `identity`), ...
        identity: of the command that the window was made for; nil if for none.
    """

    at_ns: Nanoseconds
    host: str
    epoch: str
    did: str
    label: str | None = None
    promote_id: str | None = None
    cold: bool = False
    identity: CommandIdentity | None = None


class ProcessLine(Struct, frozen=True, tag_field="kind", tag="process"):
    """What became of a process: `did` is `started`, `ended`, `killed`, ..."""

    at_ns: Nanoseconds
    name: str
    pid: int
    did: str


class OpenBracket(Struct, frozen=True, forbid_unknown_fields=True):
    """A bracket that was open where a history begins."""

    saga_id: int
    name: str


class TruncatedLine(
    Struct, frozen=True, tag_field="kind", tag="truncated", forbid_unknown_fields=True
):
    """An observer was told that history before version `before` cannot be had.

    Attributes:
        open: the brackets that were open there; they count as started.
    """

    at_ns: Nanoseconds
    observer: str
    before: int
    open: tuple[OpenBracket, ...] = ()


class BeginsLine(Struct, frozen=True, tag_field="kind", tag="begins", forbid_unknown_fields=True):
    """A history goes on with a log: what came up to version `after` is not of it.

    Attributes:
        open: the brackets that were open there: each must close once, and counts for nothing else.
    """

    at_ns: Nanoseconds
    observer: str
    after: int
    open: tuple[OpenBracket, ...] = ()


HistoryLine = EventLine | HostLine | ProcessLine | TruncatedLine | BeginsLine
"""Any line of a history."""


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
