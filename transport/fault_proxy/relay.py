"""One link through the proxy, with a name, and what it is made to suffer."""

from collections.abc import Callable, Coroutine
from typing import Any

from transport.fault_proxy.fault_kind import Direction, FaultKind
from transport.fault_proxy.fault_tally import FaultTally
from transport.fault_proxy.relay_server import RelayServer

InProxy = Callable[[Coroutine[Any, Any, None]], None]
"""Runs something in the proxy's thread, and waits for it."""


class Relay:
    """Stands between the clients that connect to `endpoint` and the target.

    Every method may be called from any thread; what it orders is in force when it returns, for
    all connections, those to come included. Methods that give orders raise
    `FaultProxyClosedError` after the proxy was closed. Where the target is not there, a client's
    connection is ended at once, and libzmq connects again by itself.

    On links with keys (CURVE) the messages are encrypted and numbered: there `corrupt`,
    `break_framing` and `duplicate` all make libzmq drop the connection.

    Attributes:
        name: what the relay is called.
        endpoint: where clients connect; with the port that was given where 0 was asked for.
    """

    def __init__(
        self, name: str, server: RelayServer, tally: FaultTally, in_proxy: InProxy
    ) -> None:
        self.name = name
        self.endpoint = server.endpoint
        self._server = server
        self._tally = tally
        self._in_proxy = in_proxy

    @property
    def counts(self) -> dict[FaultKind, int]:
        """Give how many faults of each kind hit something."""
        return self._tally.counts()

    def wait_for(self, kind: FaultKind, count: int = 1, *, seconds: float) -> bool:
        """Wait until so many faults of a kind have hit; say whether they did within `seconds`."""
        return self._tally.wait_for(kind, count, seconds=seconds)

    @property
    def connections(self) -> int:
        """Give how many clients are connected through to the target."""
        return self._server.connections

    def delay(self, direction: Direction, *, seconds: float, jitter: float = 0.0) -> None:
        """Deliver late what comes from now on, in its order.

        Args:
            direction: which way.
            seconds: at least so late.
            jitter: up to so many seconds more, drawn for each piece that arrives.

        Raises:
            ValueError: one of them is negative.
        """
        if seconds < 0 or jitter < 0:
            msg = f"a delay of {seconds} s with a jitter of {jitter} s: neither may be negative"
            raise ValueError(msg)
        self._order(lambda: self._server.faults[direction].delay(seconds, jitter))

    def silence(self, direction: Direction) -> None:
        """Deliver nothing in one direction, while connections stay up.

        A bounded amount is held, then no more is read. The end of a connection is held too: the
        receiver does not notice that the sender is gone. Healed, what was held is delivered; it
        is lost only with its connection.
        """
        self._order(self._server.faults[direction].silence)

    def throttle(self, direction: Direction, *, bytes_per_second: float) -> None:
        """Deliver no more than this on each connection.

        Raises:
            ValueError: it is not above 0.
        """
        if not bytes_per_second > 0:
            msg = f"{bytes_per_second} bytes a second: must be above 0; use silence() for nothing"
            raise ValueError(msg)
        self._order(lambda: self._server.faults[direction].throttle(bytes_per_second))

    def corrupt(self, direction: Direction, *, frames: int = 1) -> None:
        """Spoil the next frames of messages: their first byte becomes 0xc1, never MessagePack's.

        Empty frames, commands and subscriptions are left alone.

        Raises:
            ValueError: `frames` is below 1.
        """
        self._at_messages(direction, FaultKind.CORRUPT, frames)

    def break_framing(self, direction: Direction) -> None:
        """Spoil the header of the next frame of a message: the receiver drops the connection.

        What the sender sends until it notices is lost with it. Upwards, the client connects
        again. Downwards, libzmq gives the client's connection up for good: it does not connect
        again before the client's own code disconnects and connects.
        """
        self._at_messages(direction, FaultKind.BREAK_FRAMING, 1)

    def duplicate(self, direction: Direction, *, messages: int = 1) -> None:
        """Deliver the next whole ZeroMQ messages twice, one right after the other.

        Raises:
            ValueError: `messages` is below 1.
        """
        self._at_messages(direction, FaultKind.DUPLICATE, messages)

    def drop_connections(self) -> None:
        """End every connection at both sides, with what is held; clients connect again."""
        self._in_proxy(self._server.drop())

    def cut(self) -> None:
        """End every connection at both sides, and refuse new ones until healed."""
        self._in_proxy(self._server.cut())

    def heal(self) -> None:
        """Take every order back: what is held is delivered at once, new connections are taken."""
        self._order(self._server.heal)

    def _at_messages(self, direction: Direction, kind: FaultKind, count: int) -> None:
        if count < 1:
            msg = f"{kind} the next {count}: must be at least 1"
            raise ValueError(msg)
        self._order(lambda: self._server.faults[direction].order(kind, count))

    def _order(self, order: Callable[[], None]) -> None:
        async def carry_out() -> None:
            order()

        self._in_proxy(carry_out())
