"""A record of when things happened in a launcher's passes, for whoever measures it.

Off, it costs nothing: the launcher is made of its usual parts. On, those at the seams of a pass are
replaced by parts that note the time before and after: the sockets, the log and the dispatcher. So
nothing here has to know how a pass is made, and no pass has to know of this.
"""

import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zmq

from actors.dispatcher import Choice, Dispatcher
from actors.launcher_passes import Arrival
from actors.launcher_sockets import LauncherSockets
from actors.saga_log import LogContents, Row, SagaLog
from actors.state import State
from transport.endpoints import Endpoints
from transport.event_stream.query_session import JournalReader
from transport.zeromq.authenticator import Doorkeeper

MOST_NOTES = 5_000_000
"""What comes after so many is not noted."""


class Moment(IntEnum):
    """What happened: each piece of work is noted when it begins and when it is done."""

    WAITS = 1
    AWAKE = 2
    READS = 3
    READ = 4
    DISPATCHES = 5
    DISPATCHED = 6
    COMMITS = 7
    COMMITTED = 8


class Note(NamedTuple):
    """Something that happened.

    Attributes:
        at_ns: when, on the machine's monotonic clock.
        version: of the last event by then; 0 where it is not known.
    """

    moment: Moment
    at_ns: int
    version: int


class PassTimes:
    """Takes notes, in the launcher's thread; makes the parts that take them."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, int, int]] = []

    def note(self, moment: Moment, version: int = 0) -> None:
        """Note that something happens now."""
        if len(self._notes) < MOST_NOTES:
            self._notes.append((moment, time.monotonic_ns(), version))

    def sockets(
        self,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        doorkeeper: Doorkeeper | None,
        others: Sequence[int],
    ) -> "TimedSockets":
        """Make a launcher's sockets."""
        return TimedSockets(context, endpoints, doorkeeper, others, times=self)

    def dispatcher(self, choose: Choice | None, state: State) -> "TimedDispatcher":
        """Make the dispatcher of an engine."""
        return TimedDispatcher(choose, times=self, state=state)

    def log(self, log: SagaLog) -> "TimedLog":
        """Give the log to be used in place of this one."""
        return TimedLog(log, times=self)

    def write(self, path: Path) -> None:
        """Write all notes to a file, in place of what was there."""
        path.write_bytes(msgspec.msgpack.encode(self._notes))


def read_notes(path: Path) -> list[Note]:
    """Give the notes in a file.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: there is something else in it.
    """
    return msgspec.msgpack.decode(path.read_bytes(), type=list[Note])


class TimedSockets(LauncherSockets):
    """A launcher's sockets; notes when it waits for them and when it reads."""

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        doorkeeper: Doorkeeper | None,
        others: Sequence[int],
        *,
        times: PassTimes,
    ) -> None:
        super().__init__(context, endpoints, doorkeeper, others)
        self._times = times

    def poll(self, wait: int) -> bool:
        """See `LauncherSockets`."""
        self._times.note(Moment.WAITS)
        signalled = super().poll(wait)
        self._times.note(Moment.AWAKE)
        return signalled

    def receive(self) -> Arrival | None:
        """See `LauncherSockets`."""
        self._times.note(Moment.READS)
        arrival = super().receive()
        self._times.note(Moment.READ)
        return arrival


class TimedDispatcher(Dispatcher):
    """A dispatcher; notes when actors begin to act on a command, and when none has more to do."""

    def __init__(self, choose: Choice | None, *, times: PassTimes, state: State) -> None:
        super().__init__(choose)
        self._times = times
        self._state = state

    def run_until_idle(self, turn_limit: int | None = None) -> int:
        """See `Dispatcher`."""
        self._times.note(Moment.DISPATCHES, self._state.version)
        turns = super().run_until_idle(turn_limit)
        self._times.note(Moment.DISPATCHED, self._state.version)
        return turns


class TimedLog:
    """A saga log; notes when a commit begins, and when it succeeded."""

    def __init__(self, log: SagaLog, *, times: PassTimes) -> None:
        self._log = log
        self._times = times

    @property
    def log_id(self) -> str:
        """See `SagaLog`."""
        return self._log.log_id

    def commit(self, rows: Sequence[Row]) -> None:
        """See `SagaLog`."""
        self._times.note(Moment.COMMITS)
        self._log.commit(rows)
        self._times.note(Moment.COMMITTED)

    def load(self) -> LogContents:
        """See `SagaLog`."""
        return self._log.load()

    def reader(self) -> JournalReader:
        """See `SagaLog`."""
        return self._log.reader()
