"""A host of the simulated world: a peer that has users, and hears the event stream."""

from collections.abc import Callable
from random import Random

from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Laziness
from actors.simulation.peer_node import PeerNode
from actors.simulation.sockets import LinkFaults, Sockets, Subscriber
from host_sim.host import Host

CONTROL = b"user"
"""The connection on which users ask."""


class HostNode(PeerNode):
    """One life of a host.

    Args:
        sockets: what it connects to.
        name: its own.
        clock: of its machine.
        host: decides everything.
        generator, laziness: see `PeerNode`.
        faults: of its links.
        ended: see `PeerNode`.

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
        laziness: Laziness,
        faults: LinkFaults,
        ended: Callable[[str], None],
    ) -> None:
        self.host = host
        self.control_answers: list[bytes] = []
        super().__init__(
            sockets=sockets,
            name=name,
            clock=clock,
            core=host,
            generator=generator,
            laziness=laziness,
            faults=faults,
            ended=ended,
        )
        self.subscriber = Subscriber(sockets, self.hear, faults)

    def control(self, frame: bytes) -> None:
        """Take a user action."""
        self.host.receive_control(CONTROL, frame, self.now)
        self.wake()

    def die(self, *, late: int | None = None) -> None:
        """End at once. `late`: see `Dealer.close`."""
        self.subscriber.close()
        super().die(late=late)

    def launcher_died(self) -> None:
        """See that the launcher's process is gone."""
        self.subscriber.launcher_died()
        super().launcher_died()

    def _read(self) -> None:
        super()._read()
        while (frames := self.subscriber.receive()) is not None:
            for frame in frames:
                self.host.receive_stream(frame, self.now)

    def _write(self) -> bool:
        full = super()._write()
        self.control_answers[:] = (frame for _, frame in self.host.control_outgoing())
        return full
