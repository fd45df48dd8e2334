"""A launcher's passes, one after the other: each is durable before anything of it leaves.

The same for every launcher, on ZeroMQ and SQLite as in the simulated world: what the sockets and
the clock are is its port's business.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol

from actors.engine import STOP_GRACE, Engine, Pass
from actors.engine_keeper import EngineKeeper
from actors.launcher_link import Outgoing
from actors.saga_log import LogUnavailableError, SagaLog

READ_LEAST = 500_000
READ_MOST = 10_000_000
"""A pass reads for as long as the last one took to be committed and sent, within these bounds, in
nanoseconds. A shorter pass would spend more time on that than on frames; a longer one lets hosts
and observers wait for what they could be working on."""

USUAL_FRAMES = 32
"""A pass reads no more frames than these, unless committing and sending the last one took longer
than that: what else waits is for the next pass, so that hosts have work during each."""

FRAMES_A_PASS = 4096
FRAMES_A_PEER = 256
"""A pass ends when it has this many frames in all, or from one peer: a flood is not the world."""

COMMIT_RETRY = 250_000_000
"""How long after a failed commit it is tried again, in nanoseconds."""

LONGEST_WAIT = 250_000_000
"""A launcher looks at the clock at least this often, in nanoseconds."""

Arrival = tuple[bytes, Sequence[bytes], str | None]
"""A message that came on the link: its connection, its frames, and the key of a link with keys."""


class Sent(Enum):
    """What became of a message."""

    TAKEN = auto()
    FULL = auto()
    GONE = auto()


class LauncherPort(Protocol):
    """A launcher's sockets and clock. Nothing here ever waits.

    Attributes:
        broken: what it raises when the process cannot go on; everything else that is raised in a
            pass is the engine's, which is made anew.
    """

    broken: type[BaseException]

    def now(self) -> int:
        """Give the time of the clock, in nanoseconds."""

    def receive(self) -> Arrival | None:
        """Give a message that waits in the link; None if none does."""

    def publish(self, done: Pass) -> None:
        """Put the blobs of a pass on the event stream."""

    def beat(self, heartbeat: bytes) -> None:
        """Put a heartbeat on the event stream."""

    def send(self, message: Outgoing) -> Sent:
        """Send a message on the link."""

    def log_lost(self, reason: str) -> None:
        """Hear that the log cannot be written, and why."""

    def log_found(self) -> None:
        """Hear that the log can be written again."""


class LauncherPasses:
    """Makes the passes of one launcher; belongs to the thread of its sockets.

    Args:
        keeper: has the engine.
        log: what is to be durable goes there.
        port: the launcher's sockets and clock.

    Attributes:
        outage: why the log could not be written when it was last tried; None if it could.
        outage_began: when that began, by the port's clock.
    """

    def __init__(self, keeper: EngineKeeper, log: SagaLog, port: LauncherPort) -> None:
        self.outage: str | None = None
        self.outage_began = 0
        self._keeper = keeper
        self._log = log
        self._port = port
        self._next_heartbeat = port.now()
        self._kept: Pass | None = None
        self._retry_at = 0
        self._has_more = False
        self._release_time = 0
        self._is_to_crash = False
        self._stop_by: int | None = None

    @property
    def engine(self) -> Engine:
        """The engine that runs now."""
        return self._keeper.engine

    @property
    def waits_for_log(self) -> bool:
        """Whether a pass could not be committed yet: no new one is made until it is."""
        return self._kept is not None

    @property
    def log_status(self) -> str:
        """Whether the log can be written, for people; may be asked from another thread."""
        outage = self.outage
        return "ok" if outage is None else f"log unavailable: {outage}"

    def crash_coordinator(self) -> None:
        """Let the coordinator crash in the next pass."""
        self._is_to_crash = True

    def wait(self) -> int:
        """Give how long nothing is to be done unless a message comes, in nanoseconds."""
        now = self._port.now()
        wait = min(LONGEST_WAIT, self._next_heartbeat - now)
        if self._kept is not None:
            due: int | None = self._retry_at - now
        else:
            due = 0 if self._has_more else self.engine.next_due
        return max(0, wait if due is None else min(wait, due))

    def beat(self) -> None:
        """Give the signs of life that are due."""
        now = self._port.now()
        if now < self._next_heartbeat:
            return
        self._next_heartbeat = now + self.engine.link.heartbeat
        self._port.beat(self.engine.stream_heartbeat(self.log_status))
        if self.outage is not None:
            for message in self.engine.signs_of_life():
                self._send(message)

    def go_round(self, stops: int = 0, frames: int = FRAMES_A_PASS) -> None:
        """Make one pass, or try again to commit the one that waits for the log; let it out.

        Args:
            stops: how many requests to stop there were so far.
            frames: how many are read at most.

        Raises:
            EngineGaveUpError: the engine crashed too often; the process has to end.
            BaseException: the port's `broken`.
        """
        if self._kept is not None and self._port.now() < self._retry_at:
            return
        try:
            done = self._kept or self._next_pass(stops, frames)
            self._kept = None if self._commit_and_release(done) else done
        except self._port.broken:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine is made anew
            self._kept = None
            self._keeper.replace(error, self._port.now())

    def must_give_up(self, stops: int) -> bool:
        """Say whether a stopping launcher has to end now: its log stayed out, or it is hurried.

        What is open then is finished by the next launcher of the log.
        """
        if not stops and self.outage is None:
            return False
        now = self._port.now()
        if stops and self._stop_by is None:
            self._stop_by = now + STOP_GRACE
        is_late = self._stop_by is not None and now >= self._stop_by
        return self.outage is not None and (stops > 1 or is_late)

    @property
    def finished(self) -> bool:
        """Whether a stopping launcher has nothing open any more."""
        return self._kept is None and self.engine.finished

    def _next_pass(self, stops: int, frames: int) -> Pass:
        now = self._port.now()
        self._has_more = not self._read_link(frames)
        if stops > 1:
            self.engine.stop_now(now)
        elif stops:
            self.engine.stop(now)
        if self._is_to_crash:
            self._is_to_crash = False
            self.engine.crash_coordinator()
        self.engine.fire_timers(self._port.now(), drained=not self._has_more)
        return self.engine.end_pass()

    def _read_link(self, limit: int) -> bool:
        """Take what waits, for a while; say whether nothing is left."""
        port, engine = self._port, self.engine
        now = port.now()
        end = now + min(max(READ_LEAST, self._release_time), READ_MOST)
        as_long_as_released = now + self._release_time
        frames_by_peer = dict[bytes, int]()
        total = 0
        while total < limit and now < end and (total < USUAL_FRAMES or now < as_long_as_released):
            arrival = port.receive()
            if arrival is None:
                return True
            connection, frames, key = arrival
            now = port.now()
            engine.receive(connection, frames, now, key)
            total += len(frames)
            of_peer = frames_by_peer.get(connection, 0) + len(frames)
            frames_by_peer[connection] = of_peer
            if of_peer >= FRAMES_A_PEER:
                return False
        return False

    def _commit_and_release(self, done: Pass) -> bool:
        """Make a pass durable, then let it out; say whether the log could be written."""
        began = self._port.now()
        if done.rows and not self._commit(done):
            return False
        self._port.publish(done)
        self.engine.released(done)
        for message in done.messages:
            self._send(message)
        self._release_time = self._port.now() - began
        return True

    def _commit(self, done: Pass) -> bool:
        try:
            self._log.commit(done.rows)
        except LogUnavailableError as error:
            now, reason = self._port.now(), str(error)
            if self.outage is None:
                self.outage_began = now
                self._port.log_lost(reason)
            self.outage = reason
            self._retry_at = now + COMMIT_RETRY
            return False
        if self.outage is not None:
            self.outage = None
            self._port.log_found()
        return True

    def _send(self, message: Outgoing) -> None:
        sent = self._port.send(message)
        if sent is Sent.TAKEN:
            self.engine.sent(message)
        else:
            self.engine.not_sent(message, gone=sent is Sent.GONE)
