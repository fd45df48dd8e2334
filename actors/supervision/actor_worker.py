"""What a child is made of: an actor class as it is, its arguments, and how its mailbox is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self

from pykka import Actor, ThreadingActor

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.supervision.mailbox_options import MailOptions, check_bound

NOTHING: Mapping[str, Any] = MappingProxyType({})
DEFAULT_MAIL = MailOptions()


class Worker:
    """An actor to be made: `Worker(MyActor, 1, two=2)`.

    Args:
        actor_class: a `pykka.ThreadingActor` or a `DispatchedActor`.
        *args: for its constructor.
        **kwargs: for its constructor.
    """

    __slots__ = ("actor_class", "args", "dispatcher", "kwargs", "mail")

    def __init__(self, actor_class: type[Actor], /, *args: Any, **kwargs: Any) -> None:
        if not issubclass(actor_class, ThreadingActor | DispatchedActor):
            msg = f"{actor_class.__name__} is neither a ThreadingActor nor a DispatchedActor"
            raise TypeError(msg)
        self.actor_class = actor_class
        self.args = args
        self.kwargs: Mapping[str, Any] = kwargs or NOTHING
        self.mail = DEFAULT_MAIL
        self.dispatcher: Dispatcher | None = None

    @property
    def is_dispatched(self) -> bool:
        """Whether the actor shares a dispatcher's thread."""
        return issubclass(self.actor_class, DispatchedActor)

    def with_mail(self, mail: MailOptions) -> Self:
        """Give the same worker with a mailbox of this kind."""
        if self.is_dispatched:
            check_bound(mail.bound, self.actor_class)
        copy = self._copy()
        copy.mail = mail
        return copy

    def on(self, dispatcher: Dispatcher) -> Self:
        """Give the same worker, to run on a dispatcher that is not its supervisor's."""
        copy = self._copy()
        copy.dispatcher = dispatcher
        return copy

    def _copy(self) -> Self:
        copy = type(self)(self.actor_class, *self.args, **self.kwargs)
        copy.mail, copy.dispatcher = self.mail, self.dispatcher
        return copy


Start = Worker | type[Actor] | Callable[[], Worker]
"""What a `ChildSpec.start` may be for an actor; a callable is asked anew for each incarnation."""


def worker_of(start: Any) -> Worker:
    """Give what a `ChildSpec.start` describes.

    Raises:
        TypeError: it describes no actor.
    """
    if isinstance(start, Worker):
        return start
    if isinstance(start, type) and issubclass(start, Actor):
        return Worker(start)
    made = start() if callable(start) else start
    if not isinstance(made, Worker):
        msg = (
            f"a child's start is a Worker, an actor class, a callable that gives a Worker, or a "
            f"SupervisorSpec, not {made!r}"
        )
        raise TypeError(msg)
    return made
