"""A link through a fault proxy: sockets at both its sides, in one process."""

import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zmq

from tests.free_ports import first_of_free_ports
from transport.fault_proxy import Direction, FaultKind, FaultProxy, Relay

DEADLINE = 10.0
DEADLINE_MS = 10_000
UP, DOWN = Direction.UP, Direction.DOWN
ZmqSocket = zmq.Socket[bytes]


class Scene:
    """A proxy, and sockets at both its sides."""

    def __init__(self, directory: Path, kind: str) -> None:
        self.directory = directory
        self.context = zmq.Context[Any]()
        self.sockets: list[ZmqSocket] = []
        self.proxy = FaultProxy(generator=Random(7))
        if kind == "ipc":
            self.target, self.listen = f"ipc://{directory}/target", f"ipc://{directory}/relay"
        else:
            self.target = f"tcp://127.0.0.1:{first_of_free_ports(1)}"
            self.listen = "tcp://127.0.0.1:0"
        self.relay = self.proxy.relay("link", listen=self.listen, target=self.target)

    def socket(self, kind: int) -> ZmqSocket:
        made: ZmqSocket = self.context.socket(kind)
        self.sockets.append(made)
        made.setsockopt(zmq.LINGER, DEADLINE_MS)
        made.setsockopt(zmq.RCVTIMEO, DEADLINE_MS)
        made.setsockopt(zmq.SNDTIMEO, DEADLINE_MS)
        made.setsockopt(zmq.RECONNECT_IVL, 10)
        return made

    def bound(self, kind: int) -> ZmqSocket:
        made = self.socket(kind)
        made.bind(self.target)
        return made

    def connected(self, kind: int) -> ZmqSocket:
        made = self.socket(kind)
        if kind == zmq.SUB:
            made.setsockopt(zmq.SUBSCRIBE, b"")
        made.connect(self.relay.endpoint)
        return made

    def link(self) -> "Link":
        link = Link(self.bound(zmq.ROUTER), self.connected(zmq.DEALER))
        link.meet()
        return link

    def close(self) -> None:
        self.proxy.close()
        for each in self.sockets:
            each.close(linger=0)
        self.context.term()


class Link:
    """A ROUTER and a DEALER that meet through the relay."""

    def __init__(self, router: ZmqSocket, dealer: ZmqSocket) -> None:
        self.router = router
        self.dealer = dealer
        self.route = b""

    def meet(self) -> None:
        self.dealer.send(b"hello")
        self.route, hello = self.router.recv_multipart()
        assert hello == b"hello"

    def send(self, direction: Direction, *frames: bytes) -> None:
        if direction is UP:
            self.dealer.send_multipart(frames)
        else:
            self.router.send_multipart([self.route, *frames])

    def receive(self, direction: Direction) -> list[bytes]:
        if direction is DOWN:
            return self.dealer.recv_multipart()
        self.route, *frames = self.router.recv_multipart()
        return frames

    def receiver(self, direction: Direction) -> ZmqSocket:
        return self.router if direction is UP else self.dealer


def hit(relay: Relay, kind: FaultKind, count: int = 1) -> bool:
    return relay.wait_for(kind, count, seconds=DEADLINE)


def until_met_again(link: Link) -> None:
    """Send until the target hears it: what is sent while a connection ends may be lost with it."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        link.dealer.send(b"hello")
        if link.router.poll(100):
            link.route, _ = link.router.recv_multipart()
            return
    pytest.fail("the client did not come back")
