"""How a journal is kept short: its oldest blobs are folded into a snapshot, step by step.

A step is a tenth of what is kept. Its blobs are folded a bounded number at each commit, and only a
finished step is shown to readers, so that an observer has the time of many commits to read one
snapshot and go on from there.
"""

from collections.abc import Iterator

from transport.event_stream.snapshot import Snapshot
from transport.messages import Recorded

FOLDED_A_COMMIT = 512
"""About how many events one commit folds into the snapshot, at most."""


class JournalTrim:
    """Decides what to fold, and folds it.

    Args:
        keep: how many events the journal keeps, at least.
        snapshot: what the journal stands on.

    Attributes:
        snapshot: as far as it is folded; what readers see is the last finished step.
    """

    def __init__(self, keep: int, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._keep = keep
        self._shown = snapshot.before
        self._goal: int | None = None

    def fold(self, last: int, blobs: Iterator[list[Recorded]]) -> bool:
        """Fold some of the oldest blobs if there are too many; say whether a step is finished.

        Args:
            last: the journal's last version.
            blobs: the events of its blobs, from the first one that is not folded yet.
        """
        if self._goal is None and last - self._shown + 1 <= self._keep + max(1, self._keep // 10):
            return False
        if self._goal is None:
            self._goal = last - self._keep + 1
        folded = 0
        while folded < FOLDED_A_COMMIT:
            events = next(blobs, None)
            if events is None or events[-1].version >= self._goal:
                self._goal = None
                self._shown = self.snapshot.before
                return True
            self.snapshot.fold(events)
            folded += len(events)
        return False
