"""One child of an adapter's supervisor: its place, and the incarnation that is in it."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from actors.supervision.actor_life import Life, crashed
from actors.supervision.actor_nested import NestedLife
from actors.supervision.actor_on_dispatcher import DispatchedLife
from actors.supervision.actor_post import Post
from actors.supervision.actor_progress import watch_progress
from actors.supervision.actor_thread import ThreadLife
from actors.supervision.actor_worker import Worker, worker_of
from actors.supervision.child_spec import ChildSpec, ExitReason, SupervisorSpec

if TYPE_CHECKING:
    from actors.dispatcher import Dispatcher
    from actors.supervision.actor_supervision import ActorSupervision


class ChildSlot:
    """A child's place: what its handles stand on, and what outlives its supervisor's restart.

    Attributes:
        post: the mail of an actor.
        inner: the places in a nested supervisor.
        life: the incarnation that is, or is to be, up.
    """

    __slots__ = ("inner", "life", "name", "post")

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.post: Post | None = None
        self.inner: dict[Hashable, ChildSlot] | None = None
        self.life: ChildLife | None = None

    def close(self) -> None:
        """Answer for the mail of the child and of all under it; none comes back by itself."""
        if self.post is not None:
            self.post.close()
        for slot in list((self.inner or {}).values()):
            slot.close()


class ChildLife:
    """One incarnation of a child, between its supervisor and what it runs on."""

    __slots__ = ("_backend", "number", "slot", "spec", "supervision")

    def __init__(
        self, slot: ChildSlot, spec: ChildSpec, number: int, supervision: ActorSupervision
    ) -> None:
        self.slot = slot
        self.spec = spec
        self.number = number
        self.supervision = supervision
        self._backend: Life | None = None

    # -- for the supervisor

    def start(self) -> None:
        """Begin."""
        try:
            self._backend = self._make()
        except Exception as error:  # noqa: BLE001 - it reaches whoever asked for the start
            self.life_not_started(crashed(error))
        else:
            watch_progress(self.supervision, self)
            self._backend.start()

    def stop(self, reason: ExitReason) -> None:
        """End after the message in work."""
        if self._backend is not None:
            self._backend.stop(reason)

    def kill(self, reason: ExitReason | None = None) -> None:
        """End now, or be abandoned."""
        if self._backend is not None:
            self._backend.kill(reason)

    def message_age(self) -> int | None:
        """For how long the message in work has been, in nanoseconds."""
        return None if self._backend is None else self._backend.message_age()

    @property
    def nested(self) -> ActorSupervision | None:
        """The supervisor that this is, if it is one."""
        return self._backend.supervision if isinstance(self._backend, NestedLife) else None

    # -- for what it runs on

    def life_started(self) -> None:
        """The incarnation is up."""
        self.supervision.loop.do(partial(self.supervision.child_started, self))

    def life_not_started(self, reason: ExitReason) -> None:
        """There is no incarnation."""
        self.supervision.loop.do(partial(self.supervision.child_not_started, self, reason))

    def life_ended(self, reason: ExitReason) -> None:
        """The incarnation is over."""
        self.supervision.loop.do(partial(self.supervision.child_ended, self, reason))

    def _make(self) -> Life:
        slot, options, start = self.slot, self.supervision.options, self.spec.start
        if isinstance(start, SupervisorSpec):
            if slot.inner is None:
                slot.inner = {}
            return NestedLife(start, self, self.supervision, slot.inner)
        worker = worker_of(start)
        dispatcher = self._dispatcher(worker)
        post = slot.post
        if post is None:
            post = Post(self.slot.name, worker, dispatcher, options.dead_letters, options.clock)
            slot.post = post
        elif post.dispatcher is not dispatcher:
            msg = "a child stays on its thread or dispatcher from one incarnation to the next"
            raise TypeError(msg)
        post.actor_class = worker.actor_class
        if dispatcher is None:
            return ThreadLife(post, worker, self, options.stuck)
        return DispatchedLife(post, worker, self, dispatcher)

    def _dispatcher(self, worker: Worker) -> Dispatcher | None:
        if not worker.is_dispatched:
            return None
        dispatcher = worker.dispatcher or self.supervision.options.dispatcher
        if dispatcher is None:
            msg = (
                f"{worker.actor_class.__name__} needs a dispatcher: supervise(..., dispatcher=...) "
                "or Worker(...).on(dispatcher)"
            )
            raise TypeError(msg)
        return dispatcher
