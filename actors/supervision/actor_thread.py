"""A threading actor's incarnation: the thread, Pykka's loop as it should be, and its end.

It differs from Pykka's own loop in this: the constructor runs in the actor's thread, so that a
supervisor never waits for it; a failing constructor or `on_start` ends the start; an exception
that is no `Exception` (`SystemExit` raised by mistake in a library) ends this one actor, while
Pykka's stops all there are; and the inbox closes.
"""

import logging
from threading import Lock, Thread
from typing import Any

from pykka import ActorDeadError, ActorRegistry, ThreadingActor

from actors.pykka_internals import (
    Envelope,
    answer,
    answer_error,
    fail_actor,
    handle_receive,
    make_hosted,
)
from actors.supervision.actor_life import LifeListener, crashed
from actors.supervision.actor_post import Post
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import NORMAL, ExitKind, ExitReason
from actors.supervision.closing_inbox import ClosingInbox
from actors.supervision.stuck_actors import StuckBudget

logger = logging.getLogger("pykka")


class ThreadLife:
    """One incarnation of a threading actor.

    Its thread is a daemon, so that one that hangs does not keep the process from ending; the
    supervisor's own thread keeps the process, and ends after all its actors.
    """

    def __init__(
        self,
        post: Post,
        worker: Worker,
        listener: LifeListener,
        stuck: StuckBudget,
        *,
        is_daemon: bool = True,
    ) -> None:
        inbox = post.begin()
        assert isinstance(inbox, ClosingInbox)  # noqa: S101 - a post keeps its kind
        self.inbox = inbox
        self._post = post
        self._worker = worker
        self._listener = listener
        self._stuck = stuck
        self._thread = Thread(
            target=self._run, name=f"{worker.actor_class.__name__}-{post.name}", daemon=is_daemon
        )
        self._lock = Lock()
        self._is_over = False
        self._was_up = False
        self._actor: ThreadingActor | None = None
        self._error: BaseException | None = None
        self._ordered_end = NORMAL

    def start(self) -> None:
        """Begin, unless too many threads hang already."""
        try:
            self._stuck.check()
            self.inbox.busy_since = self.inbox.clock()
            self._thread.start()
        except RuntimeError as error:
            self._is_over = True
            self._listener.life_not_started(crashed(error))

    def stop(self, reason: ExitReason) -> None:
        """End after the message in work, before all that wait."""
        self._ordered_end = reason
        self.inbox.request_stop()

    def kill(self, reason: ExitReason | None = None) -> None:
        """Leave the thread alone; if it comes back it ends, without `on_stop`."""
        is_busy = self.inbox.busy_since != 0
        if not self._claim_end():
            return
        kind = ExitKind.ABANDONED if is_busy else ExitKind.KILLED
        reason = reason or ExitReason(kind, "did not stop by its deadline" if is_busy else "")
        self._stuck.abandon(self._thread)
        if self._actor is not None:
            self._actor.actor_stopped.set()
            ActorRegistry.unregister(self._actor.actor_ref)
        in_work = self.inbox.current
        self._post.close_thread_inbox(self.inbox)
        if in_work is not None:
            dead = ActorDeadError(f"{self._post.name!r} was abandoned in the middle of the message")
            answer_error(in_work, dead)
        self._report(reason)

    def message_age(self) -> int | None:
        """For how long the message in work has been, in nanoseconds."""
        since = self.inbox.busy_since
        return max(0, self.inbox.clock() - since) if since else None

    def failed(self, error: BaseException | None) -> None:
        """Learn of an exception that ends the actor (see `HostedActor`)."""
        self._error = self._error or error

    # -- in the actor's thread

    def _run(self) -> None:
        try:
            actor = self._make()
            if actor is not None:
                self._loop(actor)
        except BaseException as error:
            self.failed(error)
            logger.exception("Unhandled exception in %s:", self._post.name)
        finally:
            if self._actor is not None:
                self._actor.actor_stopped.set()
                ActorRegistry.unregister(self._actor.actor_ref)
            if self._claim_end():
                self._post.close_thread_inbox(self.inbox)
                self._report(crashed(self._error) if self._error else self._ordered_end)

    def _make(self) -> ThreadingActor | None:
        """Make the actor, or say that it could not be."""
        worker = self._worker
        actor_class = worker.actor_class
        assert issubclass(actor_class, ThreadingActor)  # noqa: S101 - a worker of this kind
        try:
            actor = make_hosted(actor_class, self, worker.args, worker.kwargs)
            ActorRegistry.register(actor.actor_ref)
            self._actor = actor
            actor.on_start()
        except BaseException as error:  # noqa: BLE001 - it reaches whoever asked for the start
            if self._claim_end():
                self._post.close_thread_inbox(self.inbox)
                self._listener.life_not_started(crashed(error))
            return None
        with self._lock:
            if self._is_over:
                return None
            self._was_up = True
            self._post.up(actor.actor_ref)
        self._listener.life_started()
        return actor

    def _loop(self, actor: ThreadingActor) -> None:
        inbox, stopped = self.inbox, actor.actor_stopped
        while not stopped.is_set():
            envelope = inbox.get()
            if self._is_over:
                return
            try:
                response = handle_receive(actor, envelope.message)
            except Exception as error:
                if envelope.reply_to is None:
                    self._fail(actor, error)
                else:
                    logger.info("Exception returned from %s to caller:", actor, exc_info=True)
                    answer_error(envelope, error)
            except BaseException as error:  # noqa: BLE001 - it ends this actor, not all
                self._fail(actor, error)
                self._answer_dead(envelope, error)
            else:
                answer(envelope, response)

    def _fail(self, actor: ThreadingActor, error: BaseException) -> None:
        fail_actor(actor, error)
        try:
            actor.on_failure(type(error), error, error.__traceback__)
        except BaseException as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"on_failure raised too: {second!r}")
            fail_actor(actor, second)

    def _answer_dead(self, envelope: Envelope[Any], error: BaseException) -> None:
        dead = ActorDeadError(f"{self._post.name!r} ended by {error!r}")
        dead.__cause__ = error
        answer_error(envelope, dead)

    # -- the end, from either thread

    def _claim_end(self) -> bool:
        with self._lock:
            claimed = not self._is_over
            self._is_over = True
            return claimed

    def _report(self, reason: ExitReason) -> None:
        if self._was_up:
            self._post.exited(reason)
        self._listener.life_ended(reason)
