"""The shells of the simulated world: what the poll loops are in production, on the memory network.

A node holds one core. It is woken when a frame arrived or a time has come, lets the core act, and
sends what the core gives. It decides nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from actors.engine import Engine
from actors.saga_log import SagaLog
from host_sim.host import Host
from transport.event_stream.items import Item
from transport.event_stream.observer_session import ObserverSession
from transport.event_stream.query_session import QuerySession
from transport.memory_network import MemoryNetwork, Wire

LONGEST_SLEEP = 250_000_000
"""A launcher looks at the clock at least this often, in nanoseconds."""

Frames = Sequence[bytes]


class Node:
    """Something that is woken."""

    def __init__(self, network: MemoryNetwork, wake: Callable[[], None]) -> None:
        self._network = network
        self._wake = wake
        self._wake_at: int | None = None

    @property
    def now(self) -> int:
        """The virtual time, in nanoseconds."""
        return self._network.clock.now

    def wake_at(self, time: int) -> None:
        """Be woken at a time, or earlier."""
        time = max(time, self.now)
        if self._wake_at is not None and self._wake_at <= time:
            return
        self._wake_at = time
        self._network.at(time, lambda: self._woken(time))

    def _woken(self, time: int) -> None:
        if self._wake_at == time:
            self._wake_at = None
            self._wake()


class LauncherNode(Node):
    """A launcher."""

    def __init__(
        self, network: MemoryNetwork, engine: Engine, log: SagaLog, generator: Random
    ) -> None:
        super().__init__(network, self.run_pass)
        self.engine = engine
        self._log = log
        self._query = QuerySession(log.reader(), engine.view)
        self._inbox: list[tuple[bytes, Frames]] = []
        self._hosts: dict[bytes, Callable[[Frames], None]] = {}
        self._subscribers: dict[str, Callable[[Frames], None]] = {}
        self._next_heartbeat = generator.randrange(engine.link.heartbeat)

    def connect(self, connection: bytes, deliver: Callable[[Frames], None]) -> None:
        """Open a link: what is sent to the connection is delivered there."""
        self._hosts[connection] = deliver

    def disconnect(self, connection: bytes) -> None:
        """End a link: whatever is still under way on it is lost."""
        self._hosts.pop(connection, None)

    def is_connected(self, connection: bytes) -> bool:
        """Say whether a link is open."""
        return connection in self._hosts

    def subscribe(self, name: str, deliver: Callable[[Frames], None]) -> None:
        """Let somebody receive the event stream."""
        self._subscribers[name] = deliver

    def arrive(self, connection: bytes, frames: Frames) -> None:
        """Take one ZeroMQ message from a connection."""
        if connection in self._hosts:
            self._inbox.append((connection, frames))
            self.wake_at(self.now)

    def answer(self, frame: bytes) -> list[bytes]:
        """Answer a question."""
        return self._query.answer(frame)

    def run_pass(self) -> None:
        """Do what one round of the poll loop does."""
        if self.now >= self._next_heartbeat:
            self._next_heartbeat = self.now + self.engine.link.heartbeat
            self._publish(self.engine.stream_heartbeat("ok"))
        inbox, self._inbox = self._inbox, []
        for connection, frames in inbox:
            self.engine.receive(connection, frames, self.now)
        self.engine.fire_timers(self.now, drained=True)
        done = self.engine.end_pass()
        self._log.commit(done.rows)
        for blob in done.blobs:
            self._publish(blob)
        self.engine.released(done)
        for message in done.messages:
            deliver = self._hosts.get(message.connection)
            if deliver is None:
                self.engine.not_sent(message, gone=True)
                continue
            self.engine.sent(message)
            name = message.connection.decode()
            self._network.send(Wire(("down", name)), message.frames, deliver)
        due = self.engine.next_due
        sleep = LONGEST_SLEEP if due is None else min(due, LONGEST_SLEEP)
        self.wake_at(min(self.now + sleep, self._next_heartbeat))

    def _publish(self, frame: bytes) -> None:
        for name, deliver in self._subscribers.items():
            self._network.send(Wire(("stream", name)), [frame], deliver)


class HostNode(Node):
    """A host, with one link at a time."""

    def __init__(
        self, network: MemoryNetwork, name: str, host: Host, launcher: LauncherNode
    ) -> None:
        super().__init__(network, self.run)
        self.name = name
        self.host = host
        self.control_answers: list[bytes] = []
        self._launcher = launcher
        self._connections = 0
        self.connection = b""
        launcher.subscribe(name, self._receive_stream)

    def connect(self) -> None:
        """Open a new link; the one before is over."""
        self._launcher.disconnect(self.connection)
        self._connections += 1
        self.connection = f"{self.name}-{self._connections}".encode()
        mine = self.connection
        self._launcher.connect(mine, partial(self._receive_link, mine))
        self.host.connected(self.now)
        self.wake_at(self.now)

    def control(self, frame: bytes) -> None:
        """Take a user action."""
        self.host.receive_control(b"driver", frame, self.now)
        self.wake_at(self.now)

    def run(self) -> None:
        """Do what one round of the poll loop does."""
        self.host.advance(self.now)
        if self.host.needs_connection:
            self.connect()
            self.host.advance(self.now)
        deliver = partial(self._launcher.arrive, self.connection)
        while frames := self.host.link_outgoing():
            self._network.send(Wire(("up", self.connection.decode())), frames, deliver)
        self.control_answers.extend(frame for _, frame in self.host.control_outgoing())
        due = self.host.next_due()
        if due is not None:
            self.wake_at(max(due, self.now + 1))

    def _receive_link(self, connection: bytes, frames: Frames) -> None:
        if connection == self.connection and self._launcher.is_connected(connection):
            self.host.receive_link(frames, self.now)
            self.wake_at(self.now)

    def _receive_stream(self, frames: Frames) -> None:
        for frame in frames:
            self.host.receive_stream(frame, self.now)
        self.wake_at(self.now)


class ObserverNode(Node):
    """An observer."""

    def __init__(
        self,
        network: MemoryNetwork,
        name: str,
        session: ObserverSession,
        launcher: LauncherNode,
        take: Callable[[Item], None],
    ) -> None:
        super().__init__(network, self.run)
        self.name = name
        self._session = session
        self._launcher = launcher
        self._take = take
        launcher.subscribe(name, self._receive_stream)

    def run(self) -> None:
        """Do what one round of the poll loop does."""
        self._session.tick(self.now)
        for question in self._session.questions():
            self._network.send(Wire(("question", self.name)), [question], self._ask)
        for item in self._session.items():
            self._take(item)
        if self._session.deadline is not None:
            self.wake_at(max(self._session.deadline, self.now + 1))

    def _ask(self, frames: Frames) -> None:
        answer = self._launcher.answer(frames[0])
        self._network.send(Wire(("answer", self.name)), answer, self._receive_answer)

    def _receive_answer(self, frames: Frames) -> None:
        self._session.receive_answer(frames, self.now)
        self.run()

    def _receive_stream(self, frames: Frames) -> None:
        for frame in frames:
            self._session.receive_stream(frame, self.now)
        self.run()
