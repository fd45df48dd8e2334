"""A dispatched actor's incarnation."""

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.mailbox import Mailbox
from actors.supervision.actor_life import LifeListener, crashed
from actors.supervision.actor_post import Post
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import NORMAL, ExitKind, ExitReason

KILLED = ExitReason(ExitKind.KILLED)
DISPATCHER_CLOSED = ExitReason(ExitKind.CRASHED, "its dispatcher is closed")


class DispatchedLife:
    """One incarnation of a dispatched actor.

    What its supervisor asks for happens at once if the supervisor is on the same dispatcher, and
    else when the dispatcher's thread comes to it.
    """

    __slots__ = ("_dispatcher", "_end", "_is_over", "_listener", "_mailbox", "_post", "_worker")

    def __init__(
        self, post: Post, worker: Worker, listener: LifeListener, dispatcher: Dispatcher
    ) -> None:
        self._post = post
        self._worker = worker
        self._listener = listener
        self._dispatcher = dispatcher
        self._mailbox: Mailbox | None = None
        self._end = NORMAL
        self._is_over = False

    def start(self) -> None:
        """Begin."""
        self._dispatcher.do(self._start)

    def stop(self, reason: ExitReason) -> None:
        """End before the next message."""
        self._end = reason
        self._dispatcher.do(self._stop)

    def kill(self, reason: ExitReason | None = None) -> None:
        """End without `on_stop`. If the dispatcher's thread is not free to do it, be abandoned."""
        self._end = reason or KILLED
        self._dispatcher.do(self._kill)
        if self.message_age() is not None and not self._is_over:
            self._is_over = True
            gone = ExitReason(ExitKind.ABANDONED, "its dispatcher hangs")
            self._post.exited(gone)
            self._listener.life_ended(gone)

    def message_age(self) -> int | None:
        """For how long the message in work has been, in nanoseconds."""
        dispatcher, mailbox = self._dispatcher, self._mailbox
        if mailbox is None or dispatcher.current is not mailbox:
            return None
        return max(0, dispatcher.clock() - dispatcher.turn_began)

    def ended(self, error: BaseException | None) -> None:
        """Learn that the actor ended, by `error` or in order."""
        if self._is_over:
            return
        self._is_over = True
        reason = self._end if error is None else crashed(error)
        self._post.exited(reason)
        self._listener.life_ended(reason)

    def _start(self) -> None:
        if self._is_over:
            return
        if self._dispatcher.is_closed:
            self._is_over = True
            self._listener.life_not_started(DISPATCHER_CLOSED)
            return
        worker, post = self._worker, self._post
        mailbox = post.begin()
        actor_class = worker.actor_class
        assert isinstance(mailbox, Mailbox)  # noqa: S101 - a post keeps its kind
        assert issubclass(actor_class, DispatchedActor)  # noqa: S101 - a worker of this kind
        self._mailbox = mailbox
        post.life = self
        try:
            actor = actor_class.start_with(mailbox, *worker.args, **worker.kwargs)
        except BaseException as error:
            self._is_over = True
            self._listener.life_not_started(crashed(error))
            if isinstance(error, KeyboardInterrupt):
                raise
            return
        if self._ended_in_start():
            return
        post.up(actor.actor_ref)
        self._listener.life_started()

    def _ended_in_start(self) -> bool:
        return self._is_over

    def _stop(self) -> None:
        if self._mailbox is None:
            self._end_before_start()
        else:
            self._mailbox.end()

    def _kill(self) -> None:
        if self._mailbox is None:
            self._end_before_start()
        else:
            self._mailbox.kill()

    def _end_before_start(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._listener.life_not_started(self._end)
