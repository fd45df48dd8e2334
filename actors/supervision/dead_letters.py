"""Dead letters: messages that no actor will handle. They are counted, and may be listened to."""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Protocol

from pykka import ActorDeadError

logger = logging.getLogger("muxsaga")


class Tellable(Protocol):
    """Whoever can be told something: a `Handle`, or a Pykka `ActorRef`."""

    def tell(self, message: Any) -> None:
        """Take a message."""


class DeadLetterCause(StrEnum):
    """Why nobody will handle a message."""

    GONE = "gone"
    """Its receiver is over for good."""

    RESTARTING = "restarting"
    """Its receiver was between two incarnations, and drops what it is told then."""

    OVERFLOW = "overflow"
    """Its receiver's mailbox was full."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a subscriber is told.

    Attributes:
        recipient: the name of the receiver's handle.
    """

    message: Any
    recipient: Hashable
    cause: DeadLetterCause


class DeadLetters:
    """Counts dead letters, and tells its subscribers of each.

    Attributes:
        count: how many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()
        self._subscribers: tuple[Tellable, ...] = ()

    def subscribe(self, subscriber: Tellable) -> None:
        """Tell a subscriber of each dead letter from now on; one that is dead is dropped."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)

    def unsubscribe(self, subscriber: Tellable) -> None:
        """Tell a subscriber no more."""
        with self._lock:
            self._subscribers = tuple(each for each in self._subscribers if each is not subscriber)

    def add(self, letter: DeadLetter) -> None:
        """Count a dead letter; from any thread."""
        with self._lock:
            self.count += 1
            subscribers = self._subscribers
        if isinstance(letter.message, DeadLetter):
            return
        for subscriber in subscribers:
            try:
                subscriber.tell(letter)
            except ActorDeadError:
                self.unsubscribe(subscriber)
            except Exception:
                logger.exception("A subscriber of the dead letters raised:")
