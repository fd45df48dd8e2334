"""ZMTP bytes, split anywhere: frames are found, and spoiled and doubled, all the same."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.fault_proxy.direction_faults import DirectionFaults
from transport.fault_proxy.fault_kind import FaultKind
from transport.fault_proxy.fault_tally import FaultTally
from transport.fault_proxy.frame_faults import BROKEN_HEADER, FrameFaults
from transport.fault_proxy.zmtp_stream import COMMAND, LONG, MORE, Piece, PieceKind, ZmtpStream

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL".ljust(55, b"\0")

Frame = tuple[int, bytes]
frames = st.lists(
    st.tuples(
        st.sampled_from([0, MORE, LONG, LONG | MORE, COMMAND, COMMAND | LONG]),
        st.binary(max_size=20) | st.binary(min_size=250, max_size=300),
    ),
    max_size=8,
)
cuts = st.lists(st.integers(0, 3000), max_size=12)


def ready(kind: bytes) -> bytes:
    value = len(kind).to_bytes(4) + kind
    return frame(COMMAND, b"\x05READY\x0bSocket-Type" + value + b"\x08Identity" + bytes(4))


def frame(flags: int, body: bytes) -> bytes:
    if len(body) > 255:
        flags |= LONG
    return bytes([flags]) + len(body).to_bytes(8 if flags & LONG else 1) + body


def split(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place for place in at if place < len(data))})
    return [data[first:last] for first, last in pairwise(places)]


def messages(pieces: list[Piece]) -> list[list[bytes]]:
    """Give the messages in the pieces, and check where they are said to begin and end."""
    found: list[list[bytes]] = []
    whole = True
    for piece in pieces:
        if piece.kind is not PieceKind.MESSAGE:
            continue
        assert piece.starts_message == whole
        if piece.starts_message:
            found.append([])
        if piece.header:
            found[-1].append(b"")
        found[-1][-1] += piece.data[piece.header :]
        whole = piece.ends_message
    return found


def sent(given: list[Frame]) -> list[list[bytes]]:
    found: list[list[bytes]] = []
    whole = True
    for flags, body in given:
        if flags & COMMAND:
            continue
        if whole:
            found.append([])
        found[-1].append(body)
        whole = not flags & MORE
    return found


@given(frames, cuts)
def test_messages_are_found_wherever_the_bytes_are_split(given: list[Frame], at: list[int]) -> None:
    data = GREETING + ready(b"DEALER") + b"".join(frame(*each) for each in given)
    stream = ZmtpStream()
    pieces = [piece for part in split(data, at) for piece in stream.feed(part)]
    assert b"".join(piece.data for piece in pieces) == data
    assert messages(pieces) == sent(given)


def test_subscriptions_of_a_subscriber_are_told_from_messages_at_every_split() -> None:
    subscription, message = frame(0, b"\x01topic"), frame(0, b"message")
    for kind, expected in ((b"SUB", 1), (b"XSUB", 1), (b"DEALER", 2)):
        data = GREETING + ready(kind) + subscription + message
        for at in range(len(data)):
            stream = ZmtpStream()
            pieces = [piece for part in split(data, [at]) for piece in stream.feed(part)]
            assert len(messages(pieces)) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\n" * 9, id="another protocol"),
        pytest.param(b"\xff" + bytes(99), id="no signature"),
        pytest.param(GREETING[:10] + b"\x01" + bytes(53) + frame(0, b"old"), id="ZMTP 2"),
        pytest.param(GREETING + b"\xf0" + bytes(20), id="reserved flags"),
    ],
)
def test_what_is_no_zmtp_passes_untouched(data: bytes) -> None:
    for at in range(len(data)):
        stream = ZmtpStream()
        pieces = [piece for part in split(data, [at]) for piece in stream.feed(part)]
        assert b"".join(piece.data for piece in pieces) == data
        assert not messages(pieces)


def test_faults_at_messages_do_the_same_at_every_split() -> None:
    head = GREETING + ready(b"DEALER")
    first = frame(MORE, b"") + frame(MORE, b"one") + frame(0, b"x" * 300)
    spoiled = frame(MORE, b"") + frame(MORE, b"\xc1ne") + frame(0, b"\xc1" + b"x" * 299)
    command, second, last = frame(COMMAND, b"\x04PING"), frame(0, b"two"), frame(0, b"three")
    data = head + first + command + second + second + last
    expected = (
        head + spoiled * 2 + command + second * 2 + second + BROKEN_HEADER + b"three" + second
    )
    for at in range(len(data)):
        tally = FaultTally()
        faults = DirectionFaults(Random(1), tally)
        faults.order(FaultKind.CORRUPT, 2)
        faults.order(FaultKind.DUPLICATE, 2)
        spoiler = FrameFaults(faults)
        parts = split(data[: -len(last)], [at])
        passed = b"".join([spoiler.pass_on(part) for part in parts])
        faults.order(FaultKind.BREAK_FRAMING, 1)
        passed += b"".join([spoiler.pass_on(part) for part in split(last, [at % len(last)])])
        faults.order(FaultKind.CORRUPT, 1)
        passed += spoiler.pass_on(second)
        assert passed == expected
        assert tally.counts() == {
            FaultKind.CORRUPT: 2,
            FaultKind.BREAK_FRAMING: 1,
            FaultKind.DUPLICATE: 2,
        }
