"""The dispatcher: many actors, one thread, one message at a time.

A thread an actor costs half a millisecond to start and a thread switch per message, and stops near
twenty thousand actors. Here a `tell` between two actors of one dispatcher is two appends. The owner
of the dispatcher decides when actors run, by calling `run_until_idle`; that makes the order of
everything a function of the messages, and of `choose` where a simulator wants other orders.

Rejected: an asyncio loop per process (no control over the order, and a second scheduler beside the
poll loop), a thread pool (an actor's turns would need locks, and no run could be repeated).
"""

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Condition, Lock, get_ident
from typing import Any, Protocol

from pykka import Actor, ActorDeadError, ActorRef

from actors.pykka_internals import CONTROL_MESSAGES, Envelope, handle_receive
from actors.timers import SECOND, Timers

LONGEST_ROUND = 1024
"""After so many turns without a pause, the dispatcher looks whether a timer is due."""

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
        clock: gives the time for the actors' timers, in nanoseconds.

    Attributes:
        current: whose turn it is. It and `turn_began` may be read from any thread.
        turn_began: when that turn began, on `clock`.
    """

    def __init__(
        self,
        choose: Choice | None = None,
        wake: Callable[[], None] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.statistics = DispatcherStatistics()
        self.owner = get_ident()
        self.current: Mailbox | None = None
        self.clock = clock
        self.turn_began = 0
        self.timers = Timers()
        self.is_closed = False
        self._choose = choose
        self._wake = wake
        self._ready: deque[Mailbox] = deque()
        self._arrivals: deque[tuple[Mailbox, Envelope[Any]] | Callable[[], None]] = deque()
        self._arrived = Condition(Lock())
        self._next_number = 0

    def next_number(self) -> int:
        """Give the next actor's number, from 1."""
        self._next_number += 1
        return self._next_number

    def run_until_idle(self, turn_limit: int | None = None) -> int:
        """Let actors handle messages until none has any and no timer is due.

        Args:
            turn_limit: stop after that many turns.

        Returns:
            how many turns there were.
        """
        turns = 0
        while turn_limit is None or turns < turn_limit:
            if self.timers:
                self._admit_timers()
            more = LONGEST_ROUND if turn_limit is None else min(LONGEST_ROUND, turn_limit - turns)
            taken = self._run_round(more)
            turns += taken
            if taken < more and not self._timer_is_due():
                break
        return turns

    def _run_round(self, limit: int) -> int:
        turns = 0
        ready, arrivals, clock = self._ready, self._arrivals, self.clock
        try:
            while turns < limit:
                if arrivals:
                    self._admit_arrivals()
                if not ready:
                    break
                if self._choose is not None and len(ready) > 1:
                    mailbox = self._take_chosen(self._choose)
                else:
                    mailbox = ready.popleft()
                turns += 1
                actor = mailbox.actor
                if actor is None:
                    continue
                envelope = mailbox.queue.popleft()
                if mailbox.queue:
                    ready.append(mailbox)
                else:
                    mailbox.scheduled = False
                self.turn_began = clock()
                self.current = mailbox
                try:
                    if type(envelope.message) in CONTROL_MESSAGES:
                        response = mailbox.handle_control(actor, envelope.message)
                    else:
                        response = actor.on_receive(envelope.message)
                except BaseException as error:  # noqa: BLE001 - `_fail` raises what is not its own
                    self._fail(mailbox, envelope, error)
                else:
                    if envelope.reply_to is not None:
                        envelope.reply_to.set(response)
        finally:
            self.current = None
            self.statistics.turns += turns
        return turns

    def wait(self, timeout: float | None = None) -> None:
        """Wait until there is something to run, at most `timeout` seconds. Only for the owner."""
        due = self.timers.next_due()
        if due is not None:
            left = max(0, due - self.clock()) / SECOND
            timeout = left if timeout is None else min(timeout, left)
        with self._arrived:
            if not self._arrivals and not self._ready:
                self._arrived.wait(timeout)

    def submit(self, job: Callable[[], None]) -> bool:
        """Have a job done in the owner's thread, before the next turn; from any thread.

        Returns:
            whether it will be done: not if the dispatcher is closed.
        """
        with self._arrived:
            if self.is_closed:
                return False
            self._arrivals.append(job)
            self._arrived.notify()
        if self._wake is not None and get_ident() != self.owner:
            self._wake()
        return True

    def stop(self, actor: ActorRef[Any]) -> None:
        """Stop an actor of this dispatcher at once; what is left in its mailbox is dead.

        Unlike `ActorRef.stop` it takes no turn. Only for the owner's thread.
        """
        mailbox = actor.actor_inbox
        assert isinstance(mailbox, Mailbox)  # noqa: S101 - a ref of another runtime is a bug
        mailbox.end()

    def close(self) -> None:
        """Take nothing more from other threads; what they sent is answered as dead."""
        with self._arrived:
            self.is_closed = True
        while self._arrivals:
            arrival = self._arrivals.popleft()
            if isinstance(arrival, tuple):
                arrival[0].give_back(arrival[1])
            else:
                arrival()

    def deliver(self, mailbox: "Mailbox", envelope: Envelope[Any]) -> None:
        """Put a message into a mailbox, from whatever thread."""
        if get_ident() == self.owner:
            mailbox.admit(envelope)
            return
        with self._arrived:
            closed = self.is_closed
            if not closed:
                self._arrivals.append((mailbox, envelope))
                self._arrived.notify()
        if closed:
            mailbox.give_back(envelope)
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

    def _take_chosen(self, choose: Choice) -> "Mailbox":
        index = choose(len(self._ready))
        self._ready.rotate(-index)
        mailbox = self._ready.popleft()
        self._ready.rotate(index)
        return mailbox

    def _admit_arrivals(self) -> None:
        arrivals = self._arrivals
        for _ in range(len(arrivals)):
            arrival = arrivals.popleft()
            if isinstance(arrival, tuple):
                arrival[0].admit_from_afar(arrival[1])
            else:
                arrival()

    def _timer_is_due(self) -> bool:
        due = self.timers.next_due() if self.timers else None
        return due is not None and due <= self.clock()

    def _admit_timers(self) -> None:
        now = self.clock()
        while (timer := self.timers.pop_due(now)) is not None:
            assert isinstance(timer, MailboxTimer)  # noqa: S101 - nothing else is set
            timer.mailbox.admit_always(Envelope(timer))

    def _fail(self, mailbox: "Mailbox", envelope: Envelope[Any], error: BaseException) -> None:
        reply_to = envelope.reply_to
        if isinstance(error, Exception) and reply_to is not None:
            reply_to.set_exception((type(error), error, error.__traceback__))
            return
        mailbox.crash(error)
        if reply_to is not None:
            dead = ActorDeadError(f"the actor ended by {error!r}")
            dead.__cause__ = error
            reply_to.set_exception((ActorDeadError, dead, None))
        if isinstance(error, KeyboardInterrupt):
            raise error


class MailboxOwner(Protocol):
    """Whoever outlives a mailbox: it is told of the end, and gets what was not handled."""

    def ended(self, error: BaseException | None) -> None:
        """Learn that the actor ended, by `error` or in order."""

    def take_back(self, envelopes: deque[Envelope[Any]]) -> None:
        """Take what the mailbox held when it closed, oldest first."""

    def undelivered(self, envelope: Envelope[Any]) -> None:
        """Take a message that came when the mailbox was closed."""


@dataclass(slots=True, eq=False)
class MailboxTimer:
    """A timer of a dispatched actor; while it waits for its turn, a message.

    Attributes:
        interval: nanoseconds, of a periodic one.
    """

    mailbox: "Mailbox"
    key: Hashable
    message: Any
    interval: int | None


class Mailbox:
    """A dispatched actor's inbox and its stopped flag in one: both change together.

    A message is either handled, or answered with `ActorDeadError` and counted as a dead letter.
    """

    __slots__ = (
        "__weakref__",
        "actor",
        "dispatcher",
        "holding",
        "name",
        "owner",
        "queue",
        "scheduled",
        "timers",
        "watcher",
    )

    def __init__(self, dispatcher: Dispatcher, actor: Actor | None = None) -> None:
        self.dispatcher = dispatcher
        self.actor: Actor | None = actor
        self.watcher: ActorRef[Any] | None = None
        self.name: Hashable = None
        self.owner: MailboxOwner | None = None
        self.queue: deque[Envelope[Any]] = deque()
        self.scheduled = False
        self.holding = actor is None
        self.timers: dict[Hashable, MailboxTimer] | None = None

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
            self._admit_without_actor(envelope)
            return
        self.queue.append(envelope)
        if not self.scheduled:
            self.scheduled = True
            self.dispatcher.schedule(self)

    def admit_from_afar(self, envelope: Envelope[Any]) -> None:
        """Queue a message of another thread, in the owner's thread."""
        self.admit(envelope)

    def admit_always(self, envelope: Envelope[Any]) -> None:
        """Queue a message whatever the bound, in the owner's thread."""
        Mailbox.admit(self, envelope)

    def run(self, actor: Actor) -> None:
        """Let an actor have the messages; the mailbox held them so far."""
        self.actor = actor
        self.holding = False
        if self.queue and not self.scheduled:
            self.scheduled = True
            self.dispatcher.schedule(self)

    def handle_control(self, actor: Actor, message: Any) -> Any:
        """Handle one of `CONTROL_MESSAGES`."""
        if type(message) is not MailboxTimer:
            return handle_receive(actor, message)
        if self.timers is None or self.timers.get(message.key) is not message:
            return None
        if message.interval is None:
            del self.timers[message.key]
        else:
            dispatcher = self.dispatcher
            dispatcher.timers.set(message, dispatcher.clock() + message.interval)
        return handle_receive(actor, message.message)

    def set_timer(self, timer: MailboxTimer, due: int) -> None:
        """Let a timer fire at `due`, in place of the one of the same key."""
        if self.timers is None:
            self.timers = {}
        self.cancel_timer(timer.key)
        self.timers[timer.key] = timer
        self.dispatcher.timers.set(timer, due)

    def cancel_timer(self, key: Hashable) -> None:
        """Make sure that a timer does not fire."""
        timer = self.timers.pop(key, None) if self.timers is not None else None
        if timer is not None:
            self.dispatcher.timers.cancel(timer)

    def end(self) -> None:
        """Stop the actor in order: `on_stop`, then everything left is dead."""
        actor = self.actor
        if actor is None:
            return
        self._close()
        self.dispatcher.statistics.stopped += 1
        error: Exception | None = None
        try:
            actor.on_stop()
        except Exception as raised:  # noqa: BLE001 - reported to the watcher, as any failure
            error = raised
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

    def kill(self) -> None:
        """Stop the actor without asking it; only its owner is told."""
        if self.actor is not None:
            self._close()
            self.dispatcher.statistics.stopped += 1
            if self.owner is not None:
                self.owner.ended(None)

    def give_back(self, envelope: Envelope[Any]) -> None:
        """Let a message that cannot be handled here go to the owner, or bury it."""
        if self.owner is not None:
            self.owner.undelivered(envelope)
        else:
            self.dispatcher.bury(envelope)

    def close_held(self) -> deque[Envelope[Any]]:
        """Close a mailbox that has no actor, and give what it held."""
        self.holding = False
        held, self.queue = self.queue, deque()
        return held

    def _admit_without_actor(self, envelope: Envelope[Any]) -> None:
        if self.holding:
            self.queue.append(envelope)
        else:
            self.give_back(envelope)

    def _report(self, error: BaseException | None) -> None:
        if error is not None and self.watcher is not None and self.watcher.is_alive():
            self.watcher.tell(ActorDied(self.name, error))
        if self.owner is not None:
            self.owner.ended(error)

    def _close(self) -> None:
        self.actor = None
        self.holding = False
        for key in tuple(self.timers or ()):
            self.cancel_timer(key)
        if self.owner is not None:
            rest, self.queue = self.queue, deque()
            self.owner.take_back(rest)
        while self.queue:
            self.dispatcher.bury(self.queue.popleft())
