"""The launcher's core: frames and time in; rows, blobs and frames out. No I/O and no clock.

One pass is: `receive` for every ZeroMQ message that waits, `fire_timers`, then `end_pass`. The
shell commits the pass's rows, and only then publishes its blobs and sends its messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from actors.coordinator_messages import Crash, EndAll, RecoverSagas
from actors.core import Core
from actors.dispatcher import Choice, Dispatcher
from actors.engine_view import EngineView
from actors.intake import Intake, ReportKey
from actors.launcher_extension import LoadedExtension, known_types, saga_kinds
from actors.launcher_link import LauncherLink, Outgoing
from actors.recorder import BLOB_LIMIT
from actors.reducer import Reducer
from actors.saga_actor import BeforeTurn
from actors.saga_log import LogContents, Row
from actors.state import State
from actors.timers import SECOND, LoopClock
from transport.allow_list import KeyPolicy
from transport.codec import Codec, encode
from transport.messages import LauncherStopping, StreamHeartbeat

STOP_GRACE = 10 * SECOND
"""How long a stopping launcher lets open sagas finish, in nanoseconds."""

STOPPING = "launcher shutting down"


MakeDispatcher = Callable[[Choice | None, State], Dispatcher]
"""Makes a dispatcher with a choice of the next actor, for an engine with this state."""


def usual_dispatcher(choose: Choice | None, state: State) -> Dispatcher:
    """Give a dispatcher; see `MakeDispatcher`."""
    del state
    return Dispatcher(choose)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a launcher behaves.

    Attributes:
        heartbeat: seconds between heartbeats, of the stream and of every host.
        timeouts: seconds by saga name, where they differ from the saga's own.
        extensions: what extension modules add.
        before_saga_turn: see `actors.saga_actor.BeforeTurn`; for tests that make sagas crash.
        blob_limit: see `Recorder`.
        allowed: says whose key may be whom; None for a link without keys, where whoever reaches it
            may be anybody.
        make_dispatcher: makes the dispatcher of an engine.
    """

    heartbeat: float = 1.0
    timeouts: dict[str, float] = field(default_factory=dict)
    extensions: tuple[LoadedExtension, ...] = ()
    before_saga_turn: BeforeTurn | None = None
    blob_limit: int = BLOB_LIMIT
    allowed: KeyPolicy | None = None
    make_dispatcher: MakeDispatcher = usual_dispatcher


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass gives, to be released in this order.

    Attributes:
        rows: to be committed, in one transaction.
        blobs: to be published once the rows are durable.
        messages: to be sent after that.
        last_version: of the stream, once this is released.
    """

    rows: list[Row]
    blobs: list[bytes]
    messages: list[Outgoing]
    last_version: int


class Engine:
    """Everything that a launcher decides.

    `view` may be asked from any thread; everything else belongs to one.

    Args:
        settings: how it behaves.
        contents: what the saga log has; the engine's own from now on.
        epoch: of this launcher's process.
        now: the outer clock, in nanoseconds; it only has to be monotonic.
        wall_offset: what to add to the outer clock to have the wall clock, in nanoseconds.
        choose: the dispatcher's choice of the next actor; by default the one ready longest.
        poisonous: report frames to be refused, for engines crashed over them twice.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        contents: LogContents,
        epoch: str,
        now: int,
        wall_offset: int = 0,
        choose: Choice | None = None,
        poisonous: frozenset[ReportKey] = frozenset(),
    ) -> None:
        reducer = Reducer()
        for each in settings.extensions:
            reducer = reducer.extended(each.launcher.arms, each.launcher.self_handlers)
        log_id = contents.log_id
        self.state = State(log_id, contents.version, contents.next_saga_id, contents.mirror)
        heartbeat = round(settings.heartbeat * SECOND)
        self.link = LauncherLink(log_id=log_id, epoch=epoch, heartbeat=heartbeat)
        self.codec = Codec(known_types(settings.extensions))
        self._clock = LoopClock(now)
        self._stop_by: int | None = None
        self._core = Core(
            self.state,
            kinds=saga_kinds(settings.extensions),
            reducer=reducer,
            timeouts=settings.timeouts,
            clock=self._clock,
            wall_offset=wall_offset,
            codec=self.codec,
            dispatcher=settings.make_dispatcher(choose, self.state),
            before_saga_turn=settings.before_saga_turn,
            blob_limit=settings.blob_limit,
        )
        self.view = EngineView(self._core, self.link)
        self._intake = Intake(self._core, self.link, self.codec, poisonous, settings.allowed)
        self.link.superseded = contents.superseded
        self.link.recovered_taken = contents.reports_taken
        if contents.open_sagas:
            self._core.tell(RecoverSagas(contents.open_sagas))

    # --- in -----------------------------------------------------------------------------------

    def receive(
        self, connection: bytes, frames: Sequence[bytes], now: int, key: str | None = None
    ) -> None:
        """Take one ZeroMQ message from a connection; `key`: its public key, on a link with keys."""
        self._clock.look(now)
        self._intake.receive(connection, frames, key)

    def fire_timers(self, now: int, *, drained: bool) -> None:
        """Let what is due happen. `drained`: nothing waits unread."""
        self._clock.look(now)
        self._core.fire_timers(drained=drained, fresh=self._is_fresh)
        if self._stop_by is not None and self._clock.time >= self._stop_by:
            self._core.tell(EndAll(STOPPING))

    def stop(self, now: int) -> None:
        """Begin to stop: hosts are told, no refill starts, open sagas have ten seconds."""
        self._clock.look(now)
        if self._stop_by is None:
            self._stop_by = self._clock.time + STOP_GRACE
            self._core.refills_allowed = False
            self.view.stopping = True
            for peer in self.link.peers.values():
                if peer.connection is not None:
                    self.link.reply(peer.connection, LauncherStopping())

    def stop_now(self, now: int) -> None:
        """Close every open bracket as failed."""
        self.stop(now)
        self._core.tell(EndAll(STOPPING))

    def crash_coordinator(self) -> None:
        """Make the coordinator crash, for tests of what happens then.

        Raises:
            CoordinatorCrashedError: always.
        """
        self._core.tell(Crash())

    @property
    def in_work(self) -> ReportKey | None:
        """The report frame that is being taken right now; after an exception, the one at fault."""
        return self._intake.in_work

    # --- out ----------------------------------------------------------------------------------

    def end_pass(self) -> Pass:
        """Give what this pass has to make durable, publish and send."""
        self._core.plan_refills()
        for destination in self.state.take_waiting():
            peer = self.link.peers.get(self.state.addressee(destination) or "")
            if peer is not None:
                self.link.touch(peer)
        messages = self.link.take_outgoing(self.state.low_water)
        rows, blobs = self._core.recorder.take_pass()
        return Pass(rows, blobs, messages, self.state.version)

    def released(self, done: Pass) -> None:
        """Note that a pass is durable and published."""
        self.view.version = done.last_version

    def sent(self, message: Outgoing) -> None:
        """Note that a connection took a message."""
        self.link.sent(message)

    def not_sent(self, message: Outgoing, *, gone: bool) -> None:
        """Note that a connection did not take a message: it is full, or `gone`."""
        self.link.not_sent(message, gone=gone)

    def stream_heartbeat(self, status: str) -> bytes:
        """Give the stream's heartbeat; also the moment to try full connections again."""
        self.link.unblock()
        beat = StreamHeartbeat(log=self.state.log_id, last=self.view.version, status=status)
        return encode(beat)

    def signs_of_life(self) -> list[Outgoing]:
        """Give what may be said to hosts while nothing can be committed."""
        return self.link.signs_of_life()

    @property
    def last_look(self) -> int:
        """When the engine last heard the time, on the outer clock; from any thread."""
        return self._clock.seen

    @property
    def next_due(self) -> int | None:
        """In how many nanoseconds something is due, or None if nothing is."""
        due = self._core.timers.next_due()
        if self._stop_by is not None:
            due = self._stop_by if due is None else min(due, self._stop_by)
        return None if due is None else max(0, due - self._clock.time)

    @property
    def finished(self) -> bool:
        """Whether a stopping launcher has nothing open any more."""
        return self._stop_by is not None and not self.state.sagas

    def _is_fresh(self, host: str) -> bool:
        return self.link.is_fresh(host, self._clock.time)
