"""Scripted faults: what a host can be told to do wrong, and how often."""

from collections.abc import Mapping
from enum import StrEnum


class Fault(StrEnum):
    """One way to misbehave."""

    CREATION_FAILED = "creation_failed"
    """The next window cannot be made."""

    CREATION_NEVER_READY = "creation_never_ready"
    """The next window is made, but never becomes ready."""

    MEMORY_PRESSURE = "memory_pressure"
    """The next spawn is refused: there is no memory for a spare window."""

    QUITTING = "quitting"
    """The next spawn is refused as if the host were about to quit."""

    PANE_CLOSING = "pane_closing"
    """The next spawn is refused as if a pane were being closed."""

    READY_WINDOW_DIES = "ready_window_dies"
    """A ready window of the pool dies, as soon as there is one."""

    OPEN_WINDOW_CRASHES = "open_window_crashes"
    """A user's window crashes, as soon as there is one."""

    WINDOW_VANISHES = "window_vanishes"
    """A ready window of the pool is gone and nobody is told: only a comparison finds it."""

    NO_ANSWER = "no_answer"
    """The next command is neither executed nor answered."""


class FaultError(ValueError):
    """There is no such fault, or its count is no count; names those that exist."""


class FaultScript:
    """How often each fault is still to happen.

    Args:
        counts: by name of the fault.

    Raises:
        FaultError: a name or a count is wrong.
    """

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self._counts: dict[Fault, int] = {}
        for name, count in (counts or {}).items():
            self.set(name, count)

    def set(self, name: str, count: int) -> None:
        """Let a fault happen `count` times from now on; 0 ends it.

        Raises:
            FaultError: there is no such fault, or the count is negative.
        """
        try:
            fault = Fault(name)
        except ValueError as error:
            msg = f"there is no fault {name!r}; there are {', '.join(Fault)}"
            raise FaultError(msg) from error
        if count < 0:
            msg = f"fault {name} cannot happen {count} times"
            raise FaultError(msg)
        self._counts.pop(fault, None)
        if count:
            self._counts[fault] = count

    def __bool__(self) -> bool:
        """Say whether any fault is still to happen."""
        return bool(self._counts)

    def is_set(self, fault: Fault) -> bool:
        """Say whether a fault is still to happen."""
        return fault in self._counts

    def strikes(self, fault: Fault) -> bool:
        """Say whether a fault happens now; if so, once less in future."""
        left = self._counts.get(fault)
        if left is None:
            return False
        if left == 1:
            del self._counts[fault]
        else:
            self._counts[fault] = left - 1
        return True

    def counts(self) -> dict[str, int]:
        """Give how often each fault is still to happen."""
        return {fault.value: count for fault, count in self._counts.items()}
