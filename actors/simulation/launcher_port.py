"""What the passes of a simulated launcher stand on; each can be the last thing it does."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from actors.engine import Pass
from actors.launcher_link import Outgoing
from actors.launcher_passes import Arrival, Sent
from actors.saga_log import LogContents, Row
from actors.simulation.simulated_saga_log import SimulatedSagaLog
from actors.simulation.sockets import Publisher, Router
from transport.event_stream.query_session import JournalReader


class Moment(StrEnum):
    """A moment of a pass in which a launcher can be killed."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    AFTER_PUBLISHING = "after_publishing"
    WHILE_SENDING = "while_sending"


class LauncherKilledError(Exception):
    """The armed moment came: nothing after it happens."""


Doing = Sequence[Row] | Outgoing
"""What a launcher does at a moment: the rows that it commits or published, or what it sent."""


def _nothing(moment: Moment, doing: Doing) -> None:
    """Let a moment pass."""


class Doom:
    """When a launcher is to be killed.

    Attributes:
        at: the moment of a pass; None for none.
        watch: called at every moment; it may raise `LauncherKilledError` too.
    """

    def __init__(self) -> None:
        self.at: Moment | None = None
        self.watch: Callable[[Moment, Doing], None] = _nothing

    def reach(self, moment: Moment, doing: Doing) -> None:
        """Be at a moment.

        Raises:
            LauncherKilledError: it is the one.
        """
        self.watch(moment, doing)
        if self.at is moment:
            raise LauncherKilledError


class DoomedLog:
    """A saga log before or after whose commits its launcher may be killed."""

    def __init__(self, log: SimulatedSagaLog, doom: Doom) -> None:
        self._log = log
        self._doom = doom

    @property
    def log_id(self) -> str:
        """The log's own id."""
        return self._log.log_id

    def commit(self, rows: Sequence[Row]) -> None:
        """Keep all rows; see `SagaLog.commit`."""
        self._doom.reach(Moment.BEFORE_COMMIT, rows)
        self._log.commit(rows)
        self._doom.reach(Moment.AFTER_COMMIT, rows)

    def load(self) -> LogContents:
        """Give everything that is committed."""
        return self._log.load()

    def reader(self) -> JournalReader:
        """Give a reader of what is committed."""
        return self._log.reader()


class SimulatedPort:
    """A launcher's simulated sockets and clock; see `LauncherPort`.

    Args:
        router: the hosts' link.
        publisher: the event stream.
        clock: of its machine.
        doom: when it is to be killed.
        outage: told why the log cannot be written, or "" when it can again.
        published: the last version that was published before.

    Attributes:
        published: the last version that was published.
    """

    broken: type[BaseException] = LauncherKilledError

    def __init__(
        self,
        *,
        router: Router,
        publisher: Publisher,
        clock: Callable[[], int],
        doom: Doom,
        outage: Callable[[str], None],
        published: int,
    ) -> None:
        self.published = published
        self._router = router
        self._publisher = publisher
        self._clock = clock
        self._doom = doom
        self._outage = outage

    def now(self) -> int:
        """Give what the clock of its machine shows, in nanoseconds."""
        return self._clock()

    def receive(self) -> Arrival | None:
        """Give a message that waits; None if none does."""
        message = self._router.receive()
        return None if message is None else (*message, None)

    def publish(self, done: Pass) -> None:
        """Put the blobs of a pass on the event stream."""
        for blob in done.blobs:
            self._publisher.publish(blob)
        self.published = done.last_version
        if done.blobs:
            self._doom.reach(Moment.AFTER_PUBLISHING, done.rows)

    def beat(self, heartbeat: bytes) -> None:
        """Put a heartbeat on the event stream."""
        self._publisher.publish(heartbeat)

    def send(self, message: Outgoing) -> Sent:
        """Send a message."""
        taken = self._router.send(message.connection, message.frames)
        if taken is None:
            return Sent.GONE
        if not taken:
            return Sent.FULL
        if message.steps:
            self._doom.reach(Moment.WHILE_SENDING, message)
        return Sent.TAKEN

    def log_lost(self, reason: str) -> None:
        """Tell that the log cannot be written."""
        self._outage(reason)

    def log_found(self) -> None:
        """Tell that it can again."""
        self._outage("")
