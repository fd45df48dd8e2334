"""The kinds of bad frame: how each is named in an answer, and how each is counted."""

from collections import Counter
from enum import StrEnum


class FrameFault(StrEnum):
    """Why a frame, or a report in it, was not taken."""

    NOT_MESSAGEPACK = "not_messagepack"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    NOT_A_MAP = "not_a_map"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    WRONG_PROTOCOL = "wrong_protocol"
    NOT_REGISTERED = "not_registered"
    WRONG_ROLE = "wrong_role"
    NOT_ALLOWED = "not_allowed"
    SERVICE_TAKEN = "service_taken"
    OUT_OF_TURN = "out_of_turn"
    FOREIGN_SAGA = "foreign_saga"
    CONTRADICTION = "contradiction"
    POISONOUS = "poisonous"
    LINK_DROPPED = "link_dropped"


DETAIL_LIMIT = 1024
"""How many characters of what was wrong are told; `Refused.detail` has no more."""


class FrameError(ValueError):
    """A frame cannot be taken.

    Attributes:
        fault: the kind.
        detail: what was wrong and where, for the sender's author: printable characters, at most
            1,024. A frame's own words may be quoted in it, and those may be anything.
    """

    def __init__(self, fault: FrameFault, detail: str) -> None:
        self.fault = fault
        self.detail = _printable(detail[:DETAIL_LIMIT])[:DETAIL_LIMIT]
        super().__init__(f"{fault}: {self.detail}")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    escaped = (repr(each)[1:-1] if not each.isprintable() else each for each in text)
    return "".join(escaped)


FaultCounts = Counter[FrameFault]
"""How many bad frames of each kind were seen."""
