"""What a driver drives: hosts that promote on request, and an observer of what comes of it."""

from typing import Protocol

from bench.closed_loop import Completion, Taken


class Scene(Protocol):
    """One variant's hosts and events, seen from the driver's process.

    Raises (every method):
        VoidRunError: something happened that must not happen in a measured run.
    """

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether promotes may begin, waiting at most so long for news."""

    def promote(self, host: int) -> None:
        """Have the host of that index promote a window."""

    def answers(self) -> list[Taken]:
        """Give the hosts' answers that are there."""

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Give the promotes that are complete, waiting at most so long for one."""

    def close(self) -> None:
        """Close the sockets."""
