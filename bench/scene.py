"""What a driver drives: hosts that promote on request, and an observer of what comes of it."""

from typing import NamedTuple, Protocol

from bench.promote_ledger import Completion, Key, Start, Taken


class PromoteEvents(NamedTuple):
    """Which events a promote brought: its saga, and the versions of its trigger and terminal."""

    saga_id: int
    trigger: int
    terminal: int


class Scene(Protocol):
    """One variant's hosts and events, seen from the driver's process.

    Raises (every method):
        VoidRunError: something happened that must not happen in a measured run.
    """

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether promotes may begin, waiting at most so long for news."""

    def promote(self, start: Start) -> None:
        """Have a host promote a window."""

    def answers(self) -> list[Taken]:
        """Give the hosts' answers that are there."""

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Give the promotes that are complete, waiting at most so long for one."""

    def violations(self) -> list[str]:
        """Give what was wrong with everything that was observed, in words."""

    def events_of(self, key: Key) -> PromoteEvents | None:
        """Give which events a promote brought; None where events have no versions."""

    def close(self) -> None:
        """Close the sockets."""
