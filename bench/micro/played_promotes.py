"""A launcher's core and one host's session without sockets: promotes, pass by pass.

The launcher makes production's own passes, the host's end is production's own session; only the
windows are played.
"""

from collections import deque
from collections.abc import Sequence

from actors.engine import Engine, EngineSettings, Pass
from actors.engine_keeper import EngineKeeper
from actors.intake import ReportKey
from actors.launcher_link import Outgoing
from actors.launcher_passes import Arrival, LauncherPasses, Sent
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import LogContents, Row, SagaLog
from transport.codec import Codec
from transport.event_stream.query_session import JournalReader
from transport.host_session import HostSession
from transport.host_session_events import CommandReceived
from transport.labels import window_label
from transport.messages import (
    Command,
    CommandIdentity,
    Report,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    ReportWindowOpened,
)

HOST = "bench-0"
HOST_EPOCH = "0123456789abcdef" * 2
LAUNCHER_EPOCH = "a" * 32
LOG_ID = "f" * 32
CONNECTION = b"\x00host"

SPARE_WINDOWS = 4
"""The pool holds so many windows more than promotes are in flight."""

TICK = 1_000_000
"""How much later each pass is, in nanoseconds."""


class RecordingLog:
    """A saga log that hands its commits on, and keeps their rows if it is asked to.

    Attributes:
        kept: the rows of each commit, in order; None where they are not to be kept.
    """

    def __init__(self, log: SagaLog, *, keep: bool = False) -> None:
        self.kept: list[Sequence[Row]] | None = [] if keep else None
        self._log = log

    @property
    def log_id(self) -> str:
        """The log's own id."""
        return self._log.log_id

    def commit(self, rows: Sequence[Row]) -> None:
        """Make all rows durable, in one transaction."""
        if self.kept is not None:
            self.kept.append(rows)
        self._log.commit(rows)

    def load(self) -> LogContents:
        """Give everything that is committed."""
        return self._log.load()

    def reader(self) -> JournalReader:
        """Give a reader of what is committed."""
        return self._log.reader()


class PlayedPort:
    """Implements `LauncherPort`: one host's connection, as two lists.

    Attributes:
        arrivals: messages that wait in the link.
        sent: what the launcher said to the host.
        published: the blobs of the last pass.
    """

    broken: type[BaseException] = KeyboardInterrupt

    def __init__(self) -> None:
        self.time = 0
        self.arrivals: deque[Sequence[bytes]] = deque()
        self.sent: list[bytes] = []
        self.published: list[bytes] = []

    def now(self) -> int:
        """Give the time, in nanoseconds."""
        return self.time

    def receive(self) -> Arrival | None:
        """Give the next message."""
        return (CONNECTION, self.arrivals.popleft(), None) if self.arrivals else None

    def publish(self, done: Pass) -> None:
        """Keep the blobs of a pass."""
        self.published = done.blobs

    def beat(self, heartbeat: bytes) -> None:
        """Nobody listens."""

    def send(self, message: Outgoing) -> Sent:
        """Keep what the host is told."""
        self.sent.extend(message.frames)
        return Sent.TAKEN

    def log_lost(self, reason: str) -> None:
        """Fail: nothing here makes a log unavailable."""
        raise AssertionError(reason)

    def log_found(self) -> None:
        """Nothing was lost."""


class PlayedPromotes:
    """One launcher, one host with a full pool.

    Args:
        in_flight: how many promotes are in flight at once.
        keep_rows: keep the rows of every commit.

    Attributes:
        log: the saga log, in memory.
    """

    def __init__(self, in_flight: int, *, keep_rows: bool = False) -> None:
        self.log = RecordingLog(MemorySagaLog(LOG_ID), keep=keep_rows)
        self._port = PlayedPort()
        self._keeper = EngineKeeper(self._make_engine, budget=1)
        self._passes = LauncherPasses(self._keeper, self.log, self._port)
        target = in_flight + SPARE_WINDOWS
        self._session = HostSession(host=HOST, epoch=HOST_EPOCH, pool_target=target, codec=Codec())
        self._pool: deque[str] = deque()
        self._windows = 0
        self._promotes = 0
        self._session.connect(0)
        while len(self._pool) < target:
            self.make_pass(self._session.outgoing())
            self.make_pass(self.answers())

    def _make_engine(self, poisonous: frozenset[ReportKey]) -> Engine:
        contents = self.log.load()
        return Engine(
            EngineSettings(), contents=contents, epoch=LAUNCHER_EPOCH, now=0, poisonous=poisonous
        )

    @property
    def engine(self) -> Engine:
        """The launcher's core."""
        return self._passes.engine

    @property
    def published(self) -> list[bytes]:
        """The blobs of the last pass."""
        return self._port.published

    @property
    def said_to_host(self) -> list[bytes]:
        """What the launcher said since `answers` was last asked."""
        return self._port.sent

    def triggers(self, count: int) -> list[bytes]:
        """Let the host promote so many windows; give its frames, one each."""
        for _ in range(count):
            self._session.report(self.promote_reports())
        return self._session.outgoing()

    def promote_reports(self) -> tuple[Report, Report, Report]:
        """Take a window out of the pool; give the three reports of its promote."""
        label = self._pool.popleft()
        self._promotes += 1
        promote_id = f"promote-{HOST_EPOCH}-{self._promotes}"
        return (
            ReportPoolWindowRemoved(label=label, reason="promoted", promote_id=promote_id),
            ReportPoolWindowPromoted(label=label, promote_id=promote_id),
            ReportWindowOpened(label=label, promote_id=promote_id),
        )

    def answers(self) -> list[bytes]:
        """Let the host take what the launcher said; give its frames, one a command."""
        for command in self.commands():
            self._session.report([self.added(command.identity)])
        return self._session.outgoing()

    def commands(self) -> list[Command]:
        """Let the host take what the launcher said; give the commands in it."""
        frames, self._port.sent = self._port.sent, []
        events = self._session.receive(frames, self._port.time)
        return [each.command for each in events if isinstance(each, CommandReceived)]

    def added(self, identity: CommandIdentity | None) -> ReportPoolWindowAdded:
        """Put a new window into the pool; give the report that settles its command."""
        self._windows += 1
        label = window_label(HOST_EPOCH, self._windows)
        self._pool.append(label)
        return ReportPoolWindowAdded(label=label, identity=identity)

    def make_pass(self, frames: Sequence[bytes]) -> None:
        """Have the launcher make one pass, with this message in its link."""
        self._port.time += TICK
        if frames:
            self._port.arrivals.append(frames)
        self._passes.go_round()
