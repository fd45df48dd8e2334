"""What is random: epochs, and frames that no codec made: random, cut off, too large, too deep."""

from random import Random

import msgpack

from tests.malformed_frames.bad_frame import (
    NESTING,
    TOO_LARGE_BYTES,
    BadFrame,
    bad,
    fault_of_noise,
)

LONGEST_NOISE = 200
ARRAY_OF_ONE = b"\x91"
NIL = b"\xc0"
NO_UTF8 = b"\xff\xfe"


def any_epoch(random: Random) -> str:
    """Give an epoch, which is 128 random bits."""
    return f"{random.getrandbits(128):032x}"


def random_bytes(random: Random) -> BadFrame:
    """Give bytes that mean nothing, or an array, a number or a map by chance."""
    frame = random.randbytes(random.choice([0, 1, 2, random.randrange(LONGEST_NOISE)]))
    return BadFrame(frame, fault_of_noise(frame))


def cut_off(random: Random, frame: bytes) -> BadFrame:
    """Give the beginning of a good frame."""
    return BadFrame(frame[: random.randrange(len(frame))], "not_messagepack")


def continued(random: Random, frame: bytes) -> BadFrame:
    """Give a good frame with something after it."""
    return BadFrame(frame + random.randbytes(random.randrange(1, 5)), "not_messagepack")


def not_utf8() -> BadFrame:
    """Give a message with a string that is no text."""
    mark = "??"
    frame = msgpack.packb({"type": "Ping", "last": 0, mark: 0})
    return BadFrame(frame.replace(mark.encode(), NO_UTF8), "not_messagepack")


def no_string_key() -> BadFrame:
    """Give a map with a key that is a number."""
    return bad({"type": "Ping", 7: 0}, "not_messagepack")


def too_deep() -> BadFrame:
    """Give arrays within arrays."""
    return BadFrame(ARRAY_OF_ONE * NESTING + NIL, "too_deep")


def too_large() -> BadFrame:
    """Give a message that would be good if it were smaller, one byte over the limit."""
    message = {"type": "Ping", "last": ""}
    filling = TOO_LARGE_BYTES - len(msgpack.packb(message)) - 4
    frame: bytes = msgpack.packb({**message, "last": "x" * filling})
    assert len(frame) == TOO_LARGE_BYTES
    return BadFrame(frame, "too_large")
