"""The actor that a supervision tree is: in a thread of its own, or on a dispatcher."""

from __future__ import annotations

from collections.abc import Hashable
from threading import get_ident
from typing import Any

import pykka
from pykka import Future, ThreadingFuture

from actors.dispatched_actor import DispatchedActor, DispatchedFuture
from actors.mailbox import MailboxTimer
from actors.pykka_internals import Envelope
from actors.supervision.actor_answers import Answer, LocalAnswer
from actors.supervision.actor_life import crashed
from actors.supervision.actor_on_dispatcher import DispatchedLife
from actors.supervision.actor_pending import StartFailedError
from actors.supervision.actor_post import Post
from actors.supervision.actor_supervision import ActorSupervision
from actors.supervision.actor_tasks import SupervisionOptions, SupervisorTask, TaskLoop
from actors.supervision.actor_thread import ThreadLife
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ExitReason, SupervisorSpec
from actors.supervision.closing_inbox import ClosingInbox
from actors.supervision.supervisor_errors import NotRunningError


class SupervisorPost(Post):
    """The mail of a tree's actor: what comes after its end is answered, and no dead letter."""

    __slots__ = ()

    def _bury(self, envelope: Envelope[Any]) -> None:
        task = envelope.message
        if not isinstance(task, SupervisorTask):
            super()._bury(envelope)
        elif task.answer is not None:
            task.answer.set_exception((NotRunningError, NotRunningError(), None))


class SupervisorRoot:
    """A tree: its outermost supervisor, and the actor it runs in.

    Attributes:
        is_ready, has_ended: answered when it is so.
    """

    def __init__(
        self,
        spec: SupervisorSpec,
        options: SupervisionOptions,
        *,
        name: Hashable,
        is_daemon: bool,
    ) -> None:
        self.name = name
        self.options = options
        self.is_ready = self.new_answer()
        self.has_ended = self.new_answer()
        self.reason: ExitReason | None = None
        self._was_ready = False
        self.loop = TaskLoop(self)
        self.supervision = ActorSupervision(spec, self.loop, options, self)
        dispatcher = options.dispatcher
        kind = ThreadedSupervisor if dispatcher is None else DispatchedSupervisor
        worker = Worker(kind, self)
        self._post = SupervisorPost(name, worker, dispatcher, options.dead_letters, options.clock)
        if dispatcher is None:
            self._life: ThreadLife | DispatchedLife = ThreadLife(
                self._post, worker, self, options.stuck, is_daemon=is_daemon
            )
        else:
            self._life = DispatchedLife(self._post, worker, self, dispatcher)

    def start(self) -> None:
        """Start the actor, and the children."""
        self._life.start()
        self.request(self.supervision.start)

    def new_answer(self) -> Future[Any]:
        """Make the future for a request."""
        if self.options.dispatcher is None:
            return ThreadingFuture()
        future = DispatchedFuture()
        future.dispatcher = self.options.dispatcher
        return future

    def new_local_answer(self) -> Answer:
        """Make the answer for a request, which only the caller's thread will look at."""
        dispatcher = self.options.dispatcher
        if dispatcher is not None and dispatcher.owner == get_ident():
            return LocalAnswer(dispatcher)
        return self.new_answer()

    def request(self, task: Any, answer: Answer | None = None) -> None:
        """Have something done; at once, if the caller is on the tree's dispatcher."""
        dispatcher = self.options.dispatcher
        if dispatcher is not None and dispatcher.owner == get_ident():
            self.loop.run(task)
        else:
            self.post(SupervisorTask(task, answer))

    # -- the actor, for the loop

    def post(self, task: SupervisorTask) -> None:
        """Have the actor do a task; from any thread."""
        self._post.inbox.put(Envelope(task))

    def set_timer(self, key: Hashable, due: int, task: SupervisorTask) -> None:
        """Have the actor do a task at `due`."""
        inbox = self._post.inbox
        if isinstance(inbox, ClosingInbox):
            inbox.timers.set(key, task, due, None)
        else:
            inbox.set_timer(MailboxTimer(inbox, key, task, None), due)

    def cancel_timer(self, key: Hashable) -> None:
        """Make sure that a timer does not fire."""
        inbox = self._post.inbox
        if isinstance(inbox, ClosingInbox):
            inbox.timers.cancel(key)
        else:
            inbox.cancel_timer(key)

    # -- the outermost supervisor, as listened to

    def ready(self) -> None:
        """Every child of the spec was started."""
        self._was_ready = True
        self.is_ready.set(None)

    def given_up(self, name: Hashable, reason: ExitReason) -> None:
        """A child was over its own budget: it is forgotten, and nobody else notices."""

    def ended(self, reason: ExitReason) -> None:
        """The supervisor is over: so is the actor."""
        self._close(reason)
        self._life.stop(reason)

    def collapse(self, error: BaseException) -> None:
        """End without order: the supervision itself raised, which is a bug in it."""
        for slot in tuple(self.supervision.slots.values()):
            if slot.life is not None:
                slot.life.kill()
        self._close(crashed(error))

    def _close(self, reason: ExitReason) -> None:
        if self.reason is not None:
            return
        self.reason = reason
        for slot in tuple(self.supervision.slots.values()):
            slot.close()
        if not self._was_ready:
            error = StartFailedError(self.name, reason)
            self.is_ready.set_exception((StartFailedError, error, None))

    # -- the actor, as listened to

    def life_started(self) -> None:
        """The actor is up."""

    def life_not_started(self, reason: ExitReason) -> None:
        """The actor could not be started."""
        self.life_ended(reason)

    def life_ended(self, reason: ExitReason) -> None:
        """The actor is over."""
        self._close(reason)
        self._post.close()
        self.has_ended.set(self.reason)


class ThreadedSupervisor(pykka.ThreadingActor):
    """A tree in a thread of its own."""

    def __init__(self, root: SupervisorRoot) -> None:
        super().__init__()
        self._root = root
        root.loop.thread = get_ident()

    def on_receive(self, message: Any) -> None:
        """Do a task."""
        if isinstance(message, SupervisorTask):
            self._root.loop.run(message.task)

    def on_stop(self) -> None:
        """Stop all children in order before the thread ends, whoever asked for it.

        It waits for them in its own inbox, as it does all its life.
        """
        root = self._root
        if root.reason is None:
            root.loop.run(root.supervision.stop)
        while root.reason is None:
            self.on_receive(self.actor_inbox.get().message)

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """End the children too."""
        del exception_type, traceback
        self._root.collapse(exception_value)


class DispatchedSupervisor(DispatchedActor):
    """A tree on a dispatcher."""

    def __init__(self, root: SupervisorRoot) -> None:
        super().__init__()
        self._root = root

    def on_receive(self, message: Any) -> None:
        """Do a task."""
        if isinstance(message, SupervisorTask):
            self._root.loop.run(message.task)

    def stop_requested(self) -> None:
        """Stop all children in order before this actor ends, whoever asked for it."""
        self._root.loop.run(self._root.supervision.stop)

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """End the children too."""
        del exception_type, traceback
        self._root.collapse(exception_value)
