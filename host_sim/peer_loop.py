"""The poll loop of a host's or service's process: it owns the sockets, and decides nothing.

One thread, one loop: read everything that waits, let the core advance, send what it has to say.
When the core says that the launcher is lost, the DEALER is closed and a new one made after a while.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import zmq

from host_sim.host import HostOutcome
from host_sim.reconnection import Reconnection
from transport.endpoints import Endpoints
from transport.zeromq import sockets
from transport.zeromq.link_watch import LinkWatch

FENCED_EXIT = 3
"""Exit status of a fenced process: a later epoch has its place, so nobody may restart it."""

HALTED_EXIT = 1
"""Exit status of one that was stopped before it could leave in order."""

STOP_GRACE = 2_000_000_000
"""How long an orderly stop may take, in nanoseconds."""

FAREWELL_MS = 50
"""How long the last words to a stopping launcher may take to go out, in milliseconds."""

LONGEST_POLL = 1_000_000_000
"""The loop goes round at least this often, in nanoseconds."""

MESSAGES_IN_ROUND = 4096
"""How many messages of one socket are read before the core advances: a flood is not the world."""


class Core(Protocol):
    """What a host and a service have in common, for their loop."""

    outcome: HostOutcome | None
    fenced_by: str | None

    @property
    def needs_connection(self) -> bool:
        """A new connection is to be made."""

    @property
    def registered(self) -> bool:
        """The launcher knows this connection."""

    @property
    def launcher_stopping(self) -> bool:
        """The launcher said that it shuts down."""

    @property
    def not_allowed(self) -> str | None:
        """Why the launcher did not let it register with its key; None if it did."""

    def connected(self, now: int) -> None:
        """Begin on a new connection."""

    def receive_link(self, frames: Sequence[bytes], now: int) -> None:
        """Take one message of the launcher."""

    def next_due(self) -> int | None:
        """Give when `advance` has something to do."""

    def advance(self, now: int) -> None:
        """Do what waits."""

    def stop(self, now: int) -> None:
        """Leave in order."""

    def link_outgoing(self) -> list[bytes]:
        """Give the next message to the launcher."""

    def link_not_sent(self) -> None:
        """Take it back."""


class StopSource(Protocol):
    """Requests to stop, as `transport.process_signals.StopSignals` gives them."""

    orphaned: bool

    def filenos(self) -> list[int]:
        """Give what to poll."""

    def look(self) -> int:
        """Give how many requests there were."""

    def beat(self) -> None:
        """Tell the parent, if there is one, that the loop goes round."""


class Side(Protocol):
    """A further socket of a process.

    Attributes:
        rest: for how long it is not looked at after nothing was left, in nanoseconds: what comes
            there is taken together, when all else that came is done and answered. 0 for a socket
            whose messages are to be answered at once.
    """

    rest: int
    socket: sockets.ZmqSocket

    def read(self, now: int) -> bool:
        """Take what waits, or some of it where that takes long; say whether all was taken."""

    def write(self) -> None:
        """Send everything that waits."""


def receive_waiting(
    socket: sockets.ZmqSocket, take: Callable[[list[bytes]], None], limit: int = MESSAGES_IN_ROUND
) -> int:
    """Hand over what waits in a socket, at most `limit` messages; give how many there were."""
    for number in range(limit):
        try:
            message = sockets.receive(socket)
        except zmq.Again:
            return number
        take(message)
    return limit


def _let_out() -> None:
    """Let ZeroMQ's thread send what it was woken for, before this thread goes on.

    Where all cores are busy the kernel would let it wait until this one's time is up, a millisecond
    or more, and the launcher would have nothing to do.
    """
    os.sched_yield()


class PeerLoop:
    """One process's loop; its sockets belong to the thread that runs it.

    Args:
        name: of the process, for people.
        core: the host or service.
        context: makes the sockets.
        endpoints: the launcher's.
        stops: requests to stop.
        generator: chance for the times between connections.
        sides: further sockets.
    """

    def __init__(
        self,
        *,
        name: str,
        core: Core,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        stops: StopSource,
        generator: random.Random,
        sides: Sequence[Side] = (),
    ) -> None:
        self._name = name
        self._core = core
        self._context = context
        self._endpoints = endpoints
        self._stops = stops
        self._reconnection = Reconnection(generator)
        self._sides = sides
        self._served = tuple(side for side in sides if not side.rest)
        self._resting = {side: 0 for side in sides if side.rest}
        self._link: sockets.ZmqSocket | None = None
        self._watch = LinkWatch(endpoints.link, endpoints.keys)
        self._told: str | None = None
        self._blocked = False
        self._poller = zmq.Poller()
        for side in sides:
            self._poller.register(side.socket, zmq.POLLIN)
        for fileno in stops.filenos():
            self._poller.register(fileno, zmq.POLLIN)

    def run(self) -> int:
        """Go round until the process is to end; give its exit status."""
        halt_at: int | None = None
        try:
            stops = self._stops.look()
            filenos = frozenset(self._stops.filenos())
            while self._core.outcome is None:
                self._keep_connected()
                self._complain()
                ready = self._wait(halt_at)
                if not filenos.isdisjoint(ready):
                    stops = self._stops.look()
                self._stops.beat()
                now = time.monotonic_ns()
                if self._stops.orphaned or stops > 1 or (halt_at is not None and now >= halt_at):
                    return HALTED_EXIT
                if self._read_link(ready, now):
                    # The launcher waits for what it asked for, and goes on while users are served.
                    self._core.advance(time.monotonic_ns())
                    self._write_link()
                    _let_out()
                self._read_served(ready, now)
                self._core.advance(time.monotonic_ns())
                if stops and halt_at is None:
                    halt_at = now + STOP_GRACE
                    self._core.stop(now)
                self._write()
                _let_out()
                self._read_resting(ready, now)
            return self._exit_status()
        finally:
            self._watch.close()
            if self._link is not None:
                # A launcher that said it stops may be gone: it is not waited for long.
                self._link.close(FAREWELL_MS if self._core.launcher_stopping else None)

    def _exit_status(self) -> int:
        if self._core.outcome is HostOutcome.LEFT:
            return 0
        sys.stderr.write(
            f"muxsaga {self._name}: fenced: a later epoch ({self._core.fenced_by}) registered "
            "under this name; this process ends and must not be restarted\n"
        )
        return FENCED_EXIT

    def _wait(self, halt_at: int | None) -> dict[Any, int]:
        now = time.monotonic_ns()
        dues = [self._core.next_due(), halt_at, self._wake_resting(now)]
        if self._core.needs_connection:
            dues.append(self._reconnection.at)
        wait = min((due - now for due in dues if due is not None), default=LONGEST_POLL)
        return dict(self._poller.poll(-(-max(0, min(wait, LONGEST_POLL)) // 1_000_000)))

    def _read_link(self, ready: dict[Any, int], now: int) -> bool:
        link = self._link
        if link is None:
            return False
        if ready.get(link, 0) & zmq.POLLOUT:
            self._unblock(link)
        # It may have come since the poll.
        return receive_waiting(link, lambda frames: self._core.receive_link(frames, now)) > 0

    def _read_served(self, ready: dict[Any, int], now: int) -> None:
        for side in self._served:
            if side.socket in ready:
                side.read(now)

    def _read_resting(self, ready: dict[Any, int], now: int) -> None:
        for side in self._resting:
            if side.socket in ready:
                is_all = side.read(now)
                self._write_link()
                if is_all:
                    self._resting[side] = now + side.rest
                    self._poller.unregister(side.socket)

    def _wake_resting(self, now: int) -> int | None:
        """Look again at what has rested; give when the next one has."""
        next_due = None
        for side, until in self._resting.items():
            if 0 < until <= now:
                self._resting[side] = 0
                self._poller.register(side.socket, zmq.POLLIN)
            elif until:
                next_due = until if next_due is None else min(next_due, until)
        return next_due

    def _write(self) -> None:
        # The launcher goes on with the reports while the answers go out.
        self._write_link()
        for side in self._sides:
            side.write()

    def _write_link(self) -> None:
        link = self._link
        if link is None or self._blocked or self._core.needs_connection:
            return
        while frames := self._core.link_outgoing():
            try:
                sockets.send(link, frames)
            except zmq.Again:
                self._core.link_not_sent()
                self._blocked = True
                self._poller.register(link, zmq.POLLIN | zmq.POLLOUT)
                return

    def _unblock(self, link: sockets.ZmqSocket) -> None:
        self._blocked = False
        self._poller.register(link, zmq.POLLIN)

    # --- the connection -------------------------------------------------------------------------

    def _keep_connected(self) -> None:
        if self._core.registered:
            self._reconnection.registered()
        if not self._core.needs_connection:
            return
        now = time.monotonic_ns()
        if self._link is not None:
            self._poller.unregister(self._link)
            self._watch.close()
            self._link.close(linger=0)
            self._link = None
            self._reconnection.lost(now, refused=self._core.not_allowed is not None)
        if now < self._reconnection.at:
            return
        link, keys = self._endpoints.link, self._endpoints.keys
        self._watch = LinkWatch(link, keys)
        self._link = sockets.dealer(self._context, link, keys=keys, watch=self._watch)
        self._blocked = False
        self._poller.register(self._link, zmq.POLLIN)
        self._core.connected(now)
        self._write()

    def _complain(self) -> None:
        """Say on stderr why the launcher does not let this process in, once until it does."""
        self._watch.look(time.monotonic_ns())
        if self._core.registered:
            self._told = None
            return
        complaint = self._core.not_allowed or self._watch.complaint
        if complaint is not None and complaint != self._told:
            self._told = complaint
            sys.stderr.write(f"muxsaga {self._name}: {complaint}\n")
            sys.stderr.flush()
