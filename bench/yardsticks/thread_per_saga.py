"""Thread per saga: what one would write first, with each saga a `pykka.ThreadingActor`.

The processes and sockets are muxsaga's, and so are the logical messages and their fields. Each is a
frame of its own, in plain MessagePack: three reports up, six events out, one command down, one
report up. The launcher's main thread owns the sockets, numbers events, and starts an actor for each
promote, which issues the command, waits for its window, says that it is done and stops. What an
actor wants sent goes to the main thread, which is woken.

What it does not do: no log and no recovery, no acknowledgements, nothing sent again, no command
executed once for certain, no validation, no deadlines, no supervision, no bound on anything, no
replay for an observer that joins late.
"""

import secrets
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import pykka
import zmq

from bench.runs import SPARE_WINDOWS
from bench.stage import Stage
from bench.trigger_sockets import make_room
from bench.waiting import waiting_frames, waiting_requests
from bench.yardsticks.outbox import Outbox
from bench.yardsticks.plain_host import (
    Fields,
    HostSettings,
    PlainScene,
    pack,
    poller_of,
    run_host,
    unpack,
)
from bench.yardsticks.yardstick import HOST, Site, Subject
from transport.endpoints import Endpoints
from transport.process_signals import StopSignals
from transport.zeromq import sockets

BEACON_MS = 10
"""How often the launcher says that it knows its host, in milliseconds, before the first promote."""


class RespawnSaga(pykka.ThreadingActor):
    """Has the host that promoted make a window, and is done when it is there."""

    def __init__(self, saga_id: int, outbox: Outbox[Fields]) -> None:
        super().__init__()
        self._saga_id = saga_id
        self._outbox = outbox

    def on_start(self) -> None:
        """Issue the command."""
        self._outbox.put({"type": "SpawnPoolWindow", "saga_id": self._saga_id})

    def on_receive(self, message: Fields) -> None:
        """Take the event of its window."""
        label = message["label"]
        self._outbox.put({"type": "SagaCompleted", "saga_id": self._saga_id, "result": label})
        self.stop()


class Launcher:
    """Reports in; events and commands out; an actor for each promote."""

    def __init__(self, context: zmq.Context[Any], endpoints: Endpoints) -> None:
        self._link = sockets.router(context, endpoints.link)
        make_room(self._link)
        self._stream = sockets.publisher(context, endpoints.events)
        self._outbox = Outbox[Fields]()
        self._log = secrets.token_hex(16)
        self._version = 0
        self._next_saga_id = 1
        self._sagas: dict[int, pykka.ActorRef[RespawnSaga]] = {}
        self._host = b""

    def run(self, signals: StopSignals) -> None:
        """Go round until the process is to stop."""
        poller = poller_of(signals, self._link, self._stream, self._outbox)
        while not (signals.look() or signals.orphaned):
            poller.poll(BEACON_MS)
            for _ in waiting_frames(self._stream):
                pass
            for connection, frame in waiting_requests(self._link):
                self._host = connection
                self._take(unpack(frame))
            for message in self._outbox.take():
                self._let_out(**message)
            if self._host and not self._version:
                self._stream.send(pack("Beacon"), zmq.NOBLOCK)

    def close(self) -> None:
        """Stop what is still under way."""
        pykka.ActorRegistry.stop_all()
        self._link.close()
        self._stream.close()
        self._outbox.close()

    def _take(self, report: Fields) -> None:
        match report:
            case {"type": "Hello"}:
                return
            case {"type": "ReportPoolWindowAdded", "label": label, "origin": origin}:
                saga_id = report["identity"][1]
                event = {"label": label, "saga_id": saga_id, "origin": origin}
                self._publish("PoolWindowAdded", **event)
                self._sagas[saga_id].tell(event)
            case {"type": kind, **fields}:
                self._publish(kind.removeprefix("Report"), saga_id=None, **fields)
                if kind == "ReportPoolWindowPromoted":
                    self._start_saga()

    def _start_saga(self) -> None:
        saga_id, self._next_saga_id = self._next_saga_id, self._next_saga_id + 1
        name, cause = "pool_respawn_on_promote", self._version
        self._publish("SagaStarted", name=name, cause=cause, saga_id=saga_id, origin=None)
        self._sagas[saga_id] = RespawnSaga.start(saga_id, self._outbox)

    def _let_out(self, type: str, saga_id: int, **fields: Any) -> None:  # noqa: A002 - the wire's
        if type == "SpawnPoolWindow":
            command = pack(type, identity=[self._log, saga_id, 0])
            with suppress(zmq.ZMQError):  # it is gone
                self._link.send_multipart([self._host, command], zmq.NOBLOCK)
        else:
            del self._sagas[saga_id]
            self._publish(type, saga_id=saga_id, origin=None, **fields)

    def _publish(self, kind: str, **fields: Any) -> None:
        self._version += 1
        self._stream.send(pack(kind, version=self._version, **fields), zmq.NOBLOCK)


def run_launcher(endpoints: Endpoints, life_line: int, pipe: Connection) -> int:
    """Run a launcher until it is told to stop."""
    with StopSignals(life_line) as signals, zmq.Context() as context:
        launcher = Launcher(context, endpoints)
        try:
            pipe.send("ready")
            launcher.run(signals)
        finally:
            launcher.close()
    return 0


class ThreadPerSaga:
    """Implements `Yardstick`."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start a launcher and a host."""
        stage.start_ready("launcher", run_launcher, site.endpoints)
        target = site.concurrency + SPARE_WINDOWS
        stage.start_ready(HOST, run_host, HostSettings(site.host, target))

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give its driver side."""
        return Subject(PlainScene(context, site))


THREAD_PER_SAGA = ThreadPerSaga()
