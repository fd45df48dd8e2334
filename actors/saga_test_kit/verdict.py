"""What the checker says of a system at the end of a test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from transport.checker import Rules, check
from transport.history_lines import HistoryLine

LINES_SHOWN = 6
LINE_LENGTH = 240
"""How much of the proof of a violation is told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a system's course; nothing if `complaints` is empty.

    Attributes:
        complaints: each with the lines of the history that prove it.
        lines: the whole history.
    """

    complaints: tuple[str, ...]
    lines: Sequence[HistoryLine]

    def __str__(self) -> str:
        return "\n".join(self.complaints)


def judged(lines: Sequence[HistoryLine], rules: Rules, troubles: Iterable[str]) -> Verdict:
    """Judge a history.

    Args:
        lines: the whole of it.
        rules: what its sagas do.
        troubles: what else is wrong.
    """
    complaints = list(troubles)
    for violation in check(lines, rules):
        head = f"invariant {int(violation.invariant)}, {violation.invariant.title}"
        proof = [f"    line {number}: {_short(line)}" for number, line in violation.lines]
        if len(proof) > LINES_SHOWN:
            proof[LINES_SHOWN:] = [f"    and {len(proof) - LINES_SHOWN} more"]
        complaints.append("\n".join([f"{head}: {violation.message}", *proof]))
    return Verdict(tuple(complaints), lines)


def _short(line: HistoryLine) -> str:
    text = msgspec.json.encode(line).decode()
    return text if len(text) <= LINE_LENGTH else text[:LINE_LENGTH] + "..."
