"""Spoils and doubles messages in one direction of one connection, without I/O."""

from transport.fault_proxy.direction_faults import DirectionFaults
from transport.fault_proxy.fault_kind import FaultKind
from transport.fault_proxy.zmtp_stream import LONG_HEADER, Piece, PieceKind, ZmtpStream

NEVER_USED = b"\xc1"
"""The one byte that MessagePack gives no meaning: no message can begin with it."""

BROKEN_HEADER = b"\xff" * LONG_HEADER
"""Reserved flags and a size that nobody can allocate. libzmq overlooks such flags, not the size."""


class FrameFaults:
    """Follows a stream and carries out what its direction is ordered to suffer.

    Args:
        faults: the orders.
    """

    def __init__(self, faults: DirectionFaults) -> None:
        self._faults = faults
        self._stream = ZmtpStream()
        self._copy: list[bytes] | None = None

    def pass_on(self, data: bytes) -> bytes:
        """Give what is to be delivered for these bytes; it may be nothing yet."""
        pieces = self._stream.feed(data)
        if self._copy is None and not self._faults.any_at_messages:
            return b"".join([piece.data for piece in pieces])
        return b"".join([self._spoiled(piece) for piece in pieces])

    def _spoiled(self, piece: Piece) -> bytes:
        if piece.kind is not PieceKind.MESSAGE:
            return piece.data
        if piece.header and self._faults.use(FaultKind.BREAK_FRAMING):
            self._stream.give_up()
            return BROKEN_HEADER + piece.data[piece.header :]
        data = piece.data
        if 0 < piece.header < len(data) and self._faults.use(FaultKind.CORRUPT):
            data = data[: piece.header] + NEVER_USED + data[piece.header + 1 :]
        return self._doubled(piece, data)

    def _doubled(self, piece: Piece, data: bytes) -> bytes:
        if piece.starts_message and self._faults.is_ordered(FaultKind.DUPLICATE):
            self._copy = []
        if self._copy is None:
            return data
        self._copy.append(data)
        if not piece.ends_message:
            return data
        copy, self._copy = self._copy, None
        if not self._faults.use(FaultKind.DUPLICATE):
            return data
        return b"".join([data, *copy])
