"""One direction of one connection: bytes in, held within a bound, bytes out."""

import asyncio
import math
import socket
from asyncio import Event
from collections import deque
from contextlib import suppress

from transport.fault_proxy.direction_faults import DirectionFaults
from transport.fault_proxy.fault_kind import FaultKind
from transport.fault_proxy.frame_faults import FrameFaults

READ_SIZE = 64 * 1024
HELD_LIMIT = 256 * 1024
"""While so many bytes are held, no more are read: the sender's own buffers fill, as they should."""

THROTTLE_STEP = 0.02
"""How many seconds' worth of bytes a throttled direction delivers at once."""

_END = memoryview(b"")


class Flow:
    """Carries bytes from one socket to another.

    The end of the source is delivered as bytes are: late, or not at all while there is silence.

    Args:
        source: where bytes come from; does not block.
        sink: where they go; does not block.
        faults: what they suffer on the way.
    """

    def __init__(self, source: socket.socket, sink: socket.socket, faults: DirectionFaults) -> None:
        self._source = source
        self._sink = sink
        self._faults = faults
        self._frames = FrameFaults(faults)
        self._held: deque[tuple[float, memoryview]] = deque()  # when each is due
        self._held_bytes = 0
        self._changed = Event()
        self._room = Event()
        self._next_send = 0.0
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Carry bytes until the end of the source has been delivered, or the sink is gone."""
        self._faults.attach(self._changed)
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                # A sink that is gone shows its end to the other direction, which delivers it.
                with suppress(OSError):
                    await self._deliver()
                    self._sink.shutdown(socket.SHUT_WR)
                reading.cancel()
        finally:
            self._faults.detach(self._changed)

    async def _read(self) -> None:
        while data := await self._next_bytes():
            if passed := self._frames.pass_on(data):
                self._hold(memoryview(passed))
            while self._held_bytes >= HELD_LIMIT:
                self._room.clear()
                await self._room.wait()
        self._hold(_END)

    async def _next_bytes(self) -> bytes:
        try:
            return await self._loop.sock_recv(self._source, READ_SIZE)
        except OSError:
            return b""

    def _hold(self, data: memoryview) -> None:
        self._held.append((self._loop.time() + self._faults.lateness(), data))
        self._held_bytes += len(data)
        self._changed.set()

    async def _deliver(self) -> None:
        while True:
            wait = self._wait()
            if wait > 0:
                await self._change_within(wait)
                continue
            due, data = self._held[0]
            if data is _END:
                return
            try:
                sent = self._sink.send(data[: self._allowed()])
            except BlockingIOError:
                await self._writable()
                continue
            self._sent(due, data, sent)

    def _wait(self) -> float:
        """Give how many seconds the next bytes have to wait; infinity: until something changes."""
        if not self._held:
            return math.inf
        if self._faults.silent:
            self._faults.hit(FaultKind.SILENCE)
            return math.inf
        now = self._loop.time()
        late = self._held[0][0] - now if self._faults.delayed else 0.0
        if late > 0:
            self._faults.hit(FaultKind.DELAY)
        if self._faults.bytes_per_second is None:
            return late
        early = self._next_send - now
        if early > 0:
            self._faults.hit(FaultKind.THROTTLE)
        return max(late, early)

    async def _change_within(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _allowed(self) -> int:
        rate = self._faults.bytes_per_second
        return READ_SIZE if rate is None else max(1, int(rate * THROTTLE_STEP))

    def _sent(self, due: float, data: memoryview, size: int) -> None:
        self._held_bytes -= size
        if size < len(data):
            self._held[0] = (due, data[size:])
        else:
            self._held.popleft()
        if self._held_bytes < HELD_LIMIT:
            self._room.set()
        if self._faults.bytes_per_second is not None:
            now = self._loop.time()
            self._next_send = max(now, self._next_send) + size / self._faults.bytes_per_second

    async def _writable(self) -> None:
        ready = Event()
        self._loop.add_writer(self._sink, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_writer(self._sink)
