"""A launcher under attack: the good, the bad, and one who watches them all."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import zmq

from tests.malformed_frames.bad_frame import BadFrame
from tests.malformed_frames.hostile_host import HostileHost
from tests.malformed_frames.hostile_peers import (
    HostileService,
    frames_of_a_stranger,
    frames_of_an_asker,
)
from tests.malformed_frames.noise import too_large
from tests.malformed_frames.peer import Peer, sum_of
from tests.malformed_frames.watcher import Watcher

Message = dict[str, Any]

STEP_SECONDS = 20.0
POLL_MILLISECONDS = 50
DROPPED_BYTES = 16 * 1024 * 1024 + 1
OWED_WINDOWS = 2
SPOILED_BY_HOST = 300
SPOILED_BY_SERVICE = 20
BROKEN_BY_HOST = 30
BY_STRANGER = 80
BY_ASKER = 50


class Scene:
    """Sends good and bad frames, and waits for what must come of them.

    Attributes:
        sent: how many bad frames went out.
        spoiled: how many of those were good messages of a registered peer but for one thing.
        owing: a good host that owes two windows while the attack lasts.
        giants: connections that each were dropped once.
    """

    def __init__(
        self, context: zmq.Context[Any], directory: Path, watcher: Watcher, random: Random
    ) -> None:
        self.sent = 0
        self.spoiled = 0
        self.giants: list[Peer] = []
        self._context = context
        self._directory = directory
        self._watcher = watcher
        self._random = random
        self._poller = zmq.Poller()
        self._poller.register(watcher.descriptor, zmq.POLLIN)
        self._peers: list[Peer] = []
        self._questions = 0
        self._promotes = 0
        self._status = self.connect("query")
        self.controls = [self.connect("control-left"), self.connect("control-right")]
        self.owing = self.connect("link")
        self.owing_host = HostileHost(random, "owing")
        self.host = HostileHost(random, "mallory")
        self.host_link = self.connect("link")
        self.service_link = self.connect("link")
        self.stranger = self.connect("link")
        self.asker = self.connect("query")

    def connect(self, socket: str) -> Peer:
        """Give a new connection that is read whenever the scene waits."""
        peer = Peer(self._context, f"ipc://{self._directory}/{socket}")
        self._peers.append(peer)
        self._poller.register(peer.socket, zmq.POLLIN)
        return peer

    def wait(self, condition: Callable[[], bool]) -> None:
        """Read whatever comes until the condition holds."""
        deadline = time.monotonic() + STEP_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self._unanswered()
            ready = dict(self._poller.poll(POLL_MILLISECONDS))
            for peer in self._peers:
                peer.read()
            if self._watcher.descriptor in ready:
                self._watcher.read()
                if self._watcher.ended:
                    self._poller.unregister(self._watcher.descriptor)

    def status(self) -> Message:
        """Ask the launcher how it is."""
        self._questions += 1
        number = self._questions
        self._status.say({"type": "StatusQuestion", "number": number})
        self.wait(
            lambda: self._status.told[-1:] != [] and self._status.told[-1]["number"] == number
        )
        status: Message = self._status.told[-1]["status"]
        return status

    def settle(self, condition: Callable[[Message], bool]) -> Message:
        """Ask for the status until the condition holds for it, or for long enough."""
        deadline = time.monotonic() + STEP_SECONDS
        while True:
            status = self.status()
            if condition(status) or time.monotonic() > deadline:
                return status
            self._poller.poll(POLL_MILLISECONDS)

    def register_all(self) -> None:
        """Let the peers on the link register, as good ones."""
        self.owing.say(
            {
                **self.owing_host.registration(),
                "pool_target": OWED_WINDOWS,
                "inventory": [],
            }
        )
        self.host_link.say(self.host.registration())
        self.wait(lambda: bool(self.owing.told_of("Commands")))
        self.wait(lambda: bool(self.host_link.told_of("Commands")))
        owed = self.owed(self.owing)
        self.host.know(self.owed(self.host_link)[0], owed)
        self.service = HostileService(self._random, "polisher", owed)
        self.service_link.say(self.service.registration())
        self.wait(lambda: bool(self.service_link.told_of("Registered")))

    def owed(self, link: Peer) -> list[list[Any]]:
        """Give the identities of the commands that a peer was sent."""
        return [
            command["identity"]
            for message in link.told_of("Commands")
            for command in message["commands"]
        ]

    def promote(self, at_once: int) -> None:
        """Ask each of the good hosts for so many promotes; do not wait for them."""
        for control in self.controls:
            for _ in range(at_once):
                self._promotes += 1
                control.say({"type": "PromoteWindow", "number": self._promotes})

    def attack(self, *, with_large: bool) -> None:
        """Send bad frames on every connection; do not wait for the answers."""
        by_host = self.host.spoiled_frames(SPOILED_BY_HOST)
        by_service = self.service.spoiled_frames(SPOILED_BY_SERVICE)
        self.spoiled += len(by_host) + len(by_service)
        large = [too_large()] * with_large
        self._send(self.host_link, by_host)
        self._send(self.host_link, self.host.broken_frames(BROKEN_BY_HOST) + large)
        self._send(self.service_link, by_service)
        self._send(self.stranger, frames_of_a_stranger(self._random, BY_STRANGER) + large)
        self._send(self.asker, frames_of_an_asker(self._random, BY_ASKER) + large)

    def see_it_through(self) -> None:
        """Wait until every bad frame is refused, and every promote has its bracket closed."""
        self.wait(lambda: all(peer.answered for peer in self._peers))
        self.wait(lambda: len(self.promoted()) == self._promotes)
        self.wait(lambda: self.promoted() <= self._watcher.closed)

    def promoted(self) -> set[str]:
        """Give the ids of the promotes that the hosts did."""
        return {
            done["promote_id"]
            for control in self.controls
            for done in control.told_of("ActionDone")
        }

    def drop_a_link(self) -> None:
        """Send what ZeroMQ itself refuses, from a registered host; it may register again."""
        giant = self.connect("link")
        self.giants.append(giant)
        host = HostileHost(self._random, f"giant-{len(self.giants)}")
        register = {**host.registration(), "pool_target": 0}
        giant.say(register)
        self.wait(lambda: len(giant.told_of("Registered")) == 1)
        giant.say(bytes(DROPPED_BYTES))
        drops = len(self.giants)
        status = self.settle(lambda status: status["faults"].get("link_dropped") == drops)
        assert status["faults"]["link_dropped"] == drops
        self._send(giant, [BadFrame(b"\x82\xa4type\xa4Ping\xa4last\x00", "not_registered")])
        self.wait(lambda: giant.answered)
        giant.say(register)
        self.wait(lambda: len(giant.told_of("Registered")) == 2)

    def make_peace(self) -> None:
        """Let all who are left speak as good ones; what was told before has come by then."""
        self.stranger.say(
            {**HostileHost(self._random, "stranger").registration(), "pool_target": 0}
        )
        self.wait(lambda: bool(self.stranger.told_of("Registered")))
        self.service_link.say(self.service.registration())
        self.wait(lambda: len(self.service_link.told_of("Registered")) == 2)
        self.asker.say({"type": "StatusQuestion", "number": 1})
        self.wait(lambda: bool(self.asker.told_of("StatusAnswer")))
        for control in self.controls:
            control.say({"type": "InspectHost", "number": 0})
        self.wait(lambda: all(control.told_of("HostState") for control in self.controls))
        self._settle_and_leave(self.owing_host, self.owing)
        self._settle_and_leave(self.host, self.host_link)
        self.wait(lambda: self._watcher.ended)

    def due_faults(self) -> tuple[Counter[str], Counter[str]]:
        """Give how many bad frames of each kind were sent: to the link, and to the query socket."""
        on_link = [self.host_link, self.service_link, self.stranger, *self.giants]
        dropped = Counter({"link_dropped": len(self.giants)})
        return (
            sum_of([*(peer.due_by_fault() for peer in on_link), dropped]),
            self.asker.due_by_fault(),
        )

    def _settle_and_leave(self, host: HostileHost, link: Peer) -> None:
        link.say(host.settling(self.owed(link)))
        self.wait(lambda: link.told[-1].get("taken") == host.taken)
        link.say({"type": "Goodbye"})

    def _send(self, peer: Peer, frames: list[BadFrame]) -> None:
        self.sent += len(frames)
        peer.say_bad(self._random, frames)

    def _unanswered(self) -> list[object]:
        return [peer.due - peer.refused for peer in self._peers if not peer.answered]
