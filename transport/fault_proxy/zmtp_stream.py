"""ZMTP 3 out of bytes, without I/O: where messages and their frames begin and end.

The protocol is <https://rfc.zeromq.org/spec/23/> (3.0) and <https://rfc.zeromq.org/spec/37/> (3.1):
a greeting of 64 bytes, then frames, each a byte of flags, a size of 1 or 8 bytes, and a body. A
frame is a command (READY, SUBSCRIBE, PING and the like) or a part of a message.

Nothing is held that could be given: a large body comes out as it comes in. Only the beginning of a
frame waits until it is whole, its first byte of body included, so that whoever wants to change a
frame finds header and first byte in one piece.
"""

from enum import Enum, auto
from typing import NamedTuple

GREETING_SIZE = 64
MORE, LONG, COMMAND = 1, 2, 4
FLAGS = MORE | LONG | COMMAND
SHORT_HEADER, LONG_HEADER = 2, 9

_VERSION_AT = 10
_READY = b"\x05READY"
_SUBSCRIBERS = (b"\x0bSocket-Type\x00\x00\x00\x03SUB", b"\x0bSocket-Type\x00\x00\x00\x04XSUB")
_SUBSCRIPTIONS = (0, 1)
_READY_LIMIT = 1024


class PieceKind(Enum):
    """What a piece of the stream belongs to."""

    GREETING = auto()
    COMMAND = auto()
    SUBSCRIPTION = auto()
    """A message of a SUB or XSUB that subscribes or unsubscribes, as ZMTP 3.0 has them."""

    MESSAGE = auto()
    OPAQUE = auto()
    """No ZMTP 3, or no longer."""


class Piece(NamedTuple):
    """Some neighbouring bytes of the stream, all of one frame.

    Attributes:
        kind: what they belong to.
        data: the bytes, as they came.
        header: how many of them are the frame's header; 0 where a frame goes on. A header is
            never without the first byte of its frame's body, if there is one.
        starts_message: whether a message begins here.
        ends_message: whether a message ends here.
    """

    kind: PieceKind
    data: bytes
    header: int = 0
    starts_message: bool = False
    ends_message: bool = False


class ZmtpStream:
    """One direction of one connection, from its first byte on."""

    def __init__(self) -> None:
        self._kept = b""
        self._greeting = b""
        self._opaque = False
        self._kind = PieceKind.GREETING
        self._body_left = 0
        self._more = False
        self._in_message = False
        self._ready: bytes | None = b""
        self._subscriber = False

    def feed(self, data: bytes) -> list[Piece]:
        """Give the pieces that the next bytes make; joined, they are all bytes but those kept."""
        if self._kept:
            data, self._kept = self._kept + data, b""
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            piece = self._next(data, at)
            if piece is None:
                self._kept = data[at:]
                break
            pieces.append(piece)
            at += len(piece.data)
        return pieces

    def give_up(self) -> None:
        """Take whatever comes from now on as opaque."""
        self._opaque = True

    def _next(self, data: bytes, at: int) -> Piece | None:
        if self._opaque:
            return Piece(PieceKind.OPAQUE, data[at:])
        if len(self._greeting) < GREETING_SIZE:
            return self._greeting_piece(data[at : at + GREETING_SIZE - len(self._greeting)])
        if self._body_left:
            return self._body_piece(data[at : at + self._body_left])
        return self._first_piece(data, at)

    def _greeting_piece(self, part: bytes) -> Piece:
        self._greeting += part
        if len(self._greeting) > _VERSION_AT:
            first, last, version = (self._greeting[index] for index in (0, 9, _VERSION_AT))
            self._opaque = not (first == 0xFF and last & 1 and version >= 3)  # noqa: PLR2004
        return Piece(PieceKind.GREETING, part)

    def _first_piece(self, data: bytes, at: int) -> Piece | None:
        flags = data[at]
        if flags & ~FLAGS:
            self._opaque = True
            return Piece(PieceKind.OPAQUE, data[at:])
        header = LONG_HEADER if flags & LONG else SHORT_HEADER
        size = int.from_bytes(data[at + 1 : at + header])
        if len(data) - at < header + (size > 0):
            return None
        starts = self._begin_frame(flags, data[at + header] if size else None)
        part = data[at : at + header + size]
        return self._piece(part, header, size, starts_message=starts)

    def _begin_frame(self, flags: int, first: int | None) -> bool:
        """Take a frame's kind from its flags and first byte; say whether a message begins."""
        if flags & COMMAND:
            self._kind = PieceKind.COMMAND
            return False
        self._more = bool(flags & MORE)
        if self._subscriber and not self._in_message and first in _SUBSCRIPTIONS:
            self._kind = PieceKind.SUBSCRIPTION
            return False
        self._kind = PieceKind.MESSAGE
        return not self._in_message

    def _body_piece(self, part: bytes) -> Piece:
        return self._piece(part, 0, self._body_left, starts_message=False)

    def _piece(self, part: bytes, header: int, body_left: int, *, starts_message: bool) -> Piece:
        self._body_left = body_left - (len(part) - header)
        ends_frame = self._body_left == 0
        if self._kind is PieceKind.COMMAND:
            self._read_command(part[header:], ends_frame=ends_frame)
            return Piece(self._kind, part, header)
        if self._kind is PieceKind.SUBSCRIPTION:
            return Piece(self._kind, part, header)
        ends_message = ends_frame and not self._more
        self._in_message = not ends_message
        return Piece(self._kind, part, header, starts_message, ends_message)

    def _read_command(self, part: bytes, *, ends_frame: bool) -> None:
        """Learn from READY, which comes once and first, whether a subscriber is speaking."""
        if self._ready is None:
            return
        self._ready = (self._ready + part)[:_READY_LIMIT]
        if ends_frame:
            if self._ready.startswith(_READY):
                self._subscriber = any(each in self._ready for each in _SUBSCRIBERS)
            self._ready = None if self._subscriber else b""
