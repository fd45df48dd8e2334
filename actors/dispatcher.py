"""The dispatcher: many actors, one thread, one message at a time.

A thread an actor costs half a millisecond to start and a thread switch per message, and stops near
twenty thousand actors. Here a `tell` between two actors of one dispatcher is two appends. The owner
of the dispatcher decides when actors run, by calling `run_until_idle`; that makes the order of
everything a function of the messages, and of `choose` where a simulator wants other orders.

Rejected: an asyncio loop per process (no control over the order, and a second scheduler beside the
poll loop), a thread pool (an actor's turns would need locks, and no run could be repeated).
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock, get_ident
from typing import Any

from pykka import Actor, ActorDeadError, ActorRef

from actors.pykka_internals import CONTROL_MESSAGES, Envelope, handle_receive

Choice = Callable[[int], int]
"""Given how many actors are ready, the index of the one that goes next."""


@dataclass(frozen=True, slots=True)
class ActorDied:
    """Told to an actor's watcher when the actor ended by an exception.

    Attributes:
        name: under which the watcher started it.
    """

    name: Hashable
    error: BaseException


@dataclass(slots=True)
class DispatcherStatistics:
    """What a dispatcher did so far.

    Attributes:
        turns: messages handled.
        started, stopped, crashed: actors.
        dead_letters: messages that no actor handled.
    """

    turns: int = 0
    started: int = 0
    stopped: int = 0
    crashed: int = 0
    dead_letters: int = 0


class Dispatcher:
    """Runs the actors that were started on it, in the thread that made it.

    Args:
        choose: picks the next actor among the ready ones; by default the one ready longest.
        wake: called, from another thread, when that thread told an actor something: it should
            make the owner call `run_until_idle` soon.
    """

    def __init__(
        self, choose: Choice | None = None, wake: Callable[[], None] | None = None
    ) -> None:
        self.statistics = DispatcherStatistics()
        self.owner = get_ident()
        self.current: Mailbox | None = None
        self._choose = choose
        self._wake = wake
        self._ready: deque[Mailbox] = deque()
        self._arrivals: deque[tuple[Mailbox, Envelope[Any]]] = deque()
        self._arrivals_lock = Lock()
        self._closed = False
        self._next_number = 0

    def next_number(self) -> int:
        """Give the next actor's number, from 1."""
        self._next_number += 1
        return self._next_number

    def run_until_idle(self, turn_limit: int | None = None) -> int:
        """Let actors handle messages until none has any, and say how many they handled.

        Args:
            turn_limit: stop after that many turns.
        """
        turns = 0
        ready = self._ready
        while turn_limit is None or turns < turn_limit:
            if self._arrivals:
                self._admit_arrivals()
            if not ready:
                break
            if self._choose is not None and len(ready) > 1:
                index = self._choose(len(ready))
                ready.rotate(-index)
                mailbox = ready.popleft()
                ready.rotate(index)
            else:
                mailbox = ready.popleft()
            self._turn(mailbox)
            turns += 1
        self.statistics.turns += turns
        return turns

    def stop(self, actor: ActorRef[Any]) -> None:
        """Stop an actor of this dispatcher at once; what is left in its mailbox is dead.

        Unlike `ActorRef.stop` it takes no turn. Only for the owner's thread.
        """
        mailbox = actor.actor_inbox
        assert isinstance(mailbox, Mailbox)  # noqa: S101 - a ref of another runtime is a bug
        mailbox.end()

    def close(self) -> None:
        """Take nothing more from other threads; what they sent is answered as dead."""
        with self._arrivals_lock:
            self._closed = True
        while self._arrivals:
            self.bury(self._arrivals.popleft()[1])

    def deliver(self, mailbox: "Mailbox", envelope: Envelope[Any]) -> None:
        """Put a message into a mailbox, from whatever thread."""
        if get_ident() == self.owner:
            mailbox.admit(envelope)
            return
        with self._arrivals_lock:
            closed = self._closed
            if not closed:
                self._arrivals.append((mailbox, envelope))
        if closed:
            self.bury(envelope)
        elif self._wake is not None:
            self._wake()

    def bury(self, envelope: Envelope[Any]) -> None:
        """Count a message that nobody will handle, and answer whoever waits for it."""
        self.statistics.dead_letters += 1
        if envelope.reply_to is not None:
            error = ActorDeadError("the actor stopped before it handled the message")
            envelope.reply_to.set_exception((ActorDeadError, error, None))

    def schedule(self, mailbox: "Mailbox") -> None:
        """Note that a mailbox has messages."""
        self._ready.append(mailbox)

    def _admit_arrivals(self) -> None:
        arrivals = self._arrivals
        for _ in range(len(arrivals)):
            mailbox, envelope = arrivals.popleft()
            mailbox.admit(envelope)

    def _turn(self, mailbox: "Mailbox") -> None:
        if mailbox.actor is None:
            return
        envelope = mailbox.queue.popleft()
        if mailbox.queue:
            self._ready.append(mailbox)
        else:
            mailbox.scheduled = False
        message, reply_to = envelope.message, envelope.reply_to
        self.current = mailbox
        try:
            if type(message) in CONTROL_MESSAGES:
                response = handle_receive(mailbox.actor, message)
            else:
                response = mailbox.actor.on_receive(message)
        except BaseException as error:
            if reply_to is not None and isinstance(error, Exception):
                reply_to.set_exception()
                return
            mailbox.crash(error)
            if reply_to is not None:
                reply_to.set_exception()
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            if reply_to is not None:
                reply_to.set(response)
        finally:
            self.current = None


class Mailbox:
    """A dispatched actor's inbox and its stopped flag in one: both change together.

    A message is either handled, or answered with `ActorDeadError` and counted as a dead letter.
    """

    __slots__ = ("actor", "dispatcher", "name", "queue", "scheduled", "watcher")

    def __init__(self, dispatcher: Dispatcher, actor: Actor) -> None:
        self.dispatcher = dispatcher
        self.actor: Actor | None = actor
        self.watcher: ActorRef[Any] | None = None
        self.name: Hashable = None
        self.queue: deque[Envelope[Any]] = deque()
        self.scheduled = False

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take a message, from any thread (Pykka's inbox protocol)."""
        if envelope.reply_to is not None:
            envelope.reply_to.dispatcher = self.dispatcher  # type: ignore[attr-defined]
        self.dispatcher.deliver(self, envelope)

    def get(self) -> Envelope[Any]:
        """Give the oldest message (Pykka's inbox protocol)."""
        return self.queue.popleft()

    def empty(self) -> bool:
        """Say whether no message waits (Pykka's inbox protocol)."""
        return not self.queue

    def is_set(self) -> bool:
        """Say whether the actor has stopped (the part of `threading.Event` that Pykka reads)."""
        return self.actor is None

    def set(self) -> None:
        """Stop (the part of `threading.Event` that Pykka calls)."""
        self._close()

    def admit(self, envelope: Envelope[Any]) -> None:
        """Queue a message, in the owner's thread."""
        if self.actor is None:
            self.dispatcher.bury(envelope)
            return
        self.queue.append(envelope)
        if not self.scheduled:
            self.scheduled = True
            self.dispatcher.schedule(self)

    def end(self) -> None:
        """Stop the actor in order: `on_stop`, then everything left is dead."""
        actor = self.actor
        if actor is None:
            return
        self._close()
        self.dispatcher.statistics.stopped += 1
        try:
            actor.on_stop()
        except Exception as error:  # noqa: BLE001 - reported to the watcher, as any failure
            self._report(error)

    def crash(self, error: BaseException) -> None:
        """Stop the actor after an exception: `on_failure`, then the watcher is told."""
        actor = self.actor
        if actor is None:
            return
        self._close()
        self.dispatcher.statistics.crashed += 1
        try:
            actor.on_failure(type(error), error, error.__traceback__)
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"on_failure raised too: {second!r}")
        self._report(error)

    def _report(self, error: BaseException) -> None:
        if self.watcher is not None and self.watcher.is_alive():
            self.watcher.tell(ActorDied(self.name, error))

    def _close(self) -> None:
        self.actor = None
        while self.queue:
            self.dispatcher.bury(self.queue.popleft())
