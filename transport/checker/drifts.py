"""Invariant 8: what a host finds wrong in the launcher's view of its pool is told once, and mended.

A drift that is told names everything that differs, so it may name labels that were told before; but
one of them at least is new, or something was told of that window since.
"""

from collections.abc import Iterator

from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.told import Told


class Drifts(Part):
    """The labels that drifted, each with the line that told so."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._told: dict[tuple[str, str, str], int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(type="PoolDriftReported", first=True):
                self._drifted(number, line)
            case Told(first=True) if self._told and line.label:
                self._told.pop((line.host, line.epoch, line.label), None)
            case _:
                pass

    def _drifted(self, number: int, told: Told) -> None:
        keys = [(told.host, told.epoch, label) for label in _labels_of(told)]
        before = [self._told.setdefault(key, number) for key in keys]
        if before and number not in before:
            message = f"{told} tells again of a drift of {told.host} that was told before"
            self._findings.violated(Invariant.POOL, message, max(before), number)


def _labels_of(told: Told) -> Iterator[str]:
    for side in ("missing", "surplus"):
        labels = told.fields.get(side)
        if isinstance(labels, list | tuple):
            yield from map(str, labels)
