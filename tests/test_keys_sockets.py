"""CURVE sockets, their authenticator and the watch over a link, in one process."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.free_ports import first_of_free_ports
from transport.key_files import make_key_files
from transport.keys import ClientKeys, Domain, DomainKeys, KeyPair, ServerKeys
from transport.zeromq import sockets
from transport.zeromq.authenticator import Doorkeeper, authenticated
from transport.zeromq.link_watch import LOOK_EVERY, LinkWatch, NoLinkError

DEADLINE = 20.0
DEADLINE_MS = 20_000

Context = zmq.Context[Any]


@pytest.fixture
def context() -> Iterator[Context]:
    with zmq.Context[Any]() as context:
        yield context


class Place:
    """A server's keys and address, keys of clients, and its allow list."""

    def __init__(self, directory: Path) -> None:
        self.endpoint = f"tcp://127.0.0.1:{first_of_free_ports(1)}"
        self.directory = directory
        self.allow = directory / "allow.toml"
        self.server, self.left, self.wall = map(self.pair, ("server", "left", "wall"))
        self.permit(f'host.left = "{self.left.public}"\nobserver.wall = "{self.wall.public}"')
        self.keys = ServerKeys(self.server, self.allow)

    def pair(self, name: str) -> KeyPair:
        return make_key_files(self.directory / f"{name}.key")

    def permit(self, text: str) -> None:
        new = self.allow.with_name("new")
        new.write_text(text)
        new.replace(self.allow)

    def client(self, pair: KeyPair) -> ClientKeys:
        return ClientKeys(pair, self.server.public)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Client:
    """A DEALER, and why it has no link."""

    def __init__(self, context: Context, endpoint: str, keys: ClientKeys | None) -> None:
        self.watch = LinkWatch(endpoint, keys)
        self.socket = sockets.dealer(context, endpoint, keys=keys, watch=self.watch)

    def complaint(self) -> str:
        """Wait until it is known why there is no link."""
        with pytest.raises(NoLinkError) as why:
            self.watch.wait(zmq.POLLIN, time.monotonic() + DEADLINE)
        return str(why.value)

    def wait_for_link(self) -> None:
        """Go on trying until nothing is wrong any more."""
        deadline = time.monotonic() + DEADLINE
        while self.watch.complaint is not None:
            assert time.monotonic() < deadline, self.watch.complaint
            self.socket.poll(50)
            self.watch.look(time.monotonic_ns())

    def close(self) -> None:
        self.watch.close()
        self.socket.close(linger=0)


def received(router: sockets.ZmqSocket) -> tuple[list[bytes], str]:
    assert router.poll(DEADLINE_MS), "nothing came"
    _, frames, key = sockets.receive_with_key(router)
    return frames, key


def test_a_message_carries_its_senders_key(context: Context, place: Place) -> None:
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        keys = doorkeeper.keys_at(Domain.LINK)
        router = sockets.router(context, place.endpoint, keys=keys)
        client = Client(context, place.endpoint, place.client(place.left))
        client.socket.send_multipart([b"one", b"two"])
        assert received(router) == ([b"one", b"two"], place.left.public)
        assert doorkeeper.refusals() == {}
        client.close()
        router.close(linger=0)


def test_a_key_is_refused_where_it_has_no_business_and_nothing_of_it_arrives(
    context: Context, place: Place
) -> None:
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        router = sockets.router(context, place.endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        observer = Client(context, place.endpoint, place.client(place.wall))
        host = Client(context, place.endpoint, place.client(place.left))
        observer.socket.send(b"a report")
        expected = f"the launcher at {place.endpoint} refused the key {place.wall.public!r}: "
        assert observer.complaint() == f"{expected}have it added to the allow list"
        host.socket.send(b"after it")
        assert received(router) == ([b"after it"], place.left.public)
        assert not router.poll(0)
        assert doorkeeper.refusals() == {"link": {"count": 1, "last_key": place.wall.public}}
        observer.close()
        host.close()
        router.close(linger=0)


def test_a_refused_socket_gets_in_once_its_key_is_in_the_list(
    context: Context, place: Place
) -> None:
    late = place.pair("late")
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        router = sockets.router(context, place.endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        client = Client(context, place.endpoint, place.client(late))
        assert late.public in client.complaint()
        place.permit(f'host.late = "{late.public}"')
        client.wait_for_link()
        client.socket.send(b"now")
        assert received(router) == ([b"now"], late.public)
        client.close()
        router.close(linger=0)


def test_a_refused_socket_that_libzmq_disconnected_already_is_connected_again(
    context: Context, place: Place
) -> None:
    late = place.pair("late")
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        router = sockets.router(context, place.endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        client = Client(context, place.endpoint, place.client(late))
        assert late.public in client.complaint()
        client.socket.disconnect(place.endpoint)
        place.permit(f'host.late = "{late.public}"')
        client.wait_for_link()
        client.socket.send(b"now")
        assert received(router) == ([b"now"], late.public)
        client.close()
        router.close(linger=0)


def test_a_subscription_that_was_refused_gets_in_later(context: Context, place: Place) -> None:
    late = place.pair("late")
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        keys = doorkeeper.keys_at(Domain.EVENTS)
        stream = sockets.publisher(context, place.endpoint, keys=keys)
        watch = LinkWatch(place.endpoint, place.client(late))
        subscriber = sockets.subscriber(
            context, place.endpoint, keys=place.client(late), watch=watch
        )
        with pytest.raises(NoLinkError, match="refused the key"):
            watch.wait(zmq.POLLIN, time.monotonic() + DEADLINE)
        place.permit(f'observer.late = "{late.public}"')
        deadline = time.monotonic() + DEADLINE
        while not stream.poll(50):
            assert time.monotonic() < deadline, watch.complaint
            watch.look(time.monotonic_ns())
        assert stream.recv() == b"\x01"
        stream.send(b"a blob")
        assert subscriber.poll(DEADLINE_MS)
        assert subscriber.recv() == b"a blob"
        watch.look(time.monotonic_ns() + LOOK_EVERY)
        assert watch.complaint is None
        watch.close()
        subscriber.close(linger=0)
        stream.close(linger=0)


def test_a_client_that_expects_another_server_is_told_so(context: Context, place: Place) -> None:
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        router = sockets.router(context, place.endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        wrong = ClientKeys(place.left, place.wall.public)
        client = Client(context, place.endpoint, wrong)
        said = client.complaint()
        assert "no encrypted link to the launcher at tcp://" in said
        assert "is --launcher-key its public key" in said
        assert "with --key?" in said
        client.close()
        router.close(linger=0)


def test_both_sides_have_keys_or_neither(context: Context, place: Place) -> None:
    doorkeeper = Doorkeeper(place.keys)
    with authenticated(context, doorkeeper):
        router = sockets.router(context, place.endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        bare = Client(context, place.endpoint, None)
        assert "takes none without keys; give --key and --launcher-key" in bare.complaint()
        bare.close()
        router.close(linger=0)
        other = f"tcp://127.0.0.1:{first_of_free_ports(1)}"
        router = sockets.router(context, other)
        keyed = Client(context, other, place.client(place.left))
        assert "was it started with --key?" in keyed.complaint()
        keyed.close()
        router.close(linger=0)


def test_without_an_authenticator_nobody_gets_in(context: Context, place: Place) -> None:
    keys = DomainKeys(place.server, Domain.LINK)
    router = sockets.router(context, place.endpoint, keys=keys)
    client = Client(context, place.endpoint, place.client(place.left))
    client.socket.send(b"hello")
    assert "no encrypted link" in client.complaint()
    assert not router.poll(0)
    client.close()
    router.close(linger=0)


def test_an_ipc_socket_of_a_process_with_keys_has_none(
    context: Context, place: Place, tmp_path: Path
) -> None:
    doorkeeper = Doorkeeper(place.keys)
    endpoint = f"ipc://{tmp_path}/link"
    with authenticated(context, doorkeeper):
        router = sockets.router(context, endpoint, keys=doorkeeper.keys_at(Domain.LINK))
        client = Client(context, endpoint, None)
        client.socket.send(b"hello")
        assert router.poll(DEADLINE_MS)
        assert router.recv_multipart()[1:] == [b"hello"]
        assert not client.watch.wait(zmq.POLLIN, time.monotonic())
        client.close()
        router.close(linger=0)
