"""Window labels: `window-<epoch>-<number>`, so that one is unique for ever and can be compared.

A host numbers the windows of one epoch from 1, each number once. That lets the launcher remember
which labels are closed as a few ranges of numbers instead of every label that ever was.
"""

LABEL_PREFIX = "window-"


def window_label(epoch: str, number: int) -> str:
    """Give the label of the `number`-th window (from 1) that `epoch` made."""
    return f"{LABEL_PREFIX}{epoch}-{number}"


def window_number(label: str, epoch: str) -> int | None:
    """Give the number in a label of `epoch`, or None if it is not one of its labels."""
    head, _, digits = label.rpartition("-")
    if head != LABEL_PREFIX + epoch or not digits.isdecimal() or not digits.isascii():
        return None
    number = int(digits)
    return number if 1 <= number < 2**53 and digits[0] != "0" else None
