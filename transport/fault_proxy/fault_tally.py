"""How many faults were carried out."""

from threading import Condition

from transport.fault_proxy.fault_kind import FaultKind


class FaultTally:
    """Counts faults by kind; any thread may read and wait."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(FaultKind, 0)
        self._risen = Condition()

    def add(self, kind: FaultKind) -> None:
        """Count one fault that hit something."""
        with self._risen:
            self._counts[kind] += 1
            self._risen.notify_all()

    def counts(self) -> dict[FaultKind, int]:
        """Give the number of faults of each kind that was carried out at all."""
        with self._risen:
            return {kind: count for kind, count in self._counts.items() if count}

    def wait_for(self, kind: FaultKind, count: int, *, seconds: float) -> bool:
        """Wait until so many faults of a kind were carried out; say whether they were in time."""
        with self._risen:
            return self._risen.wait_for(lambda: self._counts[kind] >= count, seconds)
