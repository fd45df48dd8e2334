"""Timers of an actor: they come to it as messages, and a cancelled one never comes.

    class Session(pykka.ThreadingActor):
        def on_start(self):
            ActorTimers(self).set_periodic("beat", 5.0, Beat())

A timer that is due is not put into the queue of messages, where it could not be taken back. A
threading actor's inbox looks at the timers when it is asked for the next message; a dispatched
actor's is checked once more when its turn comes. So a timer that was replaced or cancelled, be it
in the message just before, does not fire. An incarnation's timers end with it.
"""

from collections.abc import Hashable
from typing import Any, Final

from pykka import Actor

from actors.mailbox import Mailbox, MailboxTimer
from actors.supervision.closing_inbox import ClosingInbox
from actors.timers import SECOND


class ActorTimers:
    """The timers of an actor. Only for use by the actor itself, in its own messages and hooks.

    Args:
        actor: one that is supervised, or a `DispatchedActor`.
    """

    __slots__ = ("_inbox",)

    def __init__(self, actor: Actor) -> None:
        inbox = actor.actor_inbox
        if not isinstance(inbox, ClosingInbox | Mailbox):
            msg = (
                f"{type(actor).__name__} was started by Pykka, whose inbox knows no timers: "
                "start it under a supervisor"
            )
            raise TypeError(msg)
        self._inbox: Final = inbox

    def set_once(self, key: Hashable, delay: float, message: Any) -> None:
        """Be told `message` once, in `delay` seconds; a timer of the same key is replaced."""
        self._set(key, self._now() + round(delay * SECOND), message, None)

    def set_at(self, key: Hashable, due: int, message: Any) -> None:
        """Be told `message` once, at `due` (nanoseconds of the actor's clock)."""
        self._set(key, due, message, None)

    def set_periodic(self, key: Hashable, interval: float, message: Any) -> None:
        """Be told `message` every `interval` seconds; what was missed is not made up for."""
        if interval <= 0:
            msg = f"an interval is longer than 0, not {interval}"
            raise ValueError(msg)
        nanoseconds = round(interval * SECOND)
        self._set(key, self._now() + nanoseconds, message, nanoseconds)

    def cancel(self, key: Hashable) -> None:
        """Make sure that a timer does not fire; one that is not set is no mistake."""
        if isinstance(self._inbox, Mailbox):
            self._inbox.cancel_timer(key)
        else:
            self._inbox.timers.cancel(key)

    def _now(self) -> int:
        if isinstance(self._inbox, Mailbox):
            return self._inbox.dispatcher.clock()
        return self._inbox.clock()

    def _set(self, key: Hashable, due: int, message: Any, interval: int | None) -> None:
        inbox = self._inbox
        if isinstance(inbox, Mailbox):
            inbox.set_timer(MailboxTimer(inbox, key, message, interval), due)
        else:
            inbox.timers.set(key, message, due, interval)
