"""A host or service of the simulated world: what `host_sim.peer_loop` is, on simulated sockets."""

from collections.abc import Callable
from random import Random

from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Laziness, Node
from actors.simulation.sockets import Dealer, LinkFaults, Sockets
from host_sim.peer_loop import LONGEST_POLL, STOP_GRACE, Core
from host_sim.reconnection import Reconnection

BLOCKED_PAUSE = 5_000_000
"""After how many nanoseconds a link that was full is tried again."""


class PeerKilledError(Exception):
    """The process is killed here: nothing after it happens."""


class PeerNode(Node):
    """One life of a host or service.

    Args:
        sockets: what it connects to.
        name: its own.
        clock: of its machine.
        core: decides everything; what records its history may raise `PeerKilledError`.
        generator: chance for the times between its connections.
        laziness: how often it hears late that something came.
        faults: of its links.
        ended: called when its process is gone: `killed` within a round, or `ended` by itself.
    """

    def __init__(
        self,
        *,
        sockets: Sockets,
        name: str,
        clock: MachineClock,
        core: Core,
        generator: Random,
        laziness: Laziness,
        faults: LinkFaults,
        ended: Callable[[str], None],
    ) -> None:
        super().__init__(sockets.network, clock, laziness, self._round)
        self.name = name
        self.core = core
        self.faults = faults
        self.dealer: Dealer | None = None
        self._sockets = sockets
        self._reconnection = Reconnection(generator)
        self._ended = ended
        self._halt_at: int | None = None
        self.wake()

    def stop(self) -> None:
        """Have it leave in order, as SIGTERM does; it has `STOP_GRACE` for that."""
        if self._halt_at is None:
            self._halt_at = self.now + STOP_GRACE
        self.wake()

    def die(self, *, late: int | None = None) -> None:
        """End at once. `late`: see `Dealer.close`."""
        super().die()
        if self.dealer is not None:
            self.dealer.close(late=late)

    def launcher_died(self) -> None:
        """See that the launcher's process is gone."""
        if self.dealer is not None:
            self.dealer.launcher_died()

    # --- one round ----------------------------------------------------------------------------

    def _round(self) -> None:
        try:
            self._keep_connected()
            self._read()
            self.core.advance(self.now)
            if self._halt_at is not None:
                self.core.stop(self.now)
            full = self._write()
        except PeerKilledError:
            self._ended("killed")
            return
        is_late = self._halt_at is not None and self.now >= self._halt_at
        if self.core.outcome is not None or is_late:
            self._ended("ended")
            return
        self._plan_next(full=full)

    def _keep_connected(self) -> None:
        if self.core.registered:
            self._reconnection.registered()
        if not self.core.needs_connection:
            return
        if self.dealer is not None:
            self.dealer.close()
            self.dealer = None
            self._reconnection.lost(self.now, refused=False)
        if self.now >= self._reconnection.at:
            self.dealer = Dealer(self._sockets, self.name, self.hear, self.faults)
            self.core.connected(self.now)
            self._send()

    def _read(self) -> None:
        while self.dealer is not None and (frames := self.dealer.receive()) is not None:
            self.core.receive_link(frames, self.now)

    def _write(self) -> bool:
        """Send what there is; say whether the link is full."""
        return self._send()

    def _send(self) -> bool:
        if self.dealer is None or self.core.needs_connection:
            return False
        while frames := self.core.link_outgoing():
            if not self.dealer.send(frames):
                self.core.link_not_sent()
                return True
        return False

    def _plan_next(self, *, full: bool) -> None:
        dues = [self.core.next_due(), self.now + LONGEST_POLL]
        if self._halt_at is not None:
            dues.append(self._halt_at)
        if full:
            dues.append(self.now + BLOCKED_PAUSE)
        if self.core.needs_connection:
            dues.append(self._reconnection.at)
        self.wake_at(max(self.now + 1, min(due for due in dues if due is not None)))
