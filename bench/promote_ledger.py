"""Every promote of a run: when it was due, taken from its pool, and complete.

Pure book-keeping: it is told what happened and when. What must not happen voids the run.
"""

from collections.abc import Hashable
from dataclasses import dataclass

Key = Hashable
"""What tells one promote from another: its promote id, or in the floor its number."""


class VoidRunError(Exception):
    """A run proves nothing: a promote was lost, failed, cold or doubled. Says which."""


@dataclass(frozen=True, slots=True)
class Start:
    """A promote that is to be made. `number`: from 0, in order."""

    number: int
    host: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A host's answer: a window left its pool.

    Attributes:
        number: of the promote's `Start`.
        at_ns: when, on the host's monotonic clock.
        cold: the pool was empty, so the window was made on demand.
    """

    number: int
    key: Key
    at_ns: int
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """An observer has the terminal event of a promote.

    Attributes:
        host: index of the host that promoted.
        at_ns: when the observer had it, decoded, on its monotonic clock.
    """

    key: Key
    host: int
    at_ns: int


class PromoteLedger:
    """What was started, taken from a pool, completed.

    Raises (every method):
        VoidRunError: what happened must not happen.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.started = 0
        self._taken: dict[Key, Taken] = {}
        self._completed: dict[Key, int] = {}

    def start(self, host: int) -> Start:
        """Give the next promote, to be made by a host."""
        start = Start(self.started, host)
        self.started += 1
        return start

    def taken(self, taken: Taken) -> None:
        """Note that a window left its pool."""
        if taken.cold:
            msg = f"promote {taken.key} found an empty pool"
            raise VoidRunError(msg)
        if taken.key in self._taken:
            msg = f"promote {taken.key} was answered twice"
            raise VoidRunError(msg)
        self._taken[taken.key] = taken

    def completed(self, completion: Completion) -> None:
        """Note that a promote is complete."""
        if completion.key in self._completed:
            msg = f"promote {completion.key} completed twice"
            raise VoidRunError(msg)
        if len(self._completed) == self.started:
            msg = f"promote {completion.key} completed, but nobody started it"
            raise VoidRunError(msg)
        self._completed[completion.key] = completion.at_ns

    @property
    def completions(self) -> int:
        """How many are complete."""
        return len(self._completed)

    @property
    def finished(self) -> bool:
        """Whether every promote was taken and completed."""
        return len(self._completed) == self.total == len(self._taken)

    def progress(self) -> str:
        """Give how far the run is, in words."""
        return (
            f"{self.total} promotes due, {self.started} started, "
            f"{len(self._taken)} answered, {len(self._completed)} completed"
        )

    def in_order(self) -> list[tuple[Taken, int]]:
        """Give every promote of a finished run with its completion, in the order of these."""
        if not self.finished or self._taken.keys() != self._completed.keys():
            msg = f"promotes were lost: {self.progress()}"
            raise VoidRunError(msg)
        if {taken.number for taken in self._taken.values()} != set(range(self.total)):
            msg = "a promote was taken twice in place of another"
            raise VoidRunError(msg)
        return [(self._taken[key], at) for key, at in self._completed.items()]
