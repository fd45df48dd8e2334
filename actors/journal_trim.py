"""How a journal is kept short: its oldest blobs are folded into a snapshot, step by step.

A step is a tenth of what is kept, or four times as many events as the snapshot has rows where that
is more, for each step writes all of these. Whatever the state's size, one commit does a bounded
part of it: first the blobs are folded, a few at a time; then the snapshot's rows are written beside
those that readers see; with the last of them the new snapshot takes the place of the old one, and
what is not seen any more is swept out. So an observer has the time of many commits to read one
snapshot and go on from there, and no commit holds the launcher for long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded, SnapshotRow

FOLDED_A_COMMIT = 64
"""About how many events one commit folds into the snapshot, at most, beside twice those it adds."""

WRITTEN_A_COMMIT = 256
"""How many rows of the snapshot one commit writes, at most."""

EVENTS_A_ROW = 4
"""A step has at least so many events for each row of the snapshot that it replaces."""


class Phase(Enum):
    """What a step is about."""

    RESTING = auto()
    FOLDING = auto()
    WRITING = auto()


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that a commit is to write. `first`: the number of the first one, from 0."""

    first: int
    rows: Sequence[SnapshotRow]


class JournalTrim:
    """Decides what to fold and what to write.

    Args:
        keep: how many events the journal keeps, at least.
        snapshot: what the journal stands on.
        rows_shown: how many rows that has.

    Attributes:
        snapshot: as far as it is folded.
        shown: `before` of the snapshot that readers see.
    """

    def __init__(self, keep: int, snapshot: Snapshot, rows_shown: int = 0) -> None:
        self.snapshot = snapshot
        self.shown = snapshot.before
        self._keep = keep
        self._rows_shown = rows_shown
        self._phase = Phase.RESTING
        self._goal = 0
        self._rows: Iterator[SnapshotRow] = iter(())
        self._written = 0

    def is_due(self, last: int) -> bool:
        """Say whether a commit has a part to do, with the journal's last version."""
        return self._phase is not Phase.RESTING or self._is_too_long(last)

    def advance(self, last: int, added: int, blobs: Iterator[list[Recorded]]) -> Written:
        """Do one commit's part; give the rows that it is to write, mostly none.

        Where `shown` has changed after this, those were the last ones of a snapshot.

        Args:
            last: the journal's last version.
            added: how many events this commit adds.
            blobs: the events of its blobs, from the first one that is not folded yet.
        """
        if self._phase is Phase.RESTING and self._is_too_long(last):
            self._goal = last - self._keep + 1
            self._phase = Phase.FOLDING
        if self._phase is Phase.FOLDING and self._fold(blobs, FOLDED_A_COMMIT + 2 * added):
            if self.snapshot.before == self.shown:
                self._phase = Phase.RESTING
            else:
                self._begin_writing()
        if self._phase is not Phase.WRITING:
            return Written(0, ())
        written = Written(self._written, list(islice(self._rows, WRITTEN_A_COMMIT)))
        self._written += len(written.rows)
        if len(written.rows) < WRITTEN_A_COMMIT:
            self._phase = Phase.RESTING
            self.shown = self.snapshot.before
            self._rows_shown = self._written
        return written

    def not_committed(self, shown: int) -> None:
        """Take it that a commit failed, with the rows it was to write.

        Args:
            shown: what the journal shows in truth.
        """
        if self._phase is Phase.WRITING or self.shown != shown:
            self.shown = shown
            self._begin_writing()

    def _begin_writing(self) -> None:
        self._phase = Phase.WRITING
        self._rows = self.snapshot.rows()
        self._written = 0

    def _is_too_long(self, last: int) -> bool:
        step = max(1, self._keep // 10, EVENTS_A_ROW * self._rows_shown)
        return last - self.shown + 1 > self._keep + step

    def _fold(self, blobs: Iterator[list[Recorded]], most: int) -> bool:
        """Fold some of the oldest blobs; say whether the goal is reached."""
        folded = 0
        while folded < most:
            events = next(blobs, None)
            if events is None or events[-1].version >= self._goal:
                return True
            self.snapshot.fold(events)
            folded += len(events)
        return False
