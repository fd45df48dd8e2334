"""xoscar: launcher, host and observer are actors, each in an actor pool in a process of its own.

One call makes the three pools, as its documentation has it; the main one, with the observer, is in
the driver's process. Between them go xoscar's own messages over its own Unix sockets, with
arguments as large as the real messages: calls of stateless actors, as documented, one after the
other. A saga is no actor here: the launcher goes by the message. (`tell`, which its guide does not
have, was up to twice as fast, but keeps a future for each message, and some runs stood still.)

What it does not do: no log, no recovery, nothing sent again, nothing delivered once for certain, no
validation, no deadline. Events go to the observer alone, not to the host too.
"""

import asyncio
import os
import socket
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import xoscar
import zmq
from xoscar.errors import ServerClosed

from bench.floor_frames import EVENTS_OF, PROMOTE_REPORTS, Kind, frame_of, read_frame
from bench.floor_scene import wrong_promotes
from bench.promote_ledger import Completion, Key, Start, Taken, VoidRunError
from bench.stage import Stage
from bench.yardsticks.yardstick import HOST, Site, Subject

LOOPBACK = "127.0.0.1"

START_SECONDS = 20.0
"""How long the pools may take to start."""

T = TypeVar("T")


class Told(xoscar.Actor):  # type: ignore[misc]  # the library has no types
    """An actor that is told things.

    xoscar keeps a future for each message told, and sets them all to an error at the end, which
    asyncio reports one by one: that is nothing to report.
    """

    def process_id(self) -> int:
        """Give the id of the process that it lives in."""
        return os.getpid()

    async def __post_create__(self) -> None:
        asyncio.get_running_loop().set_exception_handler(pass_over_the_end)


def pass_over_the_end(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what went wrong in a loop, unless it is that a pool has ended."""
    if not isinstance(context.get("exception"), ServerClosed):
        loop.default_exception_handler(context)


class Launcher(Told):
    """Makes events of reports, for the observer; has the host make a window."""

    async def meet(self, host: Any, observer: Any) -> None:
        """Learn to know the others."""
        self._host, self._observer = host, observer

    async def take(self, frame: bytes) -> None:
        """Take a report."""
        number_of_kind, number, at_ns = read_frame(frame)
        kind = Kind(number_of_kind)
        for event in EVENTS_OF[kind]:
            await self._observer.take.tell(frame_of(event, number, at_ns))
        if kind is Kind.REPORT_WINDOW_OPENED:
            await self._host.take.tell(frame_of(Kind.SPAWN_POOL_WINDOW, number, at_ns))


class Host(Told):
    """Promotes at the driver's request, and makes windows at the launcher's."""

    async def meet(self, launcher: Any) -> None:
        """Learn to know the launcher."""
        self._launcher = launcher

    async def promote(self, frame: bytes) -> bytes:
        """Promote a window."""
        _, number, _ = read_frame(frame)
        at_ns = time.monotonic_ns()
        for kind in PROMOTE_REPORTS:
            await self._launcher.take.tell(frame_of(kind, number, at_ns))
        return frame_of(Kind.ACTION_DONE, number, at_ns)

    async def take(self, frame: bytes) -> None:
        """Make a window."""
        _, number, at_ns = read_frame(frame)
        await self._launcher.take.tell(frame_of(Kind.REPORT_POOL_WINDOW_ADDED, number, at_ns))


class Observer(Told):
    """Notes events and what is complete; it lives in the driver's process, and so do its lists."""

    def __init__(
        self, frames: list[bytes], completions: list[Completion], came: asyncio.Event
    ) -> None:
        super().__init__()
        self._frames = frames
        self._completions = completions
        self._came = came

    async def take(self, frame: bytes) -> None:
        """Take an event."""
        self._frames.append(frame)
        kind, number, _ = read_frame(frame)
        if kind == Kind.SAGA_COMPLETED:
            self._completions.append(Completion(number, 0, time.monotonic_ns()))
            self._came.set()


class XoscarScene:
    """Implements `Scene`. A promote's key is its number. The loop runs while the driver waits.

    Attributes:
        pids: of the other processes, by name.

    Raises:
        VoidRunError: the pools did not start.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._came = asyncio.Event()
        self._frames: list[bytes] = []
        self._completions: list[Completion] = []
        self._taken: list[Taken] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._promotes = 0
        try:
            self._pool = self._run(asyncio.wait_for(self._start(), START_SECONDS))
        except TimeoutError:
            msg = f"its actor pools did not start within {START_SECONDS:.0f} seconds"
            raise VoidRunError(msg) from None

    async def _start(self) -> Any:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            address = f"{LOOPBACK}:{probe.getsockname()[1]}"
        pool = await xoscar.create_actor_pool(address, n_process=2, suspend_sigint=True)
        try:
            config = await xoscar.get_pool_config(address)
            here, *there = config.get_external_addresses()
            launcher = await xoscar.create_actor(Launcher, address=there[0], uid="launcher")
            host = await xoscar.create_actor(Host, address=there[1], uid=HOST)
            lists = self._frames, self._completions, self._came
            observer = await xoscar.create_actor(Observer, *lists, address=here, uid="observer")
            await launcher.meet(host, observer)
            await host.meet(launcher)
            self.pids = {"launcher": await launcher.process_id(), HOST: await host.process_id()}
        except BaseException:
            await pool.stop()
            raise
        self._host = host
        return pool

    def is_ready(self, wait_seconds: float) -> bool:
        """Say that it is: the pools were waited for."""
        del wait_seconds
        return True

    def promote(self, start: Start) -> None:
        """Ask the host to, as soon as the loop runs."""
        self._promotes += 1
        task = self._loop.create_task(self._ask(start.number))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def answers(self) -> list[Taken]:
        """Give what the host answered meanwhile."""
        taken, self._taken[:] = list(self._taken), []
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Let the loop run until something is complete."""
        self._run(self._wait(wait_seconds))
        completions, self._completions[:] = list(self._completions), []
        return completions

    def violations(self) -> list[str]:
        """Give the promotes that have not each event once, in order."""
        return wrong_promotes(self._frames, self._promotes)

    def events_of(self, key: Key) -> None:
        """Give None: nobody asks where its time goes."""
        del key

    def close(self) -> None:
        """Stop the pools and their processes."""
        self._run(self._pool.stop())
        self._loop.close()

    async def _ask(self, number: int) -> None:
        answer = await self._host.promote(frame_of(Kind.PROMOTE_WINDOW, number))
        _, number, at_ns = read_frame(answer)
        self._taken.append(Taken(number, number, at_ns))

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._came.wait(), seconds)
        except TimeoutError:
            return
        self._came.clear()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


class Xoscar:
    """Implements `Yardstick`."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start nothing: the pools are made from the driver's process, which is one of them."""

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Start the pools, and give what is driven."""
        del context, site
        scene = XoscarScene()
        return Subject(scene, scene.pids)


XOSCAR = Xoscar()
