"""A child's address: what stays the same while its incarnations come and go.

A post always has an inbox. When an incarnation ends, its inbox closes and, in the same moment for
everybody, the next one's is there, with what the old one held; so the mail of a child that
restarts waits in an ordinary inbox, under the ordinary bound. What is put into an old inbox
comes to the post, which forwards it. The post closes when the child is down and will not be
started by itself; what was held is a dead letter then, and asks are answered.
"""

from collections import deque
from collections.abc import Callable, Hashable
from enum import StrEnum
from threading import Lock
from typing import Any, Protocol

from pykka import Actor, ActorDeadError, ActorRef

from actors.dispatcher import Dispatcher
from actors.mailbox import Mailbox
from actors.pykka_internals import Envelope, StopMessage, answer, answer_error
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import NORMAL, ExitReason
from actors.supervision.closing_inbox import ClosingInbox
from actors.supervision.dead_letters import DeadLetter, DeadLetterCause, DeadLetters, Tellable
from actors.supervision.mailbox_bounded import BoundedMailbox
from actors.supervision.mailbox_options import Mail, MailboxFullError, MailOptions
from actors.supervision.watch import Terminated, tell_safely


class PostState(StrEnum):
    """What a post does with a message."""

    HOLDING = "holding"
    """No incarnation is up; the next one will handle it."""

    UP = "up"

    DROPPING = "dropping"
    """No incarnation is up, and its spec says that messages do not wait for one."""

    CLOSED = "closed"
    """No incarnation is to come by itself."""


class Life(Protocol):
    """The incarnation that a post's mail goes to."""

    def ended(self, error: BaseException | None) -> None:
        """Learn that the actor ended, by `error` or in order."""


class Post:
    """A child's address, with its mail and its watchers.

    Args:
        dispatcher: of a dispatched child.
        clock: of a threading one.

    Attributes:
        incarnation: how many incarnations were up.
        ref: of the one that is up.
        last_exit: of the last one that ended.
    """

    __slots__ = (
        "_clock",
        "_dead_letters",
        "_lock",
        "_watchers",
        "actor_class",
        "dispatcher",
        "inbox",
        "incarnation",
        "last_exit",
        "life",
        "mail",
        "name",
        "ref",
        "state",
    )

    def __init__(
        self,
        name: Hashable,
        worker: Worker,
        dispatcher: Dispatcher | None,
        dead_letters: DeadLetters,
        clock: Callable[[], int],
    ) -> None:
        self.name = name
        self.actor_class: type[Actor] = worker.actor_class
        self.mail: MailOptions = worker.mail
        self.dispatcher = dispatcher
        self.incarnation = 0
        self.ref: ActorRef[Any] | None = None
        self.last_exit: ExitReason | None = None
        self.life: Life | None = None
        self.state = PostState.HOLDING
        self._dead_letters = dead_letters
        self._clock = clock
        self._watchers: tuple[Tellable, ...] = ()
        self._lock = Lock()
        self.inbox = self._new_inbox()

    def depth(self) -> int:
        """How many messages wait; from any thread."""
        inbox = self.inbox
        return len(inbox) if isinstance(inbox, ClosingInbox) else len(inbox.queue)

    # -- for the adapter

    def begin(self) -> Mailbox | ClosingInbox:
        """Give the inbox of the incarnation that is to be started."""
        with self._lock:
            if self.state in {PostState.CLOSED, PostState.DROPPING}:
                self.inbox = self._new_inbox()
                self.state = PostState.HOLDING
            return self.inbox

    def up(self, ref: ActorRef[Any]) -> None:
        """Note that an incarnation is up."""
        with self._lock:
            self.incarnation += 1
            self.ref = ref
            self.state = PostState.UP

    def close_thread_inbox(self, inbox: ClosingInbox) -> None:
        """Close an incarnation's inbox, and keep or drop what it held."""
        with self._lock:
            rest = inbox.close()
            current = inbox is self.inbox
            dropped = self._follow(rest) if current else rest
        self._bury_all(dropped)

    def take_back(self, envelopes: deque[Envelope[Any]]) -> None:
        """Keep or drop what a dispatched incarnation's mailbox held when it closed."""
        with self._lock:
            dropped = self._follow(envelopes)
        self._bury_all(dropped)

    def ended(self, error: BaseException | None) -> None:
        """Hand the end of a dispatched incarnation on."""
        if self.life is not None:
            self.life.ended(error)

    def exited(self, reason: ExitReason) -> None:
        """Note how an incarnation that was up ended, and tell its watchers."""
        with self._lock:
            self.ref = None
            self.life = None
            self.last_exit = reason
            watchers, self._watchers = self._watchers, ()
        for watcher in watchers:
            tell_safely(watcher, Terminated(self.name, self.incarnation, reason))

    def close(self) -> None:
        """Hold nothing more: no incarnation will be started by itself."""
        with self._lock:
            if self.state is PostState.CLOSED:
                return
            self.state = PostState.CLOSED
            inbox = self.inbox
            watchers, self._watchers = self._watchers, ()
        if isinstance(inbox, ClosingInbox):
            self._bury_all(inbox.close())
        else:
            inbox.dispatcher.do(lambda: self._bury_all(inbox.close_held()))
        for watcher in watchers:
            tell_safely(watcher, self._terminated())

    def undelivered(self, envelope: Envelope[Any]) -> None:
        """Forward a message that came to a closed inbox."""
        with self._lock:
            takes = self.state in {PostState.HOLDING, PostState.UP} and not self._is_deserted()
            inbox = self.inbox
        if takes and not isinstance(envelope.message, StopMessage):
            inbox.put(envelope)
        else:
            self._bury(envelope)

    def overflowed(self, envelope: Envelope[Any]) -> None:
        """Count a message that there was no room for."""
        self._dead_letters.add(DeadLetter(envelope.message, self.name, DeadLetterCause.OVERFLOW))
        answer_error(envelope, MailboxFullError(f"the mailbox of {self.name!r} is full"))

    # -- for the handle

    def watch(self, watcher: Tellable) -> None:
        """See `actors.supervision.watch.watch`."""
        with self._lock:
            if self.ref is None and (self.last_exit or self.state is PostState.CLOSED):
                notice = self._terminated()
            else:
                notice = None
                if not any(each is watcher for each in self._watchers):
                    self._watchers = (*self._watchers, watcher)
        if notice is not None:
            tell_safely(watcher, notice)

    def unwatch(self, watcher: Tellable) -> None:
        """See `actors.supervision.watch.unwatch`."""
        with self._lock:
            self._watchers = tuple(each for each in self._watchers if each is not watcher)

    # -- inside

    def _new_inbox(self) -> Mailbox | ClosingInbox:
        if self.dispatcher is None:
            return ClosingInbox(self, self.mail.bound, self._clock)
        if self.mail.bound is not None:
            mailbox: Mailbox = BoundedMailbox(self.dispatcher, self.mail.bound, self)
        else:
            mailbox = Mailbox(self.dispatcher)
        mailbox.owner = self
        return mailbox

    def _is_deserted(self) -> bool:
        """Whether nobody will run the child again."""
        return self.dispatcher is not None and self.dispatcher.is_closed

    def _follow(self, rest: deque[Envelope[Any]]) -> deque[Envelope[Any]]:
        """Let the next inbox follow, and give what it does not get."""
        self.ref = None
        if self.mail.mail is Mail.DROP:
            self.state = PostState.DROPPING
            return rest
        kept = deque(each for each in rest if not isinstance(each.message, StopMessage))
        stops = deque(each for each in rest if isinstance(each.message, StopMessage))
        inbox = self._new_inbox()
        if isinstance(inbox, ClosingInbox):
            inbox.preload(kept)
        else:
            inbox.queue = kept
        self.inbox = inbox
        self.state = PostState.HOLDING
        return stops

    def _terminated(self) -> Terminated:
        return Terminated(self.name, self.incarnation, self.last_exit or NORMAL)

    def _bury_all(self, envelopes: deque[Envelope[Any]]) -> None:
        for envelope in envelopes:
            self._bury(envelope)

    def _bury(self, envelope: Envelope[Any]) -> None:
        if isinstance(envelope.message, StopMessage):
            answer(envelope, None)
            return
        restarting = self.state in {PostState.HOLDING, PostState.DROPPING}
        cause = DeadLetterCause.RESTARTING if restarting else DeadLetterCause.GONE
        self._dead_letters.add(DeadLetter(envelope.message, self.name, cause))
        text = f"{self.name!r} is {cause}"
        answer_error(envelope, ActorDeadError(text))
