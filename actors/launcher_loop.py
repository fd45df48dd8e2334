"""The launcher's loop: waits for messages, signals and time, and has the passes made."""

import select
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import zmq

from actors.engine import Engine
from actors.engine_keeper import EngineGaveUpError, EngineKeeper
from actors.launcher_passes import LauncherPasses
from actors.launcher_sockets import LauncherSockets
from actors.open_saga_view import LoopHealth, seconds
from actors.saga_log import SagaLog
from actors.timers import SECOND
from transport.endpoints import Endpoints
from transport.frame_fault import FrameFault
from transport.process_signals import StopSignals
from transport.zeromq.authenticator import Doorkeeper

LOG_NEVER_WRITTEN = 1
"""Exit status of a launcher that had to stop while its log could not be written."""

ENGINE_GAVE_UP = 4
"""Exit status of a launcher whose engine crashed too often."""


MakeSockets = Callable[
    [zmq.Context[Any], Endpoints, Doorkeeper | None, Sequence[int]], LauncherSockets
]
"""Makes a launcher's sockets, as the class of these does."""


class LauncherLoop:
    """One launcher's loop; all its sockets belong to the thread that runs it."""

    def __init__(
        self,
        keeper: EngineKeeper,
        log: SagaLog,
        *,
        signals: StopSignals,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        doorkeeper: Doorkeeper | None = None,
        crash_coordinator: float | None = None,
        make_sockets: MakeSockets = LauncherSockets,
    ) -> None:
        self._keeper = keeper
        self._signals = signals
        self._doorkeeper = doorkeeper
        self._sockets = make_sockets(context, endpoints, doorkeeper, signals.filenos())
        self._passes = LauncherPasses(keeper, log, self._sockets)
        self._crash_every = round(crash_coordinator * SECOND) if crash_coordinator else None
        self._next_crash = time.monotonic_ns() + (self._crash_every or 0)

    @property
    def _engine(self) -> Engine:
        return self._keeper.engine

    def run(self) -> int:
        """Go round until the launcher is stopped; give the exit status."""
        passes = self._passes
        while True:
            stops = self._wait()
            self._signals.beat()
            passes.beat()
            if passes.must_give_up(stops) or self._signals.orphaned:
                if passes.outage is not None:
                    sys.stderr.write(
                        "muxsaga launcher: ends although its log could not be written: "
                        "the next launcher of this log finishes what is open\n"
                    )
                return LOG_NEVER_WRITTEN
            self._crash_if_due()
            try:
                passes.go_round(stops)
            except EngineGaveUpError as last:
                sys.stderr.write(f"muxsaga launcher: {last}\n")
                return ENGINE_GAVE_UP
            if passes.finished:
                return 0

    def close(self) -> None:
        """Close the sockets; what is still queued has `LINGER_MS` to go out."""
        self._sockets.close()

    def _wait(self) -> int:
        """Wait until something is to do; give how many requests to stop there were so far."""
        wait = self._passes.wait()
        if self._passes.waits_for_log:
            # Frames stay in their sockets: only signals and time count.
            readable, _, _ = select.select(self._signals.filenos(), [], [], wait / SECOND)
            return self._signals.look() if readable else self._signals.count
        signalled = self._sockets.poll(wait)
        if self._sockets.ended:
            self._engine.link.faults[FrameFault.LINK_DROPPED] = self._sockets.ended
        return self._signals.look() if signalled else self._signals.count

    def _crash_if_due(self) -> None:
        if self._crash_every is None:
            return
        now = time.monotonic_ns()
        if now >= self._next_crash:
            self._next_crash = now + self._crash_every
            self._passes.crash_coordinator()

    # --- asked by the query thread --------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Give what the launcher is doing; may be called from another thread."""
        return {
            **self._engine.view.status(),
            "log_status": self._passes.log_status,
            "engine_crashes": self._keeper.crashes,
            "refused_keys": self._refused_keys(),
        }

    def state(self, sagas: int) -> dict[str, Any]:
        """Give everything that can be said; may be called from another thread."""
        state = self._engine.view.state(sagas, self._health())
        state["counters"]["engine_crashes"] = self._keeper.crashes
        state["counters"]["refused_keys"] = self._refused_keys()
        return state

    def saga(self, saga_id: int) -> dict[str, Any]:
        """Give why an open saga does not move; may be called from another thread."""
        return self._engine.view.saga(saga_id, self._health())

    def _refused_keys(self) -> dict[str, Any]:
        return {} if self._doorkeeper is None else self._doorkeeper.refusals()

    def _health(self) -> LoopHealth:
        now, outage = time.monotonic_ns(), self._passes.outage
        return LoopHealth(
            outage=outage,
            outage_s=seconds(now - self._passes.outage_began) if outage is not None else 0.0,
            quiet_s=seconds(now - self._engine.last_look),
        )
