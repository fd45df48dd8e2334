"""Why a connecting socket gets no link, and a new link for one that libzmq has given up.

libzmq connects again by itself after a connection that ended, but neither after a handshake that
the other side refused (its allow list may be changed) nor after bytes that are no ZMTP: then the
socket stays without a link for ever. `LinkWatch` sees both in what libzmq's socket monitor says,
<https://libzmq.readthedocs.io/en/latest/zmq_socket_monitor.html>, and connects again. A connection
that ended is given up if the end is not followed at once by word of the next attempt.
"""

import time
from contextlib import suppress
from math import ceil

import zmq
from zmq.utils.monitor import recv_monitor_message

from transport.endpoints import is_tcp
from transport.keys import ClientKeys

RECONNECT = 1_000_000_000
"""How long after a link is refused or given up the next one is tried, in nanoseconds."""

LOOK_EVERY = 50_000_000
"""A loop under load goes round far more often than links change; in nanoseconds."""

BROKEN_HANDSHAKES = 2
"""So many in a row that broke off mean wrong keys, and not a peer that ended just then."""

_ENDS = zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_CONNECTED
_HANDSHAKES = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_CLOSED
)


class NoLinkError(RuntimeError):
    """The other side does not let this one in; says why, and what to do."""


class LinkWatch:
    """Watches one connecting socket; belongs to the socket's thread.

    Handshakes are looked at on `tcp` only: elsewhere nobody is refused.

    Args:
        endpoint: where the socket connects to.
        keys: what it shows there; None for a socket without keys.
        party: who is there, for people.
        key_option: the option that names the other side's key.

    Attributes:
        complaint: why there is no link, in one line with the remedy; None while nothing is known
            to be wrong.
    """

    def __init__(
        self,
        endpoint: str,
        keys: ClientKeys | None,
        *,
        party: str = "the launcher",
        key_option: str = "--launcher-key",
    ) -> None:
        self.complaint: str | None = None
        self._endpoint = endpoint
        self._keys = keys
        self._party = f"{party} at {endpoint}"
        self._key_option = key_option
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._broken = 0
        self._connect_at: int | None = None
        self._look_at = 0

    def attach(self, socket: "zmq.Socket[bytes]") -> None:
        """Begin to watch a socket that is not connected yet."""
        self._socket = socket
        of_handshakes = _HANDSHAKES if is_tcp(self._endpoint) else 0
        self._monitor = socket.get_monitor_socket(_ENDS | of_handshakes)

    def look(self, now: int) -> None:
        """Take what happened, and connect again if it is time; at most once in `LOOK_EVERY`.

        Args:
            now: monotonic nanoseconds.
        """
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._look(now)

    def _look(self, now: int) -> None:
        if self._monitor is None or self._socket is None:
            return
        while self._monitor.poll(0):
            self._take(recv_monitor_message(self._monitor)["event"], now)
        if self._connect_at is not None and now >= self._connect_at:
            self._connect_at = None
            # It may know the endpoint no more, or be unable to look its host's name up.
            with suppress(zmq.ZMQError):
                self._socket.disconnect(self._endpoint)
            self._socket.connect(self._endpoint)

    def wait(self, events: int, deadline: float) -> bool:
        """Wait until the socket is ready for `events` (`zmq.POLLIN`, `zmq.POLLOUT`).

        Args:
            events: what to wait for.
            deadline: when to give up, in seconds of `time.monotonic`.

        Returns:
            Whether it is ready; False at the deadline.

        Raises:
            NoLinkError: the other side does not let this one in.
        """
        poller = zmq.Poller()
        for socket, flags in ((self._socket, events), (self._monitor, zmq.POLLIN)):
            if socket is not None:
                poller.register(socket, flags)
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready = dict(poller.poll(ceil(left * 1000)))
            if self._socket in ready:
                return True
            self._look(time.monotonic_ns())
            if self.complaint is not None:
                raise NoLinkError(self.complaint)
            if left == 0:
                return False

    def close(self) -> None:
        """Stop watching; to be called before the socket is closed."""
        if self._monitor is not None and self._socket is not None:
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
        self._monitor = self._socket = None

    def _take(self, event: int, now: int) -> None:
        match event:
            case zmq.EVENT_DISCONNECTED:
                self._connect_at = now + RECONNECT
            case zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_CONNECTED:
                self._connect_at = None
            case zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._broken = 0
                self.complaint = None
            case zmq.EVENT_CLOSED:  # nobody is there
                self._broken = 0
            case zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self.complaint = self._refused()
                self._connect_at = now + RECONNECT
            case zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                self.complaint = self._mismatch()
                self._connect_at = now + RECONNECT
            case zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                self._broken += 1
                if self._broken >= BROKEN_HANDSHAKES:
                    self.complaint = self._mismatch()

    def _refused(self) -> str:
        key = self._keys.own.public if self._keys is not None else ""
        return f"{self._party} refused the key {key!r}: have it added to the allow list"

    def _mismatch(self) -> str:
        if self._keys is None:
            return (
                f"no link to {self._party}: it takes none without keys; "
                f"give --key and {self._key_option} in place of --insecure"
            )
        return (
            f"no encrypted link to {self._party}: is {self._key_option} its public key, "
            "and was it started with --key?"
        )
