"""The ZeroMQ sockets of a launcher's loop: the hosts' link and the event stream."""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from actors.engine import Pass
from actors.launcher_link import Outgoing
from actors.launcher_passes import Arrival, Sent
from transport.endpoints import Endpoints, is_tcp
from transport.keys import Domain
from transport.zeromq import sockets
from transport.zeromq.authenticator import Doorkeeper, keys_at

AWAKE = 300_000
"""After a pass that said something, a launcher looks at its link for so long before it sleeps, in
nanoseconds: an answer mostly comes within that time, and who is woken for it comes late. Meanwhile
it gives way to whoever wants the CPU."""


class LauncherSockets:
    """Both sockets; they belong to the thread that made them. See `LauncherPort`.

    Args:
        context: makes them.
        endpoints: where they are bound.
        doorkeeper: lets clients in; None for sockets without keys.
        others: descriptors that end a wait too.

    Attributes:
        ended: how many connections of the link ended so far.

    Raises:
        zmq.ZMQError: an endpoint cannot be bound.
    """

    broken: type[BaseException] = zmq.ZMQError

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        doorkeeper: Doorkeeper | None,
        others: Sequence[int],
    ) -> None:
        self.ended = 0
        self._stays_awake = False
        self._others = frozenset(others)
        self._has_keys = doorkeeper is not None and is_tcp(endpoints.link)
        link_keys = keys_at(doorkeeper, Domain.LINK)
        self._link = sockets.router(context, endpoints.link, keys=link_keys)
        stream_keys = keys_at(doorkeeper, Domain.EVENTS)
        self._stream = sockets.publisher(context, endpoints.events, keys=stream_keys)
        self._monitor = self._link.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._poller = zmq.Poller()
        for each in (self._link, self._stream, self._monitor, *others):
            self._poller.register(each, zmq.POLLIN)

    def poll(self, wait: int) -> bool:
        """Wait at most so many nanoseconds until something comes; say whether one of the others."""
        if self._stays_awake and self._is_answered(min(wait, AWAKE)):
            wait = 0
        ready = dict(self._poller.poll(-(-wait // 1_000_000)))
        if self._stream in ready:
            self._drop_subscriptions()
        if self._monitor in ready:
            self._count_ended()
        return not self._others.isdisjoint(ready)

    def now(self) -> int:
        """Give the monotonic clock, in nanoseconds."""
        return time.monotonic_ns()

    def receive(self) -> Arrival | None:
        """Give a message that waits in the link; None if none does."""
        try:
            if self._has_keys:
                return sockets.receive_with_key(self._link)
            connection, frames = sockets.receive_routed(self._link)
        except zmq.Again:
            return None
        return connection, frames, None

    def publish(self, done: Pass) -> None:
        """Put the blobs of a pass on the event stream."""
        self._stays_awake = bool(done.blobs or done.messages)
        for blob in done.blobs:
            self._stream.send(blob, zmq.NOBLOCK)

    def beat(self, heartbeat: bytes) -> None:
        """Put a heartbeat on the event stream."""
        self._stream.send(heartbeat, zmq.NOBLOCK)

    def send(self, message: Outgoing) -> Sent:
        """Send a message on the link."""
        try:
            sockets.send(self._link, [message.connection, *message.frames])
        except zmq.Again:
            return Sent.FULL
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return Sent.GONE
        return Sent.TAKEN

    def log_lost(self, reason: str) -> None:
        """Say on stderr that the log cannot be written, and why."""
        sys.stderr.write(f"muxsaga launcher: log unavailable: {reason}\n")

    def log_found(self) -> None:
        """Say on stderr that the log can be written again."""
        sys.stderr.write("muxsaga launcher: log available again\n")

    def close(self) -> None:
        """Close them; what is still queued has `LINGER_MS` to go out."""
        self._link.disable_monitor()
        for each in (self._monitor, self._link, self._stream):
            each.close()

    def _is_answered(self, awake: int) -> bool:
        """Look at the link for so many nanoseconds; say whether something came."""
        self._stays_awake = False
        end = self.now() + awake
        while self.now() < end:
            if self._link.poll(0):
                return True
            os.sched_yield()
        return False

    def _drop_subscriptions(self) -> None:
        while True:
            try:
                self._stream.recv(zmq.NOBLOCK)
            except zmq.Again:
                return

    def _count_ended(self) -> None:
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            self.ended += 1
