"""Answers of a host's control socket, each to the one who asked."""

from typing import NamedTuple

from transport.codec import encode
from transport.messages import ActionDone, ActionRefused, Message


class Asker(NamedTuple):
    """Who asked for something: a connection of the control socket, and its question's number."""

    connection: bytes
    number: int


class Replies:
    """Answers that wait to be sent.

    Attributes:
        refusals: how many user actions were refused.
    """

    def __init__(self) -> None:
        self.refusals = 0
        self._waiting: list[tuple[bytes, bytes]] = []

    def say(self, connection: bytes, message: Message) -> None:
        """Answer with a message."""
        self._waiting.append((connection, encode(message)))

    def done(
        self,
        asker: Asker,
        now: int,
        *,
        label: str,
        promote_id: str | None = None,
        cold: bool = False,
    ) -> None:
        """Answer that a user action happened."""
        answer = ActionDone(
            number=asker.number, label=label, promote_id=promote_id, cold=cold, at_ns=now
        )
        self.say(asker.connection, answer)

    def refused(self, asker: Asker, reason: str) -> None:
        """Answer that a user action did not happen."""
        self.refusals += 1
        self.say(asker.connection, ActionRefused(number=asker.number, reason=reason[:1024]))

    def take(self) -> list[tuple[bytes, bytes]]:
        """Take out what waits: connections and frames."""
        waiting, self._waiting = self._waiting, []
        return waiting
