"""DBOS: each promote is a durable workflow of two steps, in the SQLite file that DBOS makes itself.

Host, driver and messages are the floor's, which cost least; only the launcher is another. On a
promote's third report it starts a workflow under the promote's number, which DBOS starts at most
once. Step one has the host make a window and waits for its report. Step two tells the observers.
DBOS writes a row when a workflow begins and ends, and one for each step: four commits. Workflows
run in its threads; one thread owns the sockets.

*As it comes*: the file is in SQLite's rollback mode. *In WAL mode*: the same file, put into WAL
mode before DBOS opens it. Both commit with SQLite's `synchronous=FULL`, so a commit also survives
a power cut, as with muxsaga's `power`; DBOS recommends PostgreSQL for production, which is a server
of its own and no part of this comparison.

What it does not do: the terminal event leaves before the step that sends it is committed. Reports
and events are not kept: none is sent again, no observer can ask for what it missed. A step that
runs twice makes two windows. Nobody supervises the host, and no promote has a deadline.
"""

import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import zmq
from dbos import DBOS, SetWorkflowID

from bench.floor import BEACON_MS, LONGEST_POLL_MS
from bench.floor_frames import Kind, frame_of, read_frame
from bench.floor_scene import FloorScene
from bench.processes import floor_host
from bench.stage import Stage
from bench.trigger_sockets import make_room
from bench.waiting import waiting_frames, waiting_requests
from bench.yardsticks.outbox import Outbox
from bench.yardsticks.yardstick import HOST, Site, Subject
from transport.endpoints import Endpoints
from transport.process_signals import StopSignals
from transport.zeromq import sockets

STEP_SECONDS = 30.0
"""How long a host may take to make a window."""

EVENT_OF_REPORT = {
    Kind.REPORT_POOL_WINDOW_REMOVED: Kind.POOL_WINDOW_REMOVED,
    Kind.REPORT_POOL_WINDOW_PROMOTED: Kind.POOL_WINDOW_PROMOTED,
    Kind.REPORT_WINDOW_OPENED: Kind.WINDOW_OPENED,
}

StartWorkflow = Callable[[int, int], None]
"""Starts the workflow of a promote: its number, and when it left the pool."""


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """Where the launcher binds, and where its file is."""

    endpoints: Endpoints
    database: Path
    wal: bool


class Launcher:
    """The sockets, and what workflows want of them. Workflows call `ask_host` and `publish`."""

    def __init__(self, context: zmq.Context[Any], endpoints: Endpoints) -> None:
        self._link = sockets.router(context, endpoints.link)
        make_room(self._link)
        self._stream = sockets.publisher(context, endpoints.events)
        self._outbox = Outbox[tuple[Kind, int, int]]()
        self._asked: dict[int, Future[int]] = {}
        self._host = b""

    def ask_host(self, number: int, at_ns: int) -> int:
        """Have the host make a window, and wait until it says that it has; in any thread."""
        answer = self._asked[number] = Future()
        self._outbox.put((Kind.SPAWN_POOL_WINDOW, number, at_ns))
        return answer.result(STEP_SECONDS)

    def publish(self, kind: Kind, number: int, at_ns: int) -> None:
        """Tell the observers; in any thread."""
        self._outbox.put((kind, number, at_ns))

    def run(self, signals: StopSignals, start_workflow: StartWorkflow) -> None:
        """Go round until the process is to stop."""
        poller = zmq.Poller()
        for each in (self._link, self._stream, self._outbox, *signals.filenos()):
            poller.register(each, zmq.POLLIN)
        wait = BEACON_MS
        while not (signals.look() or signals.orphaned):
            poller.poll(wait)
            for _ in waiting_frames(self._stream):
                pass
            for connection, frame in waiting_requests(self._link):
                self._host = connection
                wait = self._take(frame, start_workflow) or wait
            for kind, number, at_ns in self._outbox.take():
                self._let_out(kind, number, at_ns)
            if wait == BEACON_MS:
                self._stream.send(frame_of(Kind.BEACON, int(self._host != b"")), zmq.NOBLOCK)

    def _take(self, frame: bytes, start_workflow: StartWorkflow) -> int | None:
        """Take what a host says; give how long to wait from now on, if that changes."""
        number_of_kind, number, at_ns = read_frame(frame)
        if number_of_kind == Kind.HELLO:
            return None
        if number_of_kind == Kind.REPORT_POOL_WINDOW_ADDED:
            self._asked.pop(number).set_result(at_ns)
            return None
        kind = Kind(number_of_kind)
        self._stream.send(frame_of(EVENT_OF_REPORT[kind], number, at_ns), zmq.NOBLOCK)
        if kind is Kind.REPORT_WINDOW_OPENED:
            start_workflow(number, at_ns)
        return LONGEST_POLL_MS

    def _let_out(self, kind: Kind, number: int, at_ns: int) -> None:
        frame = frame_of(kind, number, at_ns)
        if kind is Kind.SPAWN_POOL_WINDOW:
            with suppress(zmq.ZMQError):  # it is gone: so is what its step waits for
                self._link.send_multipart([self._host, frame], zmq.NOBLOCK)
        else:
            self._stream.send(frame, zmq.NOBLOCK)


def run_launcher(settings: LauncherSettings, life_line: int, pipe: Connection) -> int:
    """Run DBOS in this process until it is told to stop."""
    with StopSignals(life_line) as signals:
        launcher = Launcher(zmq.Context.instance(), settings.endpoints)

        @DBOS.step()
        def make_window(number: int, at_ns: int) -> int:
            return launcher.ask_host(number, at_ns)

        @DBOS.step()
        def record_outcome(number: int, at_ns: int) -> None:
            launcher.publish(Kind.POOL_WINDOW_ADDED, number, at_ns)
            launcher.publish(Kind.SAGA_COMPLETED, number, at_ns)

        @DBOS.workflow()
        def promote(number: int, at_ns: int) -> None:
            launcher.publish(Kind.SAGA_STARTED, number, at_ns)
            record_outcome(number, make_window(number, at_ns))

        def start_workflow(number: int, at_ns: int) -> None:
            with SetWorkflowID(f"promote-{number}"):
                DBOS.start_workflow(promote, number, at_ns)

        _launch_dbos(settings)
        pipe.send("ready")
        launcher.run(signals, start_workflow)
    # Workflows may be under way, and their host is gone; DBOS is made for processes that just end.
    os._exit(0)


def _launch_dbos(settings: LauncherSettings) -> None:
    if settings.wal:
        with closing(sqlite3.connect(settings.database)) as database:
            database.execute("PRAGMA journal_mode = WAL")
    DBOS(
        config={
            "name": "promotes",
            "system_database_url": f"sqlite:///{settings.database}",
            "log_level": "ERROR",
        }
    )
    DBOS.launch()


@dataclass(frozen=True, slots=True)
class Dbos:
    """Implements `Yardstick`."""

    wal: bool

    def start(self, stage: Stage, site: Site) -> None:
        """Start DBOS in a launcher, and the floor's host."""
        settings = LauncherSettings(site.endpoints, site.directory / "dbos.sqlite", self.wal)
        stage.start_ready("launcher", run_launcher, settings)
        stage.start_ready(HOST, floor_host, site.host)

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give the floor's driver side."""
        return Subject(FloorScene(context, site.endpoints, [site.host]))


DBOS_AS_IT_COMES = Dbos(wal=False)
DBOS_IN_WAL_MODE = Dbos(wal=True)
