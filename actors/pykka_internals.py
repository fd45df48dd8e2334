"""Every use of a Pykka name that begins with an underscore, in one place.

Pykka offers `_create_actor_inbox`, `_create_future` and `_start_actor_loop` to those who write an
actor type of their own (its former gevent and eventlet runtimes did). The rest below has no other
door. `tests/test_pykka_internals.py` has a canary for each name.
"""

from typing import Any, Final

from pykka import Actor, ActorRef, messages
from pykka._envelope import Envelope

__all__ = ["CONTROL_MESSAGES", "Envelope", "StopMessage", "attach_ref", "handle_receive"]

StopMessage: Final = messages._ActorStop  # noqa: SLF001
"""What `ActorRef.stop` puts into the inbox."""

CONTROL_MESSAGES: Final = frozenset(
    {StopMessage, messages.ProxyCall, messages.ProxyGetAttr, messages.ProxySetAttr}
)
"""Message types that Pykka handles itself, before an actor's `on_receive`."""


def handle_receive(actor: Actor, message: Any) -> Any:
    """Let Pykka handle a message: stop, proxy call, or the actor's own `on_receive`."""
    return actor._handle_receive(message)  # noqa: SLF001


def attach_ref(actor: Actor) -> None:
    """Give an actor its `ActorRef`; its URN, inbox and stopped flag must be there already."""
    actor._actor_ref = ActorRef(actor)  # noqa: SLF001
