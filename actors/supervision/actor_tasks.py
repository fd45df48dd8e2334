"""How everything that concerns one supervision tree comes to be done in one thread, in order.

A whole tree, nested supervisors included, is one actor: supervisors wait for nothing, so they
share a thread without ever being in each other's way, and a supervisor costs no thread.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random
from threading import get_ident
from typing import Protocol

from actors.dispatcher import Dispatcher
from actors.supervision.actor_answers import Answer
from actors.supervision.dead_letters import DeadLetters
from actors.supervision.mailbox_options import SupervisionMessage
from actors.supervision.stuck_actors import StuckBudget

Task = Callable[[], None]


@dataclass(frozen=True, slots=True)
class SupervisorTask(SupervisionMessage):
    """Told to a supervisor's actor: something to do.

    Attributes:
        answer: of whoever waits for it.
    """

    task: Task
    answer: Answer | None = None


class TaskActor(Protocol):
    """The actor that a tree is."""

    def post(self, task: SupervisorTask) -> None:
        """Have the actor do a task; from any thread."""

    def set_timer(self, key: Hashable, due: int, task: SupervisorTask) -> None:
        """Have the actor do a task at `due`; a timer of the same key is replaced."""

    def cancel_timer(self, key: Hashable) -> None:
        """Make sure that a timer does not fire."""


class TaskLoop:
    """Does the tasks of a tree, one after the other: what a task brings about, after it.

    Attributes:
        thread: of the tree's actor.
    """

    def __init__(self, actor: TaskActor) -> None:
        self.actor = actor
        self.thread = get_ident()
        self._is_busy = False
        self._next: deque[Task] = deque()

    def do(self, task: Task) -> None:
        """Have something done that was found out in whatever thread."""
        if self._is_busy and get_ident() == self.thread:
            self._next.append(task)
        else:
            self.actor.post(SupervisorTask(task))

    def run(self, task: Task) -> None:
        """Do something, and what comes of it; only in the tree's thread."""
        if self._is_busy:
            self._next.append(task)
            return
        self._is_busy = True
        try:
            task()
            while self._next:
                self._next.popleft()()
        finally:
            self._is_busy = False


@dataclass(frozen=True, slots=True)
class SupervisionOptions:
    """What a whole tree shares.

    Attributes:
        dispatcher: where dispatched children run that name no other; None if there is none.
        clock: in nanoseconds; a tree on a dispatcher takes the dispatcher's.
        generator: for the jitter of the backoff.
    """

    dead_letters: DeadLetters
    stuck: StuckBudget
    generator: Random
    dispatcher: Dispatcher | None = None
    clock: Callable[[], int] = time.monotonic_ns
