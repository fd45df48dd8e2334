"""A dispatched actor's inbox and its stopped flag in one: both change together."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, Protocol

from pykka import Actor, ActorRef

from actors import pykka_internals
from actors.actor_died import ActorDied
from actors.pykka_internals import Envelope, handle_receive

if TYPE_CHECKING:
    from actors.dispatcher import Dispatcher


def mailbox_of(actor: ActorRef[Any]) -> "Mailbox":
    """Give the mailbox of an actor that runs on a dispatcher."""
    mailbox = actor.actor_inbox
    assert isinstance(mailbox, Mailbox)  # noqa: S101 - a ref of another runtime is a bug
    return mailbox


def message_of(item: Any) -> Any:
    """Give the message that an item of a mailbox's queue is or holds."""
    return item.message if type(item) is Envelope else item


def enveloped(item: Any) -> Envelope[Any]:
    """Give an item of a mailbox's queue as an envelope."""
    return item if type(item) is Envelope else Envelope(item)


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


CONTROL_MESSAGES: Final = pykka_internals.CONTROL_MESSAGES | {MailboxTimer}
"""Message types that `Mailbox.handle_control` handles, before an actor's `on_receive`."""


class Mailbox:
    """Holds the messages of one dispatched actor, before, in and after its life.

    A message is either handled, or answered with `ActorDeadError` and counted as a dead letter.
    What was told is queued as it is; what has an envelope (Pykka's) may want an answer.
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

    def __init__(self, dispatcher: "Dispatcher", actor: Actor | None = None) -> None:
        self.dispatcher = dispatcher
        self.actor: Actor | None = actor
        self.watcher: ActorRef[Any] | None = None
        self.name: Hashable = None
        self.owner: MailboxOwner | None = None
        self.queue: deque[Any] = deque()
        self.scheduled = False
        self.holding = actor is None
        self.timers: dict[Hashable, MailboxTimer] | None = None

    def tell(self, message: Any) -> bool:
        """Take a message, from any thread; say whether there is an actor for it."""
        if self.actor is None:
            return False
        if type(message) is Envelope:
            message = Envelope(message)
        dispatcher = self.dispatcher
        if get_ident() == dispatcher.owner:
            self.admit(message)
        else:
            dispatcher.deliver(self, message)
        return True

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take a message, from any thread (Pykka's inbox protocol)."""
        dispatcher = self.dispatcher
        if envelope.reply_to is not None:
            envelope.reply_to.dispatcher = dispatcher  # type: ignore[attr-defined]
        if get_ident() == dispatcher.owner:
            self.admit(envelope)
        else:
            dispatcher.deliver(self, envelope)

    def get(self) -> Envelope[Any]:
        """Give the oldest message (Pykka's inbox protocol)."""
        return enveloped(self.queue.popleft())

    def empty(self) -> bool:
        """Say whether no message waits (Pykka's inbox protocol)."""
        return not self.queue

    def is_set(self) -> bool:
        """Say whether the actor has stopped (the part of `threading.Event` that Pykka reads)."""
        return self.actor is None

    def set(self) -> None:
        """Stop (the part of `threading.Event` that Pykka calls)."""
        self._close()

    def admit(self, item: Any) -> None:
        """Queue a message or an envelope, in the owner's thread."""
        if self.actor is None:
            self._admit_without_actor(item)
            return
        self.queue.append(item)
        if not self.scheduled:
            self.scheduled = True
            self.dispatcher.ready.append(self)

    def admit_from_afar(self, item: Any) -> None:
        """Queue what another thread sent, in the owner's thread."""
        self.admit(item)

    def admit_always(self, item: Any) -> None:
        """Queue a message or an envelope whatever the bound, in the owner's thread."""
        Mailbox.admit(self, item)

    def run(self, actor: Actor) -> None:
        """Let an actor have the messages; the mailbox held them so far."""
        self.actor = actor
        self.holding = False
        if self.queue and not self.scheduled:
            self.scheduled = True
            self.dispatcher.ready.append(self)

    def unrun(self) -> None:
        """Hold the messages again: the actor could not be started."""
        self.actor = None
        self.holding = True
        for key in tuple(self.timers or ()):
            self.cancel_timer(key)

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

    def give_back(self, item: Any) -> None:
        """Let what cannot be handled here go to the owner, or bury it."""
        if self.owner is not None:
            self.owner.undelivered(enveloped(item))
        else:
            self.dispatcher.bury(item)

    def close_held(self) -> deque[Envelope[Any]]:
        """Close a mailbox that has no actor, and give what it held."""
        self.holding = False
        held, self.queue = self.queue, deque()
        return deque(map(enveloped, held))

    def _admit_without_actor(self, item: Any) -> None:
        if self.holding:
            self.queue.append(item)
        else:
            self.give_back(item)

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
        if self.timers is not None:
            self.queue = deque(each for each in self.queue if type(each) is not MailboxTimer)
        if self.owner is not None:
            self.owner.take_back(self.close_held())
        while self.queue:
            self.dispatcher.bury(self.queue.popleft())
