"""Judges a simulated run by the checker that every history is judged by."""

from collections.abc import Sequence

from msgspec import Struct

from transport.checker import Rules, check
from transport.history_lines import HistoryLine


class Violation(Struct, frozen=True):
    """Something that must not be.

    Attributes:
        invariant: its number; 0 for what is wrong with the run and not with its history.
        message: what is wrong, in a sentence.
        lines: the lines of the history that prove it.
    """

    invariant: int
    message: str
    lines: tuple[HistoryLine, ...] = ()


def judge(lines: Sequence[HistoryLine], rules: Rules | None = None) -> list[Violation]:
    """Give everything that is wrong with a history; `rules`: what its sagas do."""
    return [
        Violation(int(each.invariant), each.message, tuple(line for _, line in each.lines))
        for each in check(lines, rules)
    ]
