"""The fault proxy between real sockets: each fault, and nothing where none is ordered."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from tests.relayed_link import (
    DEADLINE,
    DEADLINE_MS,
    DOWN,
    UP,
    Link,
    Scene,
    ZmqSocket,
    hit,
    until_met_again,
)
from transport.codec import unpack
from transport.endpoints import EndpointError
from transport.fault_proxy import Direction, FaultKind, FaultProxy, FaultProxyClosedError
from transport.frame_fault import FrameError, FrameFault

NOTHING_MS = 50
"""How long to look for what must not come."""


class Draws(Random):
    """A generator whose numbers are given."""

    def __init__(self, *numbers: float) -> None:
        super().__init__(0)
        self.numbers = list(numbers)

    def random(self) -> float:
        return self.numbers.pop(0)


@pytest.fixture(params=["ipc", "tcp"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, request.param)
    yield scene
    scene.close()


@pytest.fixture
def ipc_scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, "ipc")
    yield scene
    scene.close()


@pytest.fixture(params=[UP, DOWN], ids=["up", "down"])
def direction(request: pytest.FixtureRequest) -> Direction:
    way: Direction = request.param
    return way


def test_messages_pass_whole_and_in_order_where_no_fault_is_ordered(scene: Scene) -> None:
    link = scene.link()
    generator = Random(1)
    sent = [[b"%d" % number] for number in range(500)]
    sent += [[b"", generator.randbytes(3_000_000), b"", generator.randbytes(70_000)]] * 2
    sent += [[generator.randbytes(size)] for size in range(0, 2_000, 7)]
    for each in sent:
        link.send(UP, *each)
        link.send(DOWN, *each)
    assert [link.receive(UP) for _ in sent] == sent
    assert [link.receive(DOWN) for _ in sent] == sent
    assert scene.relay.counts == {}
    assert scene.relay.connections == 1


def test_a_delay_makes_late_and_counts_once(ipc_scene: Scene, direction: Direction) -> None:
    link = ipc_scene.link()
    ipc_scene.relay.delay(direction, seconds=0.1)
    for number in (b"1", b"2"):
        sent_at = time.monotonic()
        link.send(direction, number)
        assert link.receive(direction) == [number]
        assert time.monotonic() - sent_at >= 0.1
    assert ipc_scene.relay.counts == {FaultKind.DELAY: 1}


def test_jitter_keeps_the_order_of_a_connection(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "ipc")
    with FaultProxy(generator=Draws(1.0, *[0.0] * 9)) as proxy:
        scene.relay = proxy.relay("other", listen=f"ipc://{tmp_path}/other", target=scene.target)
        link = scene.link()
        scene.relay.delay(UP, seconds=0.0, jitter=0.2)
        sent_at = time.monotonic()
        link.send(UP, b"first")
        assert hit(scene.relay, FaultKind.DELAY)
        link.send(UP, b"second")
        assert [link.receive(UP), link.receive(UP)] == [[b"first"], [b"second"]]
        assert time.monotonic() - sent_at >= 0.2
    scene.close()


def test_silence_holds_one_direction_until_healed(scene: Scene, direction: Direction) -> None:
    link = scene.link()
    other = DOWN if direction is UP else UP
    scene.relay.silence(direction)
    link.send(direction, b"held")
    assert hit(scene.relay, FaultKind.SILENCE)
    link.send(other, b"passes")
    assert link.receive(other) == [b"passes"]
    assert not link.receiver(direction).poll(NOTHING_MS)
    assert scene.relay.connections == 1
    scene.relay.heal()
    assert link.receive(direction) == [b"held"]
    assert scene.relay.counts == {FaultKind.SILENCE: 1}


def test_what_silence_held_comes_though_its_sender_is_gone(scene: Scene) -> None:
    link = scene.link()
    scene.relay.silence(UP)
    link.send(UP, b"last words")
    link.dealer.close()
    assert hit(scene.relay, FaultKind.SILENCE)
    assert not link.router.poll(NOTHING_MS)
    scene.relay.heal()
    assert link.receive(UP) == [b"last words"]


def test_the_end_of_one_side_reaches_the_other_but_not_through_silence(
    scene: Scene, direction: Direction
) -> None:
    link = scene.link()
    sender, receiver = link.dealer, link.router
    if direction is DOWN:
        sender, receiver = receiver, sender
    scene.relay.silence(direction)
    with receiver.get_monitor_socket(zmq.EVENT_DISCONNECTED) as monitor:
        sender.close(linger=0)
        assert hit(scene.relay, FaultKind.SILENCE)
        assert not monitor.poll(NOTHING_MS)
        scene.relay.heal()
        assert monitor.poll(DEADLINE_MS)
        receiver.disable_monitor()


def test_a_throttle_takes_its_time(scene: Scene, direction: Direction) -> None:
    link = scene.link()
    scene.relay.throttle(direction, bytes_per_second=20_000)
    began = time.monotonic()
    link.send(direction, bytes(4_000))
    assert link.receive(direction) == [bytes(4_000)]
    assert time.monotonic() - began >= (4_000 - 400) / 20_000
    assert scene.relay.counts == {FaultKind.THROTTLE: 1}


@pytest.mark.parametrize("size", [3, 300, 300_000])
def test_corrupt_frames_are_no_messages(ipc_scene: Scene, direction: Direction, size: int) -> None:
    link = ipc_scene.link()
    ipc_scene.relay.corrupt(direction, frames=2)
    valid = [b"\xc4\x00".ljust(size, b"\x00")] * 2
    link.send(direction, *valid, b"\x01")
    first, second, third = link.receive(direction)
    for spoiled in (first, second):
        assert len(spoiled) == size
        with pytest.raises(FrameError) as caught:
            unpack(spoiled)
        assert caught.value.fault is FrameFault.NOT_MESSAGEPACK
    assert third == b"\x01"
    assert ipc_scene.relay.counts == {FaultKind.CORRUPT: 2}


def test_broken_framing_ends_the_connection_and_the_client_comes_back(scene: Scene) -> None:
    link = scene.link()
    route = link.route
    scene.relay.break_framing(UP)
    link.send(UP, b"lost")
    assert hit(scene.relay, FaultKind.BREAK_FRAMING)
    until_met_again(link)
    assert link.route != route


@pytest.mark.parametrize("size", [1, 500_000])
def test_duplicates_are_whole_messages(ipc_scene: Scene, direction: Direction, size: int) -> None:
    link = ipc_scene.link()
    ipc_scene.relay.duplicate(direction, messages=2)
    sent = [[b"first", b"", b"1" * size], [b"second"], [b"third"]]
    for each in sent:
        link.send(direction, *each)
    came = [link.receive(direction) for _ in range(5)]
    assert came == [sent[0], sent[0], sent[1], sent[1], sent[2]]
    assert ipc_scene.relay.counts == {FaultKind.DUPLICATE: 2}


def test_publications_are_spoiled_and_doubled_and_subscriptions_are_not(scene: Scene) -> None:
    for each in (UP, DOWN):
        scene.relay.duplicate(each)
    scene.relay.corrupt(UP)
    publisher, subscriber = scene.bound(zmq.XPUB), scene.connected(zmq.SUB)
    publisher.setsockopt(zmq.XPUB_VERBOSER, 1)
    assert publisher.recv() == b"\x01"
    publisher.send(b"event")
    publisher.send(b"next")
    assert [subscriber.recv() for _ in range(3)] == [b"event", b"event", b"next"]
    scene.relay.drop_connections()
    came = [received_while_polled(publisher, subscriber) for _ in range(2)]
    assert sorted(came) == [b"\x00", b"\x01"]
    assert scene.relay.counts == {FaultKind.DUPLICATE: 1, FaultKind.DROP: 1}


def received_while_polled(publisher: ZmqSocket, subscriber: ZmqSocket) -> bytes:
    """Receive from the publisher; a SUB subscribes anew only when its own thread looks at it."""
    poller = zmq.Poller()
    poller.register(publisher, zmq.POLLIN)
    poller.register(subscriber, zmq.POLLIN)
    assert dict(poller.poll(DEADLINE_MS)) == {publisher: zmq.POLLIN}
    return publisher.recv()


def test_dropped_clients_come_back(scene: Scene) -> None:
    link = scene.link()
    route = link.route
    scene.relay.drop_connections()
    assert scene.relay.connections == 0
    until_met_again(link)
    assert link.route != route
    assert scene.relay.counts == {FaultKind.DROP: 1}


def test_a_cut_link_refuses_until_it_is_healed(scene: Scene) -> None:
    scene.relay.cut()
    assert scene.relay.counts == {}
    router, dealer = scene.bound(zmq.ROUTER), scene.connected(zmq.DEALER)
    dealer.send(b"waits")
    assert hit(scene.relay, FaultKind.CUT)
    assert not router.poll(NOTHING_MS)
    scene.relay.heal()
    assert router.recv_multipart()[1] == b"waits"
    scene.relay.cut()
    assert scene.relay.connections == 0
    assert scene.proxy.counts == {FaultKind.CUT: 2}


def test_a_target_may_come_late_and_come_again(scene: Scene) -> None:
    dealer = scene.connected(zmq.DEALER)
    dealer.send(b"early")
    router = scene.bound(zmq.ROUTER)
    assert router.recv_multipart()[1] == b"early"
    link = Link(router, dealer)
    monitor = router.get_monitor_socket(zmq.EVENT_CLOSED)
    router.unbind(scene.target)
    assert recv_monitor_message(monitor)["event"] == zmq.EVENT_CLOSED
    router.disable_monitor()
    monitor.close()
    router.close(linger=0)
    link.router = scene.bound(zmq.ROUTER)
    until_met_again(link)
    assert scene.relay.counts == {}


def test_a_relay_holds_a_bounded_amount_and_loses_none_of_it(ipc_scene: Scene) -> None:
    router, dealer = ipc_scene.bound(zmq.ROUTER), ipc_scene.socket(zmq.DEALER)
    dealer.setsockopt(zmq.SNDHWM, 10)
    dealer.connect(ipc_scene.relay.endpoint)
    link = Link(router, dealer)
    link.meet()
    ipc_scene.relay.silence(UP)
    sent = 0
    while sent < 1_000 and dealer.poll(200, zmq.POLLOUT):
        dealer.send(sent.to_bytes(4) + bytes(64 * 1024))
        sent += 1
    assert 0 < sent < 100
    ipc_scene.relay.heal()
    assert [int.from_bytes(link.receive(UP)[0][:4]) for _ in range(sent)] == list(range(sent))


def test_with_keys_a_spoiled_or_doubled_message_ends_the_connection(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "tcp")
    public, secret = zmq.curve_keypair()
    router, dealer = scene.socket(zmq.ROUTER), scene.socket(zmq.DEALER)
    router.setsockopt(zmq.CURVE_SERVER, 1)
    router.setsockopt(zmq.CURVE_SECRETKEY, secret)
    router.bind(scene.target)
    dealer.setsockopt(zmq.CURVE_SERVERKEY, public)
    own_public, own_secret = zmq.curve_keypair()
    dealer.setsockopt(zmq.CURVE_PUBLICKEY, own_public)
    dealer.setsockopt(zmq.CURVE_SECRETKEY, own_secret)
    dealer.connect(scene.relay.endpoint)
    link = Link(router, dealer)
    link.meet()
    for order in (scene.relay.corrupt, scene.relay.duplicate):
        route = link.route
        order(UP)
        deadline = time.monotonic() + DEADLINE
        while link.route == route and time.monotonic() < deadline:
            until_met_again(link)
        assert link.route != route
    assert scene.relay.counts == {FaultKind.CORRUPT: 1, FaultKind.DUPLICATE: 1}
    scene.close()


def test_a_closed_proxy_leaves_nothing(ipc_scene: Scene) -> None:
    link = ipc_scene.link()
    path = ipc_scene.directory / "relay"
    assert path.is_socket()
    ipc_scene.proxy.close()
    ipc_scene.proxy.close()
    assert not path.exists()
    assert ipc_scene.relay.connections == 0
    with pytest.raises(FaultProxyClosedError):
        ipc_scene.relay.heal()
    with pytest.raises(FaultProxyClosedError):
        ipc_scene.proxy.relay("late", listen=ipc_scene.listen, target=ipc_scene.target)
    assert link.router.poll(0) == 0


def test_a_path_that_a_dead_proxy_left_is_replaced(ipc_scene: Scene) -> None:
    left = ipc_scene.directory / "left"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    endpoint = f"ipc://{left}"
    ipc_scene.relay = ipc_scene.proxy.relay("second", listen=endpoint, target=ipc_scene.target)
    ipc_scene.link()
    assert list(ipc_scene.proxy.relays) == ["link", "second"]


def test_what_cannot_be_listened_at_is_named(ipc_scene: Scene) -> None:
    taken = ipc_scene.relay.endpoint
    missing = f"ipc://{ipc_scene.directory}/missing/relay"
    for endpoint in (taken, missing, "inproc://relay", "tcp://127.0.0.1", "tcp://127.0.0.1:99999"):
        with pytest.raises(EndpointError, match=endpoint):
            ipc_scene.proxy.relay("other", listen=endpoint, target=ipc_scene.target)
    with pytest.raises(ValueError, match="'link'"):
        ipc_scene.proxy.relay("link", listen=missing, target=ipc_scene.target)
    ipc_scene.link()
