"""What the values of options may be; a wrong one is refused by argparse, which names the option."""

import math
import re
from argparse import ArgumentTypeError

HOST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_INTEGER = re.compile("-?[0-9]{1,19}")
"""What is longer is larger than anything that an option takes."""


def count_from(least: int, most: int = 1_000_000) -> "BoundedInteger":
    """Give the type of an integer option."""
    return BoundedInteger(least, most)


class BoundedInteger:
    """An integer between two bounds.

    Args:
        least: the smallest that is taken.
        most: the largest that is taken.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def __call__(self, text: str) -> int:
        """Give the integer that a text is."""
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None or not self._least <= value <= self._most:
            msg = f"{text!r} is no integer from {self._least} to {self._most}"
            raise ArgumentTypeError(msg)
        return value


def seconds(text: str) -> float:
    """Give a duration above zero."""
    value = _number(text)
    if not 0 < value <= 1_000_000:  # noqa: PLR2004
        msg = f"{text!r} is no number of seconds above 0 and up to 1000000"
        raise ArgumentTypeError(msg)
    return value


def rate(text: str) -> float:
    """Give a number of things a second, above zero."""
    value = _number(text)
    if not 0 < value <= 1_000_000:  # noqa: PLR2004
        msg = f"{text!r} is no rate above 0 and up to 1000000 a second"
        raise ArgumentTypeError(msg)
    return value


def saga_id(text: str) -> int:
    """Give the id of a saga."""
    return BoundedInteger(1, 2**63 - 1)(text)


def host_id(text: str) -> str:
    """Give the id of a host or service."""
    if HOST_ID.fullmatch(text) is None:
        msg = f"{text!r} is no id: use 1 to 64 letters, digits, '.', '_' or '-'"
        raise ArgumentTypeError(msg)
    return text


def fault(text: str) -> tuple[str, int]:
    """Give a fault's name and how often it strikes."""
    name, colon, times = text.partition(":")
    if not name or (colon and not _INTEGER.fullmatch(times)) or times.startswith("-"):
        msg = f"{text!r} is no NAME or NAME:COUNT"
        raise ArgumentTypeError(msg)
    return name, int(times) if colon else 1


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value
