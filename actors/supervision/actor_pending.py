"""Requests to a supervisor whose answer has to wait for a child."""

from collections.abc import Hashable
from typing import Any

from actors.supervision.actor_answers import Answer
from actors.supervision.child_spec import ExitReason
from actors.supervision.supervisor_errors import NotRunningError, SupervisionError

Waiting = dict[Hashable, list[Answer]]


class StartFailedError(SupervisionError):
    """A child, or a supervisor, could not be started.

    Its `__cause__` is what the constructor or `on_start` raised.

    Attributes:
        name: of the child.
        reason: why not.
    """

    def __init__(self, name: Hashable, reason: ExitReason) -> None:
        super().__init__(f"{name!r} was not started: {reason}")
        self.name = name
        self.reason = reason
        self.__cause__ = reason.error


class PendingRequests:
    """Who waits for which child.

    Attributes:
        starts: for its start.
        ends: for its end.
    """

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: Waiting = {}
        self.ends: Waiting = {}

    def settle_starts(self, name: Hashable, child: Any) -> None:
        """Answer those who waited for a child's start."""
        for answer in self.starts.pop(name, ()):
            answer.set(child)

    def refuse_starts(self, name: Hashable, reason: ExitReason) -> None:
        """Tell those who waited for a child's start that there is none."""
        for answer in self.starts.pop(name, ()):
            _raise(answer, StartFailedError(name, reason))

    def settle_ends(self, name: Hashable) -> None:
        """Answer those who waited for a child's end."""
        for answer in self.ends.pop(name, ()):
            answer.set(None)

    def end(self, reason: ExitReason) -> None:
        """Answer everybody: the supervisor is over, and so are its children."""
        for name in tuple(self.ends):
            self.settle_ends(name)
        for answers in self.starts.values():
            for answer in answers:
                error = NotRunningError()
                error.add_note(f"the supervisor ended meanwhile: {reason}")
                _raise(answer, error)
        self.starts.clear()


def _raise(answer: Answer, error: SupervisionError) -> None:
    answer.set_exception((type(error), error, error.__traceback__))
