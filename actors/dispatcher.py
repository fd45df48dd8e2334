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
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Lock, get_ident
from typing import Any

from pykka import ActorDeadError, ActorRef, Future

from actors.actor_died import ActorDied
from actors.mailbox import CONTROL_MESSAGES, Mailbox, MailboxTimer, mailbox_of
from actors.pykka_internals import Envelope
from actors.timers import SECOND, Timers

__all__ = ["ActorDied", "Choice", "Dispatcher", "DispatcherStatistics"]

LONGEST_ROUND = 1024
"""After so many turns without a pause, the dispatcher looks whether a timer is due."""

Choice = Callable[[int], int]
"""Given how many actors are ready, the index of the one that goes next."""


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


def _nothing() -> None:
    """Wake nobody."""


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
        ready: mailboxes with messages, the one that has been ready longest first; for `Mailbox`.
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
        self.ready: deque[Mailbox] = deque()
        self.is_closed = False
        self._choose = choose
        self._wake = wake
        self._arrivals: deque[tuple[Mailbox, Any] | Callable[[], None]] = deque()
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
            if self.timers.pending:
                self._admit_timers()
            more = LONGEST_ROUND if turn_limit is None else min(LONGEST_ROUND, turn_limit - turns)
            taken = self._run_round(more)
            turns += taken
            if taken < more and not (self.timers.pending and self._timer_is_due()):
                break
        return turns

    def _run_round(self, limit: int) -> int:  # noqa: PLR0912 - a call less in every turn
        turns = 0
        ready, arrivals, clock, choose = self.ready, self._arrivals, self.clock, self._choose
        try:
            while turns < limit:
                if arrivals:
                    self._admit_arrivals()
                if not ready:
                    break
                if choose is not None and len(ready) > 1:
                    mailbox = self._take_chosen(choose)
                else:
                    mailbox = ready.popleft()
                turns += 1
                actor = mailbox.actor
                if actor is None:
                    mailbox.scheduled = False
                    continue
                queue = mailbox.queue
                message, reply_to = queue.popleft(), None
                if type(message) is Envelope:
                    message, reply_to = message.message, message.reply_to
                if queue:
                    ready.append(mailbox)
                else:
                    mailbox.scheduled = False
                self.turn_began = clock()
                self.current = mailbox
                try:
                    if type(message) in CONTROL_MESSAGES:
                        response = mailbox.handle_control(actor, message)
                    else:
                        response = actor.on_receive(message)
                except BaseException as error:  # noqa: BLE001 - `_fail` raises what is not its own
                    self._fail(mailbox, reply_to, error)
                else:
                    if reply_to is not None:
                        reply_to.set(response)
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
            if not self._arrivals and not self.ready:
                self._arrived.wait(timeout)

    def do(self, job: Callable[[], None]) -> None:
        """Have a job done in the owner's thread; at once if this is it, or nobody is any more."""
        if get_ident() != self.owner:
            with self._arrived:
                if not self.is_closed:
                    self._arrivals.append(job)
                    self._arrived.notify()
                    job = self._wake or _nothing
        job()

    def stop(self, actor: ActorRef[Any]) -> None:
        """Stop an actor of this dispatcher at once; what is left in its mailbox is dead.

        Unlike `ActorRef.stop` it takes no turn. Only for the owner's thread.
        """
        mailbox_of(actor).end()

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

    def deliver(self, mailbox: Mailbox, item: Any) -> None:
        """Put a message or an envelope into a mailbox, from a thread that is not the owner."""
        with self._arrived:
            closed = self.is_closed
            if not closed:
                self._arrivals.append((mailbox, item))
                self._arrived.notify()
        if closed:
            mailbox.give_back(item)
        elif self._wake is not None:
            self._wake()

    def bury(self, item: Any) -> None:
        """Count a message that nobody will handle, and answer whoever waits for it."""
        self.statistics.dead_letters += 1
        if type(item) is Envelope and item.reply_to is not None:
            error = ActorDeadError("the actor stopped before it handled the message")
            item.reply_to.set_exception((ActorDeadError, error, None))

    def _take_chosen(self, choose: Choice) -> Mailbox:
        index = choose(len(self.ready))
        self.ready.rotate(-index)
        mailbox = self.ready.popleft()
        self.ready.rotate(index)
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
        due = self.timers.next_due()
        return due is not None and due <= self.clock()

    def _admit_timers(self) -> None:
        now = self.clock()
        while (timer := self.timers.pop_due(now)) is not None:
            assert isinstance(timer, MailboxTimer)  # noqa: S101 - nothing else is set
            timer.mailbox.admit_always(timer)

    def _fail(self, mailbox: Mailbox, reply_to: Future[Any] | None, error: BaseException) -> None:
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
