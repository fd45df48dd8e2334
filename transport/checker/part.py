"""What every part of a checker has in common."""

from transport.checker.told import Told
from transport.history_lines import (
    BeginsLine,
    FaultLine,
    HostEndLine,
    HostLine,
    LogLine,
    OutageLine,
    ProcessLine,
    SagaLine,
    TimeoutsLine,
    TruncatedLine,
)

Seen = (
    Told
    | HostLine
    | HostEndLine
    | ProcessLine
    | FaultLine
    | OutageLine
    | TimeoutsLine
    | SagaLine
    | LogLine
    | TruncatedLine
    | BeginsLine
)
"""A line of a history, an event's taken apart."""


class Part:
    """Judges some of the invariants, line by line."""

    def take(self, number: int, line: Seen) -> None:
        """Take the next line, with its number from 1."""

    def finish(self) -> None:
        """Judge what only shows at the end."""
