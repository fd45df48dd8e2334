"""A dispatched actor's mailbox with a bound."""

from typing import Any, Protocol

from actors.dispatcher import Dispatcher
from actors.mailbox import Mailbox, MailboxTimer, enveloped, message_of
from actors.pykka_internals import Envelope, StopMessage
from actors.supervision.mailbox_options import (
    Bound,
    MailboxFullError,
    Overflow,
    SupervisionMessage,
)


class OverflowOwner(Protocol):
    """Whoever outlives a bounded mailbox."""

    def overflowed(self, envelope: Envelope[Any]) -> None:
        """Take a message that there was no room for."""


def bypasses_bound(message: Any) -> bool:
    """Whether a message comes in although the mailbox is full."""
    return isinstance(message, StopMessage | SupervisionMessage | MailboxTimer)


class BoundedMailbox(Mailbox):
    """A mailbox in which at most so many messages wait.

    A rejected sender in the dispatcher's thread is told at once. Another thread cannot be: it
    is not known how full the mailbox will be when the dispatcher comes to the message; it is a
    dead letter then, and an ask raises `MailboxFullError`.
    """

    __slots__ = ("bound", "overflow_owner")

    def __init__(self, dispatcher: Dispatcher, bound: Bound, owner: OverflowOwner) -> None:
        super().__init__(dispatcher)
        self.bound = bound
        self.overflow_owner = owner

    def admit(self, item: Any) -> None:
        """Queue a message or an envelope if there is room, in the owner's thread.

        Raises:
            MailboxFullError: there is none, the policy is to reject, and it was a tell.
        """
        if self._make_room(item):
            super().admit(item)
            return
        envelope = enveloped(item)
        if envelope.reply_to is None:
            msg = f"{self.bound.limit} messages wait already"
            raise MailboxFullError(msg)
        self.overflow_owner.overflowed(envelope)

    def admit_from_afar(self, item: Any) -> None:
        """Queue what another thread sent if there is room, in the owner's thread."""
        if self._make_room(item):
            super().admit(item)
        else:
            self.overflow_owner.overflowed(enveloped(item))

    def _make_room(self, item: Any) -> bool:
        queue = self.queue
        if len(queue) < self.bound.limit or bypasses_bound(message_of(item)):
            return True
        if self.actor is None and not self.holding:
            return True
        if self.bound.overflow is Overflow.REJECT:
            return False
        for index, oldest in enumerate(queue):
            if not bypasses_bound(message_of(oldest)):
                del queue[index]
                self.overflow_owner.overflowed(enveloped(oldest))
                return True
        return False
