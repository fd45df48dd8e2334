"""What a watcher is told of an actor that crashed."""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActorDied:
    """Told to an actor's watcher when the actor ended by an exception.

    Attributes:
        name: under which the watcher started it.
    """

    name: Hashable
    error: BaseException
