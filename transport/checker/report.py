"""What a check comes to."""

from collections.abc import Iterable
from enum import IntEnum

from msgspec import Struct

from transport.history_lines import HistoryLine

MOST_VIOLATIONS = 100
"""How many violations of one invariant are told; the others are counted."""


class Invariant(IntEnum):
    """What must always hold, by its number."""

    BRACKETS = 1
    ORDER = 2
    CORRELATION = 3
    COMPLETED_MEANS_DONE = 4
    WRITE_AHEAD = 5
    IDS = 6
    VERSIONS = 7
    POOL = 8
    LIVENESS = 9

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name.lower().replace("_", " ")


class Violation(Struct, frozen=True):
    """Something that must not be.

    Attributes:
        message: what is wrong, in words.
        lines: what proves it: numbers from 1, and the lines.
    """

    invariant: Invariant
    message: str
    lines: tuple[tuple[int, HistoryLine], ...] = ()


class Unjudged(Struct, frozen=True):
    """Something that the history has no proof for or against."""

    invariant: Invariant
    reason: str


class Report(Struct, frozen=True):
    """What a history was found to be.

    Attributes:
        violations: in the order of their invariants, then of the lines.
        unjudged: what could not be judged, and why.
        omitted: how many violations more there are of an invariant than are told.
        line_count: of the history.
    """

    violations: tuple[Violation, ...]
    unjudged: tuple[Unjudged, ...]
    omitted: dict[Invariant, int]
    line_count: int


class Findings:
    """Collects what is found, each once, whoever of the observers it was seen by."""

    def __init__(self) -> None:
        self._found: dict[Invariant, dict[str, tuple[int, ...]]] = {}
        self._omitted: dict[Invariant, int] = {}
        self._unjudged: dict[Unjudged, None] = {}

    def violated(self, invariant: Invariant, message: str, *numbers: int | None) -> None:
        """Note a violation, and the numbers of the lines that prove it."""
        found = self._found.setdefault(invariant, {})
        if message in found:
            return
        if len(found) >= MOST_VIOLATIONS:
            self._omitted[invariant] = self._omitted.get(invariant, 0) + 1
            return
        found[message] = tuple(sorted({number for number in numbers if number}))

    def unjudged(self, invariant: Invariant, reason: str) -> None:
        """Note what cannot be judged."""
        self._unjudged[Unjudged(invariant, reason)] = None

    def report(self, lines: Iterable[HistoryLine], line_count: int) -> Report:
        """Give the report; `lines` is gone through once more if there is something to prove."""
        wanted = {
            number
            for found in self._found.values()
            for numbers in found.values()
            for number in numbers
        }
        proof = _lines_of(lines, wanted) if wanted else {}
        violations = [
            Violation(invariant, message, tuple((each, proof[each]) for each in numbers))
            for invariant in Invariant
            for message, numbers in self._found.get(invariant, {}).items()
        ]
        unjudged = sorted(self._unjudged, key=lambda each: each.invariant)
        return Report(tuple(violations), tuple(unjudged), self._omitted, line_count)


def _lines_of(lines: Iterable[HistoryLine], wanted: set[int]) -> dict[int, HistoryLine]:
    last = max(wanted)
    proof = {}
    for number, line in enumerate(lines, 1):
        if number in wanted:
            proof[number] = line
        if number >= last:
            break
    return proof
