"""A launcher of the simulated world: what `actors.launcher_loop` is, on simulated sockets."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from actors.engine import Engine, Pass
from actors.engine_keeper import EngineGaveUpError, EngineKeeper
from actors.launcher_link import Outgoing
from actors.launcher_loop import COMMIT_RETRY, FRAMES_A_PASS, LONGEST_POLL
from actors.saga_log import LogUnavailableError
from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Node
from actors.simulation.simulated_saga_log import SimulatedSagaLog
from actors.simulation.sockets import Publisher, Router, Sockets
from transport.event_stream.query_session import QuerySession
from transport.memory_network import Frames

LAZIEST = 30_000_000
"""How long a launcher may be held up by others on its machine, in nanoseconds."""


class Moment(StrEnum):
    """A moment of a pass in which a launcher can be killed."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    AFTER_PUBLISHING = "after_publishing"
    WHILE_SENDING = "while_sending"


class _KilledError(Exception):
    """The armed moment came: nothing after it happens."""


@dataclass(frozen=True, slots=True)
class RareThings:
    """How often a launcher's loop does the rare thing; shares from 0 to 1.

    Attributes:
        short_pass: a pass reads only some of what waits.
        late_pass: a pass begins late, so that more waits.
    """

    short_pass: float = 0.0
    late_pass: float = 0.0


@dataclass(frozen=True, slots=True)
class LauncherHooks:
    """What a launcher tells the world; each is called at the moment itself.

    Attributes:
        outage: the log could not be written for the reason given; "" when it can again.
        ended: its process is gone: it was killed at the armed moment, or gave up.
        crashed: its engine raised something that nobody asked for.
    """

    outage: Callable[[str], None]
    ended: Callable[[str], None]
    crashed: Callable[[Exception], None]


def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class _Held:
    """A pass that could not be committed, and when it is tried again."""

    done: Pass
    retry_at: int


class LauncherNode(Node):
    """One life of the launcher.

    Args:
        sockets: where it binds.
        clock: of its machine.
        keeper: has the engine.
        log: outlives it.
        generator: chance for what its loop is free to do.
        rare: how often it does the rare thing.
        hooks: what it tells the world.

    Attributes:
        kill_at: the moment of a pass in which it is to be killed; None for none.
        when_killed: called when it was.
        outage: why its log could not be written when it last tried; None if it could.
        published: the last version that it published.
    """

    def __init__(
        self,
        *,
        sockets: Sockets,
        clock: MachineClock,
        keeper: EngineKeeper,
        log: SimulatedSagaLog,
        generator: Random,
        rare: RareThings,
        hooks: LauncherHooks,
    ) -> None:
        super().__init__(sockets.network, clock, self._round)
        self.kill_at: Moment | None = None
        self.when_killed: Callable[[], None] = _nothing
        self.published = log.reader().view().last
        self._keeper = keeper
        self._log = log
        self._generator = generator
        self._rare = rare
        self._hooks = hooks
        self._sockets = sockets
        self._router = sockets.router = Router(self._frame_came, generator)
        self._publisher = sockets.publisher = Publisher(generator)
        self._query = QuerySession(log.reader(), keeper.engine.view)
        self._questions: list[tuple[Frames, Callable[[Frames], None]]] = []
        self._next_heartbeat = self.now
        self._held: _Held | None = None
        self.outage: str | None = None
        self._crash_asked = False
        self.wake()

    @property
    def engine(self) -> Engine:
        """The engine that runs now."""
        return self._keeper.engine

    @property
    def at_rest(self) -> bool:
        """Whether no pass waits for the log."""
        return self._held is None

    def crash_coordinator(self) -> None:
        """Let the coordinator crash in the next pass."""
        self._crash_asked = True
        self.wake()

    def ask(self, question: Frames, answer: Callable[[Frames], None]) -> None:
        """Take a question; its answer comes when the process runs."""
        self._questions.append((question, answer))
        if not self.standing:
            self._answer()

    def go_on(self) -> None:
        """End a stand-still."""
        self._answer()
        super().go_on()

    def die(self) -> None:
        """End at once: only the log stays."""
        super().die()
        self._router.close()
        self._publisher.close()
        self._sockets.router = self._sockets.publisher = None

    def _answer(self) -> None:
        questions, self._questions = self._questions, []
        for question, answer in questions:
            answer(self._query.answer(question[0]))

    # --- one round ----------------------------------------------------------------------------

    def _frame_came(self) -> None:
        if self._generator.random() < self._rare.late_pass:
            pause = self._generator.randrange(LAZIEST)
            self.network.at(self.network.clock.now + pause, self.wake)
        else:
            self.wake()

    def _round(self) -> None:
        try:
            self._beat()
            if self._held is not None:
                if self.now >= self._held.retry_at:
                    self._finish(self._held.done)
            else:
                self._finish(self._one_pass())
        except _KilledError:
            self._hooks.ended("killed")
            self.when_killed()
            return
        except Exception as error:  # noqa: BLE001 - as in production: the engine is made anew
            if not self._replace(error):
                return
        self._plan_next()

    def _replace(self, error: Exception) -> bool:
        if not self._crash_asked:
            self._hooks.crashed(error)
        self._crash_asked = False
        self._held = None
        try:
            self._keeper.replace(error, self.now)
        except EngineGaveUpError:
            self._hooks.ended("ended")
            return False
        return True

    def _one_pass(self) -> Pass:
        drained = self._read_link()
        if self._crash_asked:
            self.engine.crash_coordinator()
        self.engine.fire_timers(self.now, drained=drained)
        if not drained:
            self.wake()
        return self.engine.end_pass()

    def _read_link(self) -> bool:
        limit = FRAMES_A_PASS
        if self._generator.random() < self._rare.short_pass:
            limit = self._generator.randrange(4)
        for _ in range(limit):
            message = self._router.receive()
            if message is None:
                return True
            self.engine.receive(*message, self.now)
        return False

    def _beat(self) -> None:
        if self.now < self._next_heartbeat:
            return
        self._next_heartbeat = self.now + self.engine.link.heartbeat
        status = "ok" if self.outage is None else f"log unavailable: {self.outage}"
        self._publisher.publish(self.engine.stream_heartbeat(status))
        if self.outage is not None:
            for message in self.engine.signs_of_life():
                self._send(message)

    def _finish(self, done: Pass) -> None:
        if done.rows:
            self._reach(Moment.BEFORE_COMMIT)
            if not self._commit(done):
                return
            self._reach(Moment.AFTER_COMMIT)
        self._held = None
        for blob in done.blobs:
            self._publisher.publish(blob)
        self.published = done.last_version
        if done.blobs:
            self._reach(Moment.AFTER_PUBLISHING)
        self.engine.released(done)
        for message in done.messages:
            self._send(message)
            if message.steps:
                self._reach(Moment.WHILE_SENDING)

    def _commit(self, done: Pass) -> bool:
        try:
            self._log.commit(done.rows)
        except LogUnavailableError as error:
            if self.outage is None:
                self._hooks.outage(str(error))
            self.outage = str(error)
            self._held = _Held(done, self.now + COMMIT_RETRY)
            return False
        if self.outage is not None:
            self._hooks.outage("")
            self.outage = None
        return True

    def _send(self, message: Outgoing) -> None:
        match self._router.send(message.connection, message.frames):
            case None:
                self.engine.not_sent(message, gone=True)
            case False:
                self.engine.not_sent(message, gone=False)
            case True:
                self.engine.sent(message)

    def _reach(self, moment: Moment) -> None:
        if self.kill_at is moment:
            raise _KilledError

    def _plan_next(self) -> None:
        if self._held is not None:
            self.wake_at(min(self._held.retry_at, self._next_heartbeat))
            return
        due = self.engine.next_due
        sleep = LONGEST_POLL if due is None else min(due, LONGEST_POLL)
        self.wake_at(min(self.now + sleep, self._next_heartbeat))
