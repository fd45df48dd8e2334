"""An inbox that closes: either it takes a message, or the sender's message is answered for.

Pykka's inbox is a queue that knows nothing of its actor's end. `ActorRef.tell` looks whether the
actor is alive, and then puts; between the two the actor may stop and empty its queue for the last
time. What is put then stays there: a tell is lost without a trace, an ask is never answered
(pykka 4.5: about one in a thousand, when they race with the stop).

Here putting and closing exclude each other. A message is in the queue when the inbox closes, and
is given to whoever closes it, or it comes later, and goes to the inbox's owner: to the next
incarnation's inbox, or to the dead letters, and an ask is answered with `ActorDeadError`.

Rejected: looking again after the put (the actor may be restarted in between, and the message is
handled twice), a lock around tell and stop (held while calling out), a sentinel at the end of the
queue (what is put behind it is lost as before).
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Lock, get_ident
from typing import Any, Protocol

from actors.pykka_internals import Envelope, StopMessage
from actors.supervision.mailbox_bounded import bypasses_bound
from actors.supervision.mailbox_options import Bound, MailboxFullError, Overflow
from actors.supervision.mailbox_timers import InboxTimers
from actors.timers import SECOND


class InboxOwner(Protocol):
    """Whoever outlives an inbox."""

    def undelivered(self, envelope: Envelope[Any]) -> None:
        """Take a message that came when the inbox was closed."""

    def overflowed(self, envelope: Envelope[Any]) -> None:
        """Take a message that there was no room for."""


class ClosingInbox:
    """The inbox of one threading actor.

    Args:
        owner: gets what cannot be queued.
        bound: how many messages may wait.
        clock: for the timers and the age of the message in work, in nanoseconds.

    Attributes:
        busy_since: when the message in work was taken, 0 while there is none. May be read from
            any thread.
        current: the message in work.
        timers: the actor's timers.
    """

    __slots__ = (
        "_bound",
        "_consumer",
        "_filled",
        "_is_closed",
        "_is_timers_turn",
        "_lock",
        "_owner",
        "_queue",
        "_roomy",
        "_stop_requested",
        "busy_since",
        "clock",
        "current",
        "timers",
    )

    def __init__(
        self,
        owner: InboxOwner,
        bound: Bound | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.busy_since = 0
        self.current: Envelope[Any] | None = None
        self.clock = clock
        self.timers = InboxTimers()
        self._owner = owner
        self._bound = bound
        self._lock = Lock()
        self._filled = Condition(self._lock)
        self._roomy = Condition(self._lock)
        self._queue: deque[Envelope[Any]] = deque()
        self._consumer = 0
        self._is_closed = False
        self._is_timers_turn = True
        self._stop_requested = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take a message, from any thread (Pykka's inbox protocol).

        Raises:
            MailboxFullError: the inbox is full, its policy is to reject, and it was a tell.
        """
        evicted = None
        with self._lock:
            if self._bound is not None:
                evicted = self._make_room(envelope, self._bound)
            if self._is_closed:
                evicted = None
            elif evicted is not envelope:
                self._queue.append(envelope)
                self._filled.notify()
            closed = self._is_closed
        if closed:
            self._owner.undelivered(envelope)
        elif evicted is envelope and envelope.reply_to is None:
            msg = "the mailbox is full"
            raise MailboxFullError(msg)
        elif evicted is not None:
            self._owner.overflowed(evicted)

    def get(self) -> Envelope[Any]:
        """Wait for the next message, and give it; a stop comes before all others."""
        self.busy_since = 0
        self.current = None
        with self._lock:
            self._consumer = get_ident()
            while True:
                envelope = self._take()
                if envelope is not None:
                    self.busy_since = self.clock()
                    self.current = envelope
                    return envelope
                due = self.timers.next_due()
                self._filled.wait(None if due is None else max(0, due - self.clock()) / SECOND)

    def empty(self) -> bool:
        """Say whether no message waits (Pykka's inbox protocol)."""
        return not self._queue

    def request_stop(self) -> None:
        """Let the actor's next message be the stop, before whatever waits."""
        with self._lock:
            self._stop_requested = True
            self._filled.notify()

    def preload(self, envelopes: deque[Envelope[Any]]) -> None:
        """Queue what another inbox left, whatever the bound; before anybody else knows this one."""
        self._queue = envelopes

    def close(self) -> deque[Envelope[Any]]:
        """Take nothing more, and give what is queued; once closed, nothing is."""
        with self._lock:
            self._is_closed = True
            rest, self._queue = self._queue, deque()
            self._filled.notify_all()
            self._roomy.notify_all()
            return rest

    def _take(self) -> Envelope[Any] | None:
        if self._stop_requested or self._is_closed:
            self._stop_requested = False
            return Envelope(StopMessage())
        if self._is_timers_turn or not self._queue:
            self._is_timers_turn = False
            timer = self.timers.pop_due(self.clock()) if self.timers else None
            if timer is not None:
                return Envelope(timer.message)
        self._is_timers_turn = True
        if not self._queue:
            return None
        envelope = self._queue.popleft()
        if self._bound is not None:
            self._roomy.notify()
        return envelope

    def _make_room(self, envelope: Envelope[Any], bound: Bound) -> Envelope[Any] | None:
        """Give the message that has to go, which may be the new one, or None if there is room."""
        while (
            len(self._queue) >= bound.limit
            and not self._is_closed
            and not bypasses_bound(envelope.message)
        ):
            if bound.overflow is Overflow.DROP_OLDEST:
                oldest = next((e for e in self._queue if not bypasses_bound(e.message)), envelope)
                if oldest is not envelope:
                    self._queue.remove(oldest)
                return oldest
            if bound.overflow is Overflow.REJECT or self._consumer == get_ident():
                return envelope
            self._roomy.wait()
        return None
