"""One bad frame, and what docs/protocol.md says of it."""

from dataclasses import dataclass
from typing import Any

import msgpack

TOO_LARGE_BYTES = 1024 * 1024 + 1
NESTING = 1_025


@dataclass(frozen=True, slots=True)
class BadFrame:
    """A frame that is refused: with which fault, and with which sequence of reports."""

    frame: bytes
    fault: str
    sequence: int | None = None


def bad(message: Any, fault: str, sequence: int | None = None) -> BadFrame:
    """Give a value that is no good message as a frame."""
    return BadFrame(msgpack.packb(message), fault, sequence)


def fault_of_noise(frame: bytes) -> str:
    """Give the fault of bytes that are a message by no chance."""
    if len(frame) >= TOO_LARGE_BYTES:
        return "too_large"
    try:
        value = msgpack.unpackb(frame, strict_map_key=False)
    except (ValueError, TypeError, msgpack.UnpackException):
        return "not_messagepack"
    if _has_strange_key(value):
        return "not_messagepack"
    if not isinstance(value, dict):
        return "not_a_map"
    return "unknown_type" if "type" in value else "missing_field"


def _has_strange_key(value: object) -> bool:
    if isinstance(value, dict):
        return any(
            not isinstance(key, str) or _has_strange_key(inner) for key, inner in value.items()
        )
    return isinstance(value, list) and any(map(_has_strange_key, value))
