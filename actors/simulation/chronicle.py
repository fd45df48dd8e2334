"""What happened in a simulated world: the lines of its history, as they come."""

from collections import Counter
from typing import Any

from msgspec.structs import replace

from actors.outcome_text import summary_of
from actors.simulation.machine_clock import MachineClock
from transport.event_stream.items import Batch, Item, NewHistory, Truncated
from transport.history import host_line, lines_of
from transport.history_lines import (
    EventLine,
    FaultLine,
    HistoryLine,
    HostLine,
    OutageLine,
    ProcessLine,
    TruncatedLine,
)
from transport.virtual_clock import VirtualClock


class Chronicle:
    """Writes a world's history.

    Args:
        clock: has the true time.

    Attributes:
        lines: of the history so far.
        complaints: what no line can say: engines that crashed unasked.
        promoted: how many promotes each host did.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.lines: list[HistoryLine] = []
        self.complaints: list[str] = []
        self.promoted: Counter[str] = Counter()
        self._clock = clock

    def note_process(self, name: str, did: str) -> None:
        """Record what became of a process."""
        self.lines.append(ProcessLine(self._clock.now, name, 0, did))

    def note_fault(self, line: FaultLine) -> None:
        """Record a fault."""
        self.lines.append(line)

    def note_outage(self, reason: str) -> None:
        """Record that the log cannot be written, or with no reason, that it can again."""
        self.lines.append(OutageLine(self._clock.now, "began" if reason else "ended", reason))

    def note_peer(self, raw: dict[str, Any]) -> HostLine:
        """Record what a host or service did, and give the line."""
        line = host_line({**raw, "at_ns": self._clock.now})
        if line.did == "promoted":
            self.promoted[line.host] += 1
        self.lines.append(line)
        return line

    def note_told(self, observer: str, clock: MachineClock, item: Item) -> None:
        """Record what an observer was handed, by its machine's clock."""
        if isinstance(item, NewHistory):
            self.complaints.append(f"{observer} was told of another log, {item.log}")
        if not isinstance(item, Batch | Truncated):
            return
        for line in lines_of(item, observer):
            assert isinstance(line, EventLine | TruncatedLine)  # noqa: S101 - it gives no others
            at_ns = min(self._clock.now, clock.true(line.at_ns))
            self.lines.append(replace(line, at_ns=at_ns))

    def engine_crashed(self, error: Exception) -> None:
        """Complain of an engine that crashed."""
        reason = summary_of(error.__cause__ or error)
        self.complaints.append(f"the engine crashed at {self._clock.now} ns: {reason}")
