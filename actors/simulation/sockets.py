"""The simulated sockets: what ZeroMQ's are to the loops, break and reconnect included.

A `DEALER` connects again by itself under a new identity, and its owner is not told; what waits in
its queue goes out then, what was under way is gone. A `SUB` loses what is published meanwhile. A
`ROUTER` reads its connections in any order, and says `gone` for one that it has lost.
"""

from collections import deque
from collections.abc import Callable
from random import Random

from transport.memory_network import Frames, MemoryNetwork, Wire, WireFault

LINK_QUEUE = 1_000
PUBLISH_QUEUE = 10_000
"""How many messages wait on one connection, as `transport.zeromq.sockets` has them."""

NOTICE = 10_000_000
"""After how many nanoseconds a peer sees that a process is gone; what it sent last comes before."""

RECONNECT = 100_000_000
"""After how many nanoseconds a socket connects again, and up to twice that, as chance has it."""


class LinkFaults:
    """What is wrong with all connections of one peer, whichever it has.

    Attributes:
        up, down: of the link's two directions.
        stream: of its subscription.
        questions: how many of its questions and answers are still to be lost.
        late_stream: by how many nanoseconds its subscriptions take effect late.
    """

    def __init__(self) -> None:
        self.up = WireFault()
        self.down = WireFault()
        self.stream = WireFault()
        self.questions = 0
        self.late_stream = 0


class Connection:
    """One connection of a DEALER to the ROUTER.

    Attributes:
        name: the identity that ZeroMQ made for it.
        known: the ROUTER has not yet seen its end.
    """

    def __init__(self, name: bytes, up: Wire, down: Wire) -> None:
        self.name = name
        self.known = True
        self.up = up
        self.down = down


class Router:
    """The launcher's link socket; it ends with its process.

    Args:
        wake: called when something can be read.
        generator: chance for the order in which connections are read.
    """

    def __init__(self, wake: Callable[[], None], generator: Random) -> None:
        self.wake = wake
        self._generator = generator
        self._connections: dict[bytes, Connection] = {}

    def add(self, connection: Connection) -> None:
        """Take a new connection."""
        self._connections[connection.name] = connection

    def receive(self) -> tuple[bytes, Frames] | None:
        """Take one message of some connection, or None if nothing waits."""
        readable = [each for each in self._connections.values() if each.up.can_be_read]
        if not readable:
            return None
        connection = (
            readable[0]
            if len(readable) == 1
            else readable[self._generator.randrange(len(readable))]
        )
        frames = connection.up.receive()
        assert frames is not None  # noqa: S101 - it said that it can be read
        return connection.name, frames

    def send(self, name: bytes, frames: Frames) -> bool | None:
        """Send; say whether there was room, None for a connection that is gone."""
        connection = self._connections.get(name)
        if connection is None or not connection.known:
            return None
        return connection.down.send(frames)

    def close(self) -> None:
        """End with its process: chance says of each connection whether the last words arrive."""
        for connection in self._connections.values():
            connection.up.close()
            _last_words(connection.down, self._generator)
        self._connections.clear()


class Publisher:
    """The launcher's event stream; it ends with its process.

    Args:
        generator: chance for what becomes of the last words.
    """

    def __init__(self, generator: Random) -> None:
        self._generator = generator
        self._wires: list[Wire] = []

    def add(self, wire: Wire) -> None:
        """Take a subscription."""
        self._wires.append(wire)

    def remove(self, wire: Wire) -> None:
        """End a subscription."""
        if wire in self._wires:
            self._wires.remove(wire)

    def publish(self, frame: bytes) -> None:
        """Send to everybody who has room; the others lose it."""
        for wire in self._wires:
            wire.send([frame])

    def close(self) -> None:
        """End with its process; see `Router.close`."""
        for wire in self._wires:
            _last_words(wire, self._generator)
        self._wires.clear()


def _last_words(wire: Wire, generator: Random) -> None:
    if generator.randrange(2):
        wire.cut()
    else:
        wire.end_late(0)


class Sockets:
    """What everybody connects to: the sockets of the launcher that lives, if one does.

    Args:
        network: carries everything.
        generator: chance for the times between connections.

    Attributes:
        router, publisher: None while no launcher is there.
    """

    def __init__(self, network: MemoryNetwork, generator: Random) -> None:
        self.network = network
        self.router: Router | None = None
        self.publisher: Publisher | None = None
        self._generator = generator
        self._count = 0

    def next_name(self, owner: str) -> bytes:
        """Give the identity of a new connection."""
        self._count += 1
        return f"{owner}-{self._count}".encode()

    def when_noticed(self, action: Callable[[], None]) -> None:
        """Do something when a peer sees that a process is gone."""
        self.network.at(self.network.clock.now + NOTICE, action)

    def soon(self, action: Callable[[], None]) -> None:
        """Do something after the time that a socket waits before it connects again."""
        pause = RECONNECT + self._generator.randrange(RECONNECT)
        self.network.at(self.network.clock.now + pause, action)


class Dealer:
    """One DEALER of a host's process.

    Args:
        sockets: what it connects to.
        owner: whose it is.
        wake: called when something can be read.
        faults: of its owner's connections.
    """

    def __init__(
        self, sockets: Sockets, owner: str, wake: Callable[[], None], faults: LinkFaults
    ) -> None:
        self.connection: Connection | None = None
        self._sockets = sockets
        self._owner = owner
        self._wake = wake
        self._faults = faults
        self._waiting: deque[Frames] = deque()
        self._open = True
        self._connect()

    def _connect(self) -> None:
        if not self._open or self.connection is not None:
            return
        router = self._sockets.router
        if router is None:
            self._sockets.soon(self._connect)
            return
        network, faults = self._sockets.network, self._faults
        up = Wire(network, router.wake, LINK_QUEUE, [faults.up])
        down = Wire(network, self._wake, LINK_QUEUE, [faults.down])
        self.connection = Connection(self._sockets.next_name(self._owner), up, down)
        router.add(self.connection)
        while self._waiting and up.send(self._waiting[0]):
            self._waiting.popleft()
        self._wake()

    def send(self, frames: Frames) -> bool:
        """Send, now or when it is connected; say whether there was room."""
        if self.connection is None or self._waiting:
            if len(self._waiting) >= LINK_QUEUE:
                return False
            self._waiting.append(frames)
            return True
        return self.connection.up.send(frames)

    def receive(self) -> Frames | None:
        """Take one message, or None if nothing waits."""
        return None if self.connection is None else self.connection.down.receive()

    def lose_connection(self, *, seen_by_router: bool, late: int | None = None) -> None:
        """Break the connection; it connects again by itself.

        Args:
            seen_by_router: the ROUTER knows at once; else it goes on sending to nobody.
            late: what is under way to the ROUTER arrives so many nanoseconds later; None loses it.
        """
        connection, self.connection = self.connection, None
        if connection is not None:
            _end(connection, seen_by_router=seen_by_router, late=late)
            self._sockets.soon(self._connect)

    def launcher_died(self) -> None:
        """See the end of the launcher's process, a little later."""
        connection = self.connection

        def notice() -> None:
            if self.connection is connection:
                self.lose_connection(seen_by_router=True)

        if connection is not None:
            self._sockets.when_noticed(notice)

    def close(self, *, late: int | None = None) -> None:
        """End it; see `lose_connection` for `late`."""
        self._open = False
        self._waiting.clear()
        if self.connection is not None:
            _end(self.connection, seen_by_router=late is None, late=late)
            self.connection = None


def _end(connection: Connection, *, seen_by_router: bool, late: int | None) -> None:
    connection.known = connection.known and not seen_by_router
    connection.down.close()
    if late is None:
        connection.up.cut()
    else:
        connection.up.end_late(late)


class Subscriber:
    """One SUB of a host's or observer's process; see `Dealer`."""

    def __init__(self, sockets: Sockets, wake: Callable[[], None], faults: LinkFaults) -> None:
        self._sockets = sockets
        self._wake = wake
        self._faults = faults
        self._wire: Wire | None = None
        self._open = True
        self._connect()

    def _connect(self) -> None:
        if not self._open or self._wire is not None:
            return
        if self._sockets.publisher is None:
            self._sockets.soon(self._connect)
            return
        network = self._sockets.network
        wire = Wire(network, self._wake, PUBLISH_QUEUE, [self._faults.stream])
        self._wire = wire
        network.at(
            network.clock.now + network.delay() + self._faults.late_stream,
            lambda: self._subscribe(wire),
        )

    def _subscribe(self, wire: Wire) -> None:
        if self._wire is not wire:
            return
        if self._sockets.publisher is None:
            self.lose_connection()
        else:
            self._sockets.publisher.add(wire)

    def receive(self) -> Frames | None:
        """Take one message, or None if nothing waits."""
        return None if self._wire is None else self._wire.receive()

    def lose_connection(self) -> None:
        """Break the connection; it connects again by itself."""
        if self._wire is not None:
            self._end()
            self._sockets.soon(self._connect)

    def launcher_died(self) -> None:
        """See the end of the launcher's process, a little later."""
        wire = self._wire

        def notice() -> None:
            if self._wire is wire:
                self.lose_connection()

        self._sockets.when_noticed(notice)

    def close(self) -> None:
        """End it."""
        self._open = False
        if self._wire is not None:
            self._end()

    def _end(self) -> None:
        assert self._wire is not None  # noqa: S101 - both callers looked
        if self._sockets.publisher is not None:
            self._sockets.publisher.remove(self._wire)
        self._wire.close()
        self._wire = None
