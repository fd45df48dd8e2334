"""What option values may be."""

from argparse import ArgumentTypeError
from collections.abc import Callable


def number(least: int, most: int) -> Callable[[str], int]:
    """Give a reader of numbers in a range; it refuses anything else by value."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            msg = f"{text!r} is no number from {least} to {most}"
            raise ArgumentTypeError(msg)
        return int(text)

    return read
