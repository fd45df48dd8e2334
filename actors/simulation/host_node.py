"""A host of the simulated world: what `host_sim.peer_loop` is, on simulated sockets."""

from collections.abc import Callable
from random import Random

from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Node
from actors.simulation.sockets import Dealer, LinkFaults, Sockets, Subscriber
from host_sim.host import Host
from host_sim.peer_loop import LONGEST_POLL, STOP_GRACE
from host_sim.reconnection import Reconnection

BLOCKED_PAUSE = 5_000_000
"""After how many nanoseconds a link that was full is tried again."""

CONTROL = b"user"
"""The connection on which users ask."""


class HostNode(Node):
    """One life of a host.

    Args:
        sockets: what it connects to.
        clock: of its machine.
        host: decides everything.
        generator: chance for the times between its connections.
        faults: of its links.
        ended: called when its process ended by itself.

    Attributes:
        control_answers: what users were answered in the last round.
    """

    def __init__(
        self,
        *,
        sockets: Sockets,
        name: str,
        clock: MachineClock,
        host: Host,
        generator: Random,
        faults: LinkFaults,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(sockets.network, clock, self._round)
        self.name = name
        self.host = host
        self.faults = faults
        self.control_answers: list[bytes] = []
        self.dealer: Dealer | None = None
        self.subscriber = Subscriber(sockets, self.wake, faults)
        self._sockets = sockets
        self._reconnection = Reconnection(generator)
        self._ended = ended
        self._halt_at: int | None = None
        self.wake()

    def control(self, frame: bytes) -> None:
        """Take a user action."""
        self.host.receive_control(CONTROL, frame, self.now)
        self.wake()

    def stop(self) -> None:
        """Have it leave in order, as SIGTERM does; it has `STOP_GRACE` for that."""
        if self._halt_at is None:
            self._halt_at = self.now + STOP_GRACE
        self.wake()

    def die(self, *, late: int | None = None) -> None:
        """End at once. `late`: see `Dealer.close`."""
        super().die()
        self.subscriber.close()
        if self.dealer is not None:
            self.dealer.close(late=late)

    def launcher_died(self) -> None:
        """See that the launcher's process is gone."""
        self.subscriber.launcher_died()
        if self.dealer is not None:
            self.dealer.launcher_died()

    # --- one round ----------------------------------------------------------------------------

    def _round(self) -> None:
        self._keep_connected()
        self._read()
        self.host.advance(self.now)
        if self._halt_at is not None:
            self.host.stop(self.now)
        full = self._write()
        self.control_answers[:] = (frame for _, frame in self.host.control_outgoing())
        is_late = self._halt_at is not None and self.now >= self._halt_at
        if self.host.outcome is not None or is_late:
            self._ended()
            return
        self._plan_next(full=full)

    def _keep_connected(self) -> None:
        if self.host.registered:
            self._reconnection.registered()
        if not self.host.needs_connection:
            return
        if self.dealer is not None:
            self.dealer.close()
            self.dealer = None
            self._reconnection.lost(self.now, refused=False)
        if self.now >= self._reconnection.at:
            self.dealer = Dealer(self._sockets, self.name, self.wake, self.faults)
            self.host.connected(self.now)
            self._write()

    def _read(self) -> None:
        while self.dealer is not None and (frames := self.dealer.receive()) is not None:
            self.host.receive_link(frames, self.now)
        while (frames := self.subscriber.receive()) is not None:
            for frame in frames:
                self.host.receive_stream(frame, self.now)

    def _write(self) -> bool:
        """Send what there is; say whether the link is full."""
        if self.dealer is None or self.host.needs_connection:
            return False
        while frames := self.host.link_outgoing():
            if not self.dealer.send(frames):
                self.host.link_not_sent()
                return True
        return False

    def _plan_next(self, *, full: bool) -> None:
        dues = [self.host.next_due(), self.now + LONGEST_POLL]
        if self._halt_at is not None:
            dues.append(self._halt_at)
        if full:
            dues.append(self.now + BLOCKED_PAUSE)
        if self.host.needs_connection:
            dues.append(self._reconnection.at)
        self.wake_at(max(self.now + 1, min(due for due in dues if due is not None)))
