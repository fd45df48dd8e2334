"""A relay's sockets and connections; belongs to the proxy's thread."""

import asyncio
import socket
from asyncio import Task, TaskGroup
from random import Random

from transport.fault_proxy.direction_faults import DirectionFaults
from transport.fault_proxy.fault_kind import Direction, FaultKind
from transport.fault_proxy.fault_tally import FaultTally
from transport.fault_proxy.flow import Flow
from transport.fault_proxy.stream_address import (
    StreamAddress,
    connect,
    listen,
    listening_endpoint,
    send_at_once,
)


class RelayServer:
    """Listens at one place, and connects each client that comes to another.

    Args:
        place: where it listens.
        target: where it connects to.
        generator: draws the jitter.
        tally: counts what is carried out.

    Attributes:
        endpoint: where clients connect.
        faults: the orders for each direction.
        connections: how many clients are connected through to the target.

    Raises:
        EndpointError: it cannot listen there.
    """

    def __init__(
        self, place: StreamAddress, target: StreamAddress, generator: Random, tally: FaultTally
    ) -> None:
        self.faults = {each: DirectionFaults(generator, tally) for each in Direction}
        self._listener = listen(place)
        self.endpoint = listening_endpoint(place, self._listener)
        self.connections = 0
        self._place = place
        self._target = target
        self._tally = tally
        self._tasks: dict[Task[None], socket.socket] = {}
        self._cut = False
        self._cut_counts = False

    async def serve(self) -> None:
        """Take connections until cancelled; then end them, listen no more, remove the path."""
        loop = asyncio.get_running_loop()
        try:
            async with TaskGroup() as group:
                while True:
                    try:
                        client, _ = await loop.sock_accept(self._listener)
                    except ConnectionAbortedError:
                        continue
                    if self._cut:
                        self._count_cut()
                        client.close()
                    else:
                        self._take(client, group)
        finally:
            self._listener.close()
            if self._place.path is not None:
                self._place.path.unlink(missing_ok=True)

    async def drop(self) -> None:
        """End every connection at both sides."""
        for _ in range(await self._end_all()):
            self._tally.add(FaultKind.DROP)

    async def cut(self) -> None:
        """End every connection, and refuse new ones."""
        self._cut = self._cut_counts = True
        if await self._end_all():
            self._count_cut()

    def heal(self) -> None:
        """Take back every order."""
        self._cut = self._cut_counts = False
        for faults in self.faults.values():
            faults.heal()

    def _count_cut(self) -> None:
        if self._cut_counts:
            self._cut_counts = False
            self._tally.add(FaultKind.CUT)

    async def _end_all(self) -> int:
        """End every connection; say how many had come through to the target."""
        ending, through = list(self._tasks), self.connections
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)
        return through

    def _take(self, client: socket.socket, group: TaskGroup) -> None:
        client.settimeout(0)
        task = group.create_task(self._carry(client))
        self._tasks[task] = client
        task.add_done_callback(lambda ended: self._tasks.pop(ended).close())

    async def _carry(self, client: socket.socket) -> None:
        """Carry bytes both ways until both ends have been delivered."""
        try:
            send_at_once(client)
            target = await connect(self._target)
        except OSError:
            return
        self.connections += 1
        try:
            with target:
                async with TaskGroup() as flows:
                    flows.create_task(Flow(client, target, self.faults[Direction.UP]).run())
                    flows.create_task(Flow(target, client, self.faults[Direction.DOWN]).run())
        finally:
            self.connections -= 1
