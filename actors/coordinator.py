"""The coordinator: the one actor through which every saga's bracket opens and closes.

What can happen to sagas is told to it, one message after another; `SagaBrackets` decides.
"""

from types import TracebackType
from typing import Any

from actors.coordinator_parts import CoordinatorParts
from actors.dispatched_actor import DispatchedActor
from actors.saga_brackets import SagaBrackets


class CoordinatorCrashedError(RuntimeError):
    """The engine cannot go on; its cause is the coordinator's exception."""


class Coordinator(DispatchedActor):
    """Runs every saga of a launcher."""

    def __init__(self, parts: CoordinatorParts) -> None:
        super().__init__()
        self._parts = parts
        self._brackets = SagaBrackets(parts, self.actor_ref)

    def on_receive(self, message: Any) -> None:
        """Take one message; see `actors.coordinator_messages`."""
        if not self._brackets.take(message):
            super().on_receive(message)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the error for the engine, which cannot go on without its coordinator."""
        del exception_type, traceback
        self._parts.failure = exception_value
