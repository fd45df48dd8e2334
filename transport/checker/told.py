"""An event as an observer was told it, and which versions were ever told."""

from array import array
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from transport.history import HistoryError
from transport.history_lines import EventLine


class Told(Struct, frozen=True):
    """An event line, taken apart; the event's own fields stay as they are on the wire.

    Attributes:
        first: nobody was told this version before.
        host, epoch, sequence: of the report that it came of; empty and 0 for none.
    """

    at_ns: int
    observer: str
    type: str
    version: int
    saga_id: int | None
    host: str
    epoch: str
    sequence: int
    fields: dict[str, Any]
    first: bool

    @property
    def label(self) -> str:
        """Its label; empty if it has none."""
        label = self.fields.get("label", "")
        return label if isinstance(label, str) else ""

    def __str__(self) -> str:
        return f"version {self.version} ({self.type})"


class _Head(Struct, frozen=True):
    type: str
    version: int
    saga_id: int | None = None
    origin: tuple[str, str, int] | None = None


_ordered = msgspec.json.Encoder(order="sorted")


class Ledger:
    """Which versions were told, to whomever, and as what; eight bytes a version and a line number.

    Attributes:
        highest: version that was told.
        first: version that was told.
    """

    def __init__(self) -> None:
        self.highest = 0
        self.first: int | None = None
        self._base = 0
        self._digests = array("Q")
        self._numbers = array("Q")
        self._apart: dict[int, tuple[int, int]] = {}

    def note(self, number: int, version: int, event: dict[str, Any]) -> tuple[bool, int | None]:
        """Say whether a version is new, and if not, which line told it differently."""
        digest = int.from_bytes(blake2b(_ordered.encode(event), digest_size=8).digest(), "big")
        before = self._told_before(version)
        if before is not None:
            return False, before[1] if before[0] != digest else None
        self.highest = max(self.highest, version)
        self.first = version if self.first is None else min(self.first, version)
        if not self._digests:
            self._base = version
        if version == self._base + len(self._digests):
            self._digests.append(digest)
            self._numbers.append(number)
        else:
            self._apart[version] = (digest, number)
        return True, None

    def is_whole_from(self, version: int) -> bool:
        """Say whether every version from one on was told."""
        return len(self._digests) + len(self._apart) == self.highest - version + 1

    def _told_before(self, version: int) -> tuple[int, int] | None:
        index = version - self._base
        if 0 <= index < len(self._digests):
            return self._digests[index], self._numbers[index]
        return self._apart.get(version)


def take_apart(number: int, line: EventLine, *, first: bool) -> Told:
    """Give an event line as what is judged.

    Raises:
        HistoryError: the line's map is no event; names the line.
    """
    head = head_of(number, line)
    host, epoch, sequence = head.origin or ("", "", 0)
    return Told(
        at_ns=line.at_ns,
        observer=line.observer,
        type=head.type,
        version=head.version,
        saga_id=head.saga_id,
        host=host,
        epoch=epoch,
        sequence=sequence,
        fields=line.event,
        first=first,
    )


def head_of(number: int, line: EventLine) -> _Head:
    """Give what every event has.

    Raises:
        HistoryError: the line's map is no event; names the line.
    """
    try:
        return msgspec.convert(line.event, _Head)
    except msgspec.ValidationError as error:
        msg = f"line {number}: the map of an event: {error}"
        raise HistoryError(msg) from error
