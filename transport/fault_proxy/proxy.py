"""The proxy: a thread that carries the bytes of any number of relays."""

import asyncio
from asyncio import Task, TaskGroup
from collections import Counter
from collections.abc import Coroutine, Mapping
from random import Random
from threading import Event, Lock, Thread
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from transport.fault_proxy.fault_kind import FaultKind
from transport.fault_proxy.fault_tally import FaultTally
from transport.fault_proxy.relay import Relay
from transport.fault_proxy.relay_server import RelayServer
from transport.fault_proxy.stream_address import stream_address

ANSWER_SECONDS = 10.0
"""The longest that the proxy's thread may take for an order."""

T = TypeVar("T")


class FaultProxyClosedError(RuntimeError):
    """An order came after the proxy was closed."""


class FaultProxy:
    """Relays links and makes them misbehave; runs in a thread of its own until closed.

    Its methods may be called from any thread. As a context manager it closes itself.

    Args:
        generator: draws the jitter, in the proxy's thread; to be used by nobody else.
    """

    def __init__(self, *, generator: Random) -> None:
        self._generator = generator
        self._relays: dict[str, Relay] = {}
        self._lock = Lock()
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._group = TaskGroup()
        self._servers: list[Task[None]] = []
        self._started = Event()
        self._stopping = asyncio.Event()
        self._thread = Thread(target=self._run, name="fault-proxy", daemon=True)
        self._thread.start()
        self._started.wait(ANSWER_SECONDS)

    @property
    def relays(self) -> Mapping[str, Relay]:
        """Give the relays by name, in the order in which they were made."""
        return MappingProxyType(self._relays)

    @property
    def counts(self) -> dict[FaultKind, int]:
        """Give how many faults of each kind hit something, in all relays."""
        total: Counter[FaultKind] = Counter()
        for relay in list(self._relays.values()):
            total.update(relay.counts)
        return {kind: total[kind] for kind in FaultKind if total[kind]}

    def relay(self, name: str, *, listen: str, target: str) -> Relay:
        """Listen at an endpoint, and connect whoever comes to another.

        Args:
            name: what the relay is called.
            listen: `ipc:///PATH`, where a socket that nobody listens at any more is replaced, or
                `tcp://HOST:PORT`; with port 0 a free one, see `Relay.endpoint`.
            target: where the real socket is; it need not be there yet.

        Raises:
            EndpointError: an endpoint is malformed, or it cannot listen there.
            ValueError: there is a relay of that name.
            FaultProxyClosedError: the proxy was closed.
        """
        if name in self._relays:
            msg = f"there is a relay {name!r} already: each needs a name of its own"
            raise ValueError(msg)
        place, onward = stream_address(listen), stream_address(target)
        tally = FaultTally()

        async def make() -> RelayServer:
            server = RelayServer(place, onward, self._generator, tally)
            self._servers.append(self._group.create_task(server.serve()))
            return server

        server = self._in_proxy(make())
        self._relays[name] = Relay(name, server, tally, self._in_proxy)
        return self._relays[name]

    def close(self) -> None:
        """End every connection, close every socket, remove the `ipc` paths, end the thread.

        Closing twice is no error. Counts can still be read afterwards.
        """
        with self._lock:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stopping.set)
                self._thread.join(ANSWER_SECONDS)
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _in_proxy(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if not self._thread.is_alive():
                work.close()
                msg = "the fault proxy is closed: it takes no orders any more"
                raise FaultProxyClosedError(msg) from self._failure
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - `close` raises it
            self._failure = error
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with self._group:
            self._started.set()
            await self._stopping.wait()
            for server in self._servers:
                server.cancel()
