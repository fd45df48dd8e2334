"""Thespian: launcher and host are actors of its `multiprocTCPBase`, each a process of its own.

That is the system base which its documentation has for actors in several processes. The driver is
the observer in a third process: an external application, which tells the host to promote, and
listens. A message is as large as the real one, pickled by Thespian, sent by its TCP transport.
A saga is no actor here, for that would be a process for each: the launcher goes by the message.

What it does not do: messages have no order, for its TCP transport makes a connection for each. No
log, no recovery, nothing delivered once for certain, no validation, no deadline. Events go to the
observer alone, not to the host too.
"""

import os
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import zmq
from thespian.actors import Actor, ActorAddress, ActorSystem
from thespian.system.transport.IPBase import IPActorAddress

from bench.floor_frames import EVENTS, EVENTS_OF, PROMOTE_REPORTS, Kind, frame_of, read_frame
from bench.floor_scene import wrong_promotes
from bench.promote_ledger import Completion, Key, Start, Taken, VoidRunError
from bench.stage import START_SECONDS, Stage
from bench.yardsticks.descendants import adopt_descendants, end_descendants
from bench.yardsticks.yardstick import HOST, Site, Subject
from transport.process_signals import StopSignals

LOOPBACK = "127.0.0.1"

LAST_EVENT_SECONDS = 5.0
"""How long an event may come after the completion of its promote."""


class Launcher(Actor):  # type: ignore[misc]  # the library has no types
    """Makes events of reports, for whoever said hello; has the host make a window."""

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:  # noqa: N802 - Thespian's
        """Take a frame; hello comes from the observer, and everything else from the host."""
        if not isinstance(message, bytes):
            return
        number_of_kind, number, at_ns = read_frame(message)
        if number_of_kind == Kind.HELLO:
            self.observer = sender
            self.send(sender, frame_of(Kind.BEACON, os.getpid()))
            return
        kind = Kind(number_of_kind)
        for event in EVENTS_OF[kind]:
            self.send(self.observer, frame_of(event, number, at_ns))
        if kind is Kind.REPORT_WINDOW_OPENED:
            self.send(sender, frame_of(Kind.SPAWN_POOL_WINDOW, number, at_ns))


class Host(Actor):  # type: ignore[misc]  # likewise
    """Promotes at the driver's request, and makes windows at the launcher's."""

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:  # noqa: N802 - Thespian's
        """Take the launcher's address once, and then frames."""
        if isinstance(message, ActorAddress):
            self.launcher = message
        if not isinstance(message, bytes):
            return
        kind, number, at_ns = read_frame(message)
        if kind == Kind.HELLO:
            self.send(sender, frame_of(Kind.BEACON, os.getpid()))
        elif kind == Kind.PROMOTE_WINDOW:
            at_ns = time.monotonic_ns()
            for report in PROMOTE_REPORTS:
                self.send(self.launcher, frame_of(report, number, at_ns))
            self.send(sender, frame_of(Kind.ACTION_DONE, number, at_ns))
        else:
            self.send(sender, frame_of(Kind.REPORT_POOL_WINDOW_ADDED, number, at_ns))


@dataclass(frozen=True, slots=True)
class SystemSettings:
    """Where a system's administrator listens, and where its log goes."""

    port: int
    log: Path

    def enter(self) -> ActorSystem:
        """Start the system, or join the one that runs."""
        os.environ["THESPLOG_FILE"] = str(self.log)
        # Thespian unpickles what comes, and would listen on every interface of the machine.
        os.environ["THESPIAN_BASE_IPADDR"] = LOOPBACK
        IPActorAddress.bindArgs = property(lambda self: ((LOOPBACK, self.bindname[1]),))
        return ActorSystem("multiprocTCPBase", {"Admin Port": self.port})


def actors_of(system: ActorSystem) -> tuple[ActorAddress, ActorAddress]:
    """Give the addresses of launcher and host, which are made if they are not there."""
    launcher = system.createActor(Launcher, globalName="launcher")
    return launcher, system.createActor(Host, globalName=HOST)


def run_system(settings: SystemSettings, life_line: int, pipe: Connection) -> int:
    """Run a system until told to stop; its processes detach themselves, but do not outlive it."""
    adopt_descendants()
    with StopSignals(life_line) as signals:
        try:
            system = settings.enter()
            actors_of(system)
            pipe.send("ready")
            poller = zmq.Poller()
            for each in signals.filenos():
                poller.register(each, zmq.POLLIN)
            while not (signals.look() or signals.orphaned):
                poller.poll()
            system.shutdown()
        finally:
            end_descendants()
    return 0


class ThespianScene:
    """Implements `Scene`. A promote's key is its number."""

    def __init__(self, settings: SystemSettings) -> None:
        self._system = settings.enter()
        self._launcher, self._host = actors_of(self._system)
        self._system.tell(self._host, self._launcher)
        self._frames: list[bytes] = []
        self._taken: list[Taken] = []
        self._promotes = 0

    def pids(self) -> dict[str, int]:
        """Say hello to both, and give their process ids.

        Raises:
            VoidRunError: one does not answer.
        """
        return {"launcher": self._hello(self._launcher), HOST: self._hello(self._host)}

    def _hello(self, actor: ActorAddress) -> int:
        answer = self._system.ask(actor, frame_of(Kind.HELLO), START_SECONDS)
        if not isinstance(answer, bytes):
            msg = "an actor does not answer"
            raise VoidRunError(msg)
        _, pid, _ = read_frame(answer)
        return pid

    def is_ready(self, wait_seconds: float) -> bool:
        """Say that they are: both answered."""
        del wait_seconds
        return True

    def promote(self, start: Start) -> None:
        """Tell the host to."""
        self._promotes += 1
        self._system.tell(self._host, frame_of(Kind.PROMOTE_WINDOW, start.number))

    def answers(self) -> list[Taken]:
        """Give what the host answered meanwhile."""
        taken, self._taken = self._taken, []
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Listen to events."""
        completions = []
        message = self._system.listen(wait_seconds)
        while isinstance(message, bytes):
            kind, number, at_ns = read_frame(message)
            if kind == Kind.ACTION_DONE:
                self._taken.append(Taken(number, number, at_ns))
            else:
                self._frames.append(message)
            if kind == Kind.SAGA_COMPLETED:
                completions.append(Completion(number, 0, time.monotonic_ns()))
            message = self._system.listen(0)
        return completions

    def violations(self) -> list[str]:
        """Give the promotes that have not each event once, in whichever order."""
        deadline = time.monotonic() + LAST_EVENT_SECONDS
        due = self._promotes * len(EVENTS)
        while len(self._frames) < due and time.monotonic() < deadline:
            self.completions(deadline - time.monotonic())
        return wrong_promotes(sorted(self._frames, key=read_frame), self._promotes)

    def events_of(self, key: Key) -> None:
        """Give None: nobody asks where its time goes."""
        del key

    def close(self) -> None:
        """Leave the system to the process that runs it."""


class Thespian:
    """Implements `Yardstick`."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start a system at a free port."""
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        _port_file(site).write_text(str(port), encoding="ascii")
        stage.start_ready("thespian", run_system, _settings(site))

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Join that system."""
        del context
        scene = ThespianScene(_settings(site))
        return Subject(scene, scene.pids())


def _port_file(site: Site) -> Path:
    return site.directory / "thespian-port"


def _settings(site: Site) -> SystemSettings:
    port = int(_port_file(site).read_text(encoding="ascii"))
    return SystemSettings(port, site.directory / "thespian.log")


THESPIAN = Thespian()
