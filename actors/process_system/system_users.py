"""What the users of a system do: they promote, close and demote windows of its hosts."""

import time
from typing import Any

from actors.process_system.host_controls import Answer, Question
from actors.process_system.running_system import RunningSystem
from actors.process_system.system_error import ProcessSystemError
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    PromoteWindow,
)


class SystemUsers(RunningSystem):
    """The users' part of a `ProcessSystem`."""

    def promote(self, host: str) -> str:
        """Show a window of a host to its user, and give its label.

        Raises:
            ProcessSystemError: the host refuses, or does not answer in time.
        """
        return self._act(host, PromoteWindow)

    def close(self, host: str, label: str) -> None:
        """Close a window that a user sees; errors are those of `promote`."""
        self._act(host, CloseWindow, label=label)

    def demote(self, host: str, label: str) -> None:
        """Hand a window that a user sees back to its pool; errors are those of `promote`."""
        self._act(host, DemoteWindow, label=label)

    def inspect(self, host: str) -> dict[str, Any]:
        """Give everything that a host knows of itself.

        Raises:
            ProcessSystemError: it does not answer in time.
        """
        since, states = time.monotonic_ns(), self._loop.states
        found: list[dict[str, Any]] = []

        def answered() -> bool:
            states.ask([self._known(host)])
            state = states.state_of(host, since)
            found.extend([] if state is None else [state])
            return bool(found)

        self.wait_for(answered, f"{host} to say what it has")
        return found[0]

    def ask(self, host: str, question: Question, **fields: Any) -> int | None:
        """Ask a host something without waiting; give its number, or None if too much waits."""
        return self._loop.controls.ask(self._known(host), question, **fields)

    def take_answers(self) -> list[tuple[str, Answer]]:
        """Give what hosts answered that nobody took yet: who, and what."""
        return self._loop.take_answers()

    def _act(self, host: str, question: Question, **fields: Any) -> str:
        number = self.ask(host, question, **fields)
        found: list[Answer] = []

        def answered() -> bool:
            found.extend(
                answer
                for name, answer in self.take_answers()
                if name == host and answer.number == number
            )
            return bool(found)

        self.wait_for(answered, f"{host} to answer {question.__name__}")
        match found[0]:
            case ActionDone(label=label):
                return label
            case ActionRefused(reason=reason):
                msg = f"{host} refused {question.__name__}: {reason}"
            case other:
                msg = f"{host} answered {question.__name__} with {other}"
        raise ProcessSystemError(msg)
