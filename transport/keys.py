"""The keys of CURVE links, as values: who one is, and whom one expects to meet.

CURVE is libzmq's (<https://rfc.zeromq.org/spec/25/>). A key is 32 bytes, written as 40 characters
of Z85 (<https://rfc.zeromq.org/spec/32/>). A value of this module never shows a secret key.
"""

import string
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

KEY_LENGTH = 40
"""How many characters of Z85 a key has."""

_DIGITS = (
    string.digits + string.ascii_lowercase + string.ascii_uppercase + ".-:+=^!/*?&<>()[]{}@%$#"
)
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_GROUP = 5
_LARGEST_GROUP = 2**32 - 1


def is_key(text: str) -> bool:
    """Say whether a text is a key: 40 characters of Z85 that stand for 32 bytes."""
    if len(text) != KEY_LENGTH or not all(character in _VALUES for character in text):
        return False
    return all(
        _number(text[begin : begin + _GROUP]) <= _LARGEST_GROUP
        for begin in range(0, KEY_LENGTH, _GROUP)
    )


def _number(group: str) -> int:
    number = 0
    for digit in group:
        number = number * len(_DIGITS) + _VALUES[digit]
    return number


class Domain(StrEnum):
    """A socket to which keys are admitted: its ZAP domain (<https://rfc.zeromq.org/spec/27/>)."""

    LINK = "link"
    EVENTS = "events"
    QUERY = "query"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A process's own keys, in Z85. `secret` is in no `repr`."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What a socket that connects needs.

    Attributes:
        own: who it is.
        server: the public key of whom it wants to meet, and nobody else.
    """

    own: KeyPair
    server: str


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """What a process that binds needs.

    Attributes:
        own: who it is.
        allow: file of the allow list, which says whose keys may connect.
    """

    own: KeyPair
    allow: Path


@dataclass(frozen=True, slots=True)
class DomainKeys:
    """What a socket that binds needs: who it is, and whom to admit."""

    own: KeyPair
    domain: Domain
