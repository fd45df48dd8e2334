"""Every use of a Pykka name that begins with an underscore, in one place.

Pykka offers `_create_actor_inbox`, `_create_future` and `_start_actor_loop` to those who write an
actor type of their own (its former gevent and eventlet runtimes did). The rest below has no other
door. `tests/test_pykka_internals.py` has a canary for each name.
"""

import queue
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType, new_class
from typing import Any, Final, Protocol, cast

from pykka import Actor, ActorProxy, ActorRef, Future, ThreadingActor, messages
from pykka._envelope import Envelope

__all__ = [
    "CONTROL_MESSAGES",
    "ActorHost",
    "Conversation",
    "Envelope",
    "HostedActor",
    "ProxyTarget",
    "StopMessage",
    "answer",
    "answer_error",
    "fail_actor",
    "handle_receive",
    "hosted_class",
    "make_hosted",
    "new_future",
    "proxy_of",
]

StopMessage: Final = messages._ActorStop  # noqa: SLF001
"""What `ActorRef.stop` puts into the inbox."""

CONTROL_MESSAGES: Final = frozenset(
    {StopMessage, messages.ProxyCall, messages.ProxyGetAttr, messages.ProxySetAttr}
)
"""Message types that Pykka handles itself, before an actor's `on_receive`."""


def handle_receive(actor: Actor, message: Any) -> Any:
    """Let Pykka handle a message: stop, proxy call, or the actor's own `on_receive`."""
    return actor._handle_receive(message)  # noqa: SLF001


def new_future(actor_class: type[Actor]) -> Future[Any]:
    """Make the future for an ask of such an actor."""
    return actor_class._create_future()  # noqa: SLF001


def answer(envelope: Envelope[Any], value: Any) -> None:
    """Answer an ask; one that was answered already is left as it is."""
    if envelope.reply_to is not None:
        with suppress(queue.Full):
            envelope.reply_to.set(value)


def answer_error(envelope: Envelope[Any], error: BaseException) -> None:
    """Answer an ask with an error; one that was answered already is left as it is."""
    if envelope.reply_to is not None:
        with suppress(queue.Full):
            envelope.reply_to.set_exception((type(error), error, error.__traceback__))


class Conversation(Protocol):
    """Whoever takes tells and asks."""

    def tell(self, message: Any) -> None:
        """Take a message."""

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """Take a message, and answer it."""


class ProxyTarget:
    """What a proxy needs of an `ActorRef`: attributes from one actor, messages to another.

    Args:
        conversation: gets the messages.
        ref: whose actor's attributes the proxy looks up; None if there is no such actor.
    """

    def __init__(self, conversation: Conversation, ref: ActorRef[Any] | None) -> None:
        self.tell = conversation.tell
        self.ask = conversation.ask
        self._ref = ref
        self._conversation = conversation

    def __repr__(self) -> str:
        return repr(self._conversation)

    def is_alive(self) -> bool:
        """Say whether there is an actor to look at."""
        return self._ref is not None and self._ref.is_alive()

    def _actor_weakref(self) -> Actor | None:
        return self._ref._actor_weakref() if self._ref is not None else None  # noqa: SLF001


def proxy_of(target: ProxyTarget) -> ActorProxy[Any]:
    """Make a proxy of something that is not an `ActorRef`."""
    return ActorProxy(actor_ref=cast("ActorRef[Any]", target))


class ActorHost(Protocol):
    """Whoever runs a `HostedActor`."""

    inbox: Any

    def failed(self, error: BaseException | None) -> None:
        """Learn of an exception that ends the actor."""


class HostedActor(ThreadingActor):
    """Base, put before a threading actor's class, that lets a host give the inbox and the loop."""

    _muxsaga_host: ActorHost

    def _create_actor_inbox(self) -> Any:  # type: ignore[override]
        return self._muxsaga_host.inbox

    def _start_actor_loop(self) -> None:
        msg = "a supervised actor is started by its supervisor"
        raise TypeError(msg)

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super()._handle_failure(exception_type, exception_value, traceback)
        self._muxsaga_host.failed(exception_value)


def hosted_class(actor_class: type[ThreadingActor]) -> type[HostedActor]:
    """Give a threading actor's class with a `HostedActor` before it; made once for each class."""
    made = actor_class.__dict__.get("_muxsaga_hosted")
    if made is None:
        body = {"__module__": actor_class.__module__, "__qualname__": actor_class.__qualname__}
        made = new_class(
            actor_class.__name__, (HostedActor, actor_class), {}, lambda n: n.update(body)
        )
        actor_class._muxsaga_hosted = made  # type: ignore[attr-defined]  # noqa: SLF001
    return cast("type[HostedActor]", made)


def make_hosted(
    actor_class: type[ThreadingActor],
    host: ActorHost,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> ThreadingActor:
    """Make an actor with its host's inbox; its loop is the host's.

    Raises:
        Exception: whatever the constructor raised.
        TypeError: the constructor does not call the constructor of its base.
    """
    made = hosted_class(actor_class)
    actor = made.__new__(made)
    actor._muxsaga_host = host  # noqa: SLF001
    made.__init__(actor, *args, **kwargs)
    if not hasattr(actor, "_actor_ref"):
        msg = f"{actor_class.__name__}.__init__ does not call super().__init__()"
        raise TypeError(msg)
    return actor


def fail_actor(actor: Actor, error: BaseException) -> None:
    """Let an actor end by an exception: log it, unregister, set the stopped flag."""
    actor._handle_failure(type(error), error, error.__traceback__)  # noqa: SLF001
