"""The launcher's poll loop: polls the sockets, commits, publishes, sends. It decides nothing."""

import select
import sys
import time
from collections import Counter
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from actors.engine import STOP_GRACE, Engine, Pass
from actors.engine_keeper import EngineGaveUpError, EngineKeeper
from actors.launcher_link import Outgoing
from actors.open_saga_view import LoopHealth, seconds
from actors.saga_log import LogUnavailableError, SagaLog
from actors.timers import SECOND
from transport.endpoints import Endpoints, is_tcp
from transport.frame_fault import FrameFault
from transport.keys import Domain
from transport.process_signals import StopSignals
from transport.zeromq import sockets
from transport.zeromq.authenticator import Doorkeeper, keys_at

FRAMES_A_PASS = 4096
FRAMES_A_PEER = 256
"""A pass ends when it has this many frames in all, or from one peer: a flood is not the world."""

COMMIT_RETRY = 250_000_000
"""How long after a failed commit it is tried again, in nanoseconds."""

LONGEST_POLL = 250_000_000
"""The loop looks at the clock at least this often, in nanoseconds."""

LOG_NEVER_WRITTEN = 1
"""Exit status of a launcher that had to stop while its log could not be written."""

ENGINE_GAVE_UP = 4
"""Exit status of a launcher whose engine crashed too often."""


class LauncherLoop:
    """One launcher's poll loop; all its sockets belong to the thread that runs it."""

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
    ) -> None:
        self._keeper = keeper
        self._log = log
        self._signals = signals
        self._doorkeeper = doorkeeper
        self._link_has_keys = doorkeeper is not None and is_tcp(endpoints.link)
        link_keys = keys_at(doorkeeper, Domain.LINK)
        self._link = sockets.router(context, endpoints.link, keys=link_keys)
        stream_keys = keys_at(doorkeeper, Domain.EVENTS)
        self._stream = sockets.publisher(context, endpoints.events, keys=stream_keys)
        self._monitor = self._link.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._poller = zmq.Poller()
        for each in (self._link, self._stream, self._monitor):
            self._poller.register(each, zmq.POLLIN)
        for fileno in signals.filenos():
            self._poller.register(fileno, zmq.POLLIN)
        self._heartbeat = keeper.engine.link.heartbeat
        self._next_heartbeat = time.monotonic_ns()
        self._kept: Pass | None = None
        self._outage: str | None = None
        self._stop_by: int | None = None
        self._outage_began = 0
        self._crash_every = round(crash_coordinator * SECOND) if crash_coordinator else None
        self._next_crash = time.monotonic_ns() + (self._crash_every or 0)

    @property
    def _engine(self) -> Engine:
        return self._keeper.engine

    def run(self) -> int:
        """Go round until the launcher is stopped; give the exit status."""
        while True:
            stops = self._poll()
            self._signals.beat()
            self._beat()
            if self._must_give_up(stops):
                if self._outage is not None:
                    sys.stderr.write(
                        "muxsaga launcher: ends although its log could not be written: "
                        "the next launcher of this log finishes what is open\n"
                    )
                return LOG_NEVER_WRITTEN
            try:
                done = self._kept or self._one_pass(stops)
                self._kept = None if self._commit_and_release(done) else done
            except zmq.ZMQError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the engine is made anew
                self._kept = None
                try:
                    self._keeper.replace(error, time.monotonic_ns())
                except EngineGaveUpError as last:
                    sys.stderr.write(f"muxsaga launcher: {last}\n")
                    return ENGINE_GAVE_UP
            if self._kept is None and self._engine.finished:
                return 0

    def _must_give_up(self, stops: int) -> bool:
        """Say whether it has to end now, whatever is open: recovery finishes that."""
        now = time.monotonic_ns()
        if stops and self._stop_by is None:
            self._stop_by = now + STOP_GRACE
        is_late = self._stop_by is not None and now >= self._stop_by
        is_out = self._outage is not None
        return self._signals.orphaned or (is_out and (stops > 1 or is_late))

    def _one_pass(self, stops: int) -> Pass:
        now = time.monotonic_ns()
        drained = self._read_link()
        if stops > 1:
            self._engine.stop_now(now)
        elif stops:
            self._engine.stop(now)
        if self._crash_every is not None and now >= self._next_crash:
            self._next_crash = now + self._crash_every
            self._engine.crash_coordinator()
        self._engine.fire_timers(time.monotonic_ns(), drained=drained)
        return self._engine.end_pass()

    def status(self) -> dict[str, Any]:
        """Give what the launcher is doing; may be called from another thread."""
        return {
            **self._engine.view.status(),
            "log_status": self._log_status(),
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
        now, outage = time.monotonic_ns(), self._outage
        return LoopHealth(
            outage=outage,
            outage_s=seconds(now - self._outage_began) if outage is not None else 0.0,
            quiet_s=seconds(now - self._engine.last_look),
        )

    def close(self) -> None:
        """Close the sockets; what is still queued has `LINGER_MS` to go out."""
        self._link.disable_monitor()
        for each in (self._monitor, self._link, self._stream):
            each.close()

    def _log_status(self) -> str:
        return "ok" if self._outage is None else f"log unavailable: {self._outage}"

    def _poll(self) -> int:
        """Wait until something is to do; give how many requests to stop there were so far."""
        now = time.monotonic_ns()
        due = self._engine.next_due
        wait = min(LONGEST_POLL, self._next_heartbeat - now)
        if self._kept is not None:
            # The log is out: frames stay in their sockets, only signals and time count.
            readable, _, _ = select.select(self._signals.filenos(), [], [], COMMIT_RETRY / 1e9)
            return self._signals.look() if readable else self._signals.count
        if due is not None:
            wait = min(wait, due)
        ready = dict(self._poller.poll(max(0, -(-wait // 1_000_000))))
        if self._stream in ready:
            self._drop_subscriptions()
        if self._monitor in ready:
            self._count_disconnects()
        if any(fileno in ready for fileno in self._signals.filenos()):
            return self._signals.look()
        return self._signals.count

    def _drop_subscriptions(self) -> None:
        while True:
            try:
                self._stream.recv(zmq.NOBLOCK)
            except zmq.Again:
                return

    def _count_disconnects(self) -> None:
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            self._engine.link.faults[FrameFault.LINK_DROPPED] += 1

    def _read_link(self) -> bool:
        """Take what waits; say whether nothing is left."""
        frames_by_peer: Counter[bytes] = Counter()
        total, key = 0, None
        has_keys = self._link_has_keys
        while total < FRAMES_A_PASS:
            try:
                if has_keys:
                    connection, frames, key = sockets.receive_with_key(self._link)
                else:
                    connection, *frames = self._link.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return True
            self._engine.receive(connection, frames, time.monotonic_ns(), key)
            total += len(frames)
            frames_by_peer[connection] += len(frames)
            if frames_by_peer[connection] >= FRAMES_A_PEER:
                return False
        return False

    def _beat(self) -> None:
        now = time.monotonic_ns()
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + self._heartbeat
            self._stream.send(self._engine.stream_heartbeat(self._log_status()), zmq.NOBLOCK)
            if self._outage is not None:
                for message in self._engine.signs_of_life():
                    self._send(message)

    def _commit_and_release(self, done: Pass) -> bool:
        """Make a pass durable, then let it out; say whether the log could be written."""
        try:
            if done.rows:
                self._log.commit(done.rows)
        except LogUnavailableError as error:
            if self._outage is None:
                self._outage_began = time.monotonic_ns()
                sys.stderr.write(f"muxsaga launcher: log unavailable: {error}\n")
            self._outage = str(error)
            return False
        if self._outage is not None:
            sys.stderr.write("muxsaga launcher: log available again\n")
            self._outage = None
        self._release(done)
        return True

    def _release(self, done: Pass) -> None:
        for blob in done.blobs:
            self._stream.send(blob, zmq.NOBLOCK)
        self._engine.released(done)
        for message in done.messages:
            self._send(message)

    def _send(self, message: Outgoing) -> None:
        try:
            self._link.send_multipart([message.connection, *message.frames], zmq.NOBLOCK)
        except zmq.Again:
            self._engine.not_sent(message, gone=False)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._engine.not_sent(message, gone=True)
        else:
            self._engine.sent(message)
