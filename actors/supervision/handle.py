"""The handle of a child: an address that outlives the child's incarnations."""

from collections.abc import Hashable
from typing import Any

from pykka import ActorProxy

from actors.pykka_internals import Envelope, ProxyTarget, new_future, proxy_of
from actors.supervision.actor_post import Post, PostState


class Handle:
    """A child's address. It may be used from any thread, and kept as long as one likes.

    `tell` never raises because the child is down: what nobody will handle is a dead letter, and
    an ask raises `pykka.ActorDeadError`.

    Attributes:
        post: the child's post, for the supervision itself.
    """

    __slots__ = ("post",)

    def __init__(self, post: Post) -> None:
        self.post = post

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and other.post is self.post

    def __hash__(self) -> int:
        return hash(id(self.post))

    def __repr__(self) -> str:
        post = self.post
        return f"<Handle {post.name!r}, incarnation {post.incarnation}, {post.state}>"

    @property
    def name(self) -> Hashable:
        """The child's name."""
        return self.post.name

    @property
    def incarnation(self) -> int:
        """How many incarnations were up, with the one that is."""
        return self.post.incarnation

    def is_alive(self) -> bool:
        """Whether an incarnation is up."""
        return self.post.state is PostState.UP

    def tell(self, message: Any) -> None:
        """Send a message to the child, without waiting for anything.

        Raises:
            MailboxFullError: the mailbox is full, and its policy is to reject.
        """
        self.post.inbox.put(Envelope(message))

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """Send a message to the child, and give its answer as `pykka.ActorRef.ask` does.

        While the child restarts, the ask waits for the next incarnation if its mail is kept.

        Raises:
            pykka.ActorDeadError: nobody will answer.
            MailboxFullError: the mailbox is full.
            pykka.Timeout: no answer in `timeout` seconds.
        """
        future = new_future(self.post.actor_class)
        self.post.inbox.put(Envelope(message, reply_to=future))
        return future.get(timeout=timeout) if block else future

    def proxy(self) -> ActorProxy[Any]:
        """Give a Pykka proxy whose calls go to whichever incarnation is up.

        Raises:
            pykka.ActorDeadError: none is up, so the actor's attributes cannot be looked up.
        """
        return proxy_of(ProxyTarget(self, self.post.ref))
