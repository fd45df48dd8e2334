"""What hosts say of themselves, asked for again and again while it is waited for."""

import time
from collections.abc import Iterable
from typing import Any

from actors.process_system.host_controls import HostControls
from actors.process_system.host_ends import host_end_line
from transport.history_lines import HostEndLine
from transport.messages import HostState, InspectHost

ASK_SECONDS = 0.1
"""How often a host is asked at most."""


class HostStates:
    """The last answer of each host to `InspectHost`. It belongs to one thread.

    Args:
        controls: asks the hosts; whoever takes the answers hands them to `take`.
    """

    def __init__(self, controls: HostControls) -> None:
        self._controls = controls
        self._answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self._ask_at: dict[str, float] = {}

    def ask(self, hosts: Iterable[str]) -> None:
        """Ask hosts, unless they were just asked."""
        now = time.monotonic()
        for host in hosts:
            if now >= self._ask_at.get(host, 0.0):
                self._ask_at[host] = now + ASK_SECONDS
                self._controls.ask(host, InspectHost)

    def take(self, host: str, answer: HostState) -> None:
        """Take what a host says of itself."""
        self._answers[host] = time.monotonic_ns(), answer.state

    def state_of(self, host: str, since: int = 0) -> dict[str, Any] | None:
        """Give the last that a host said of itself, if it came at that monotonic time or later."""
        at_ns, state = self._answers.get(host, (0, {}))
        return state if state and at_ns >= since else None

    def host_ends(self) -> list[HostEndLine]:
        """Give what hosts have, as far as they said so."""
        return [host_end_line(state, at_ns) for at_ns, state in self._answers.values()]
