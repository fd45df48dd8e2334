"""Every ZeroMQ socket is made here, with every option it has.

Options: <https://libzmq.readthedocs.io/en/latest/zmq_setsockopt.html>. `LINGER` is bounded, so that
a process can end; `MAXMSGSIZE` lets libzmq drop a peer that sends what no message can be; a ROUTER
is `MANDATORY`, so that a lost route is seen and not a silent loss. Where `keys` are given, `tcp`
uses CURVE; other endpoints do not, for their directory is private already.
"""

from collections.abc import Sequence
from typing import Any

import zmq

from transport.endpoints import is_tcp
from transport.keys import ClientKeys, DomainKeys
from transport.zeromq.link_watch import LinkWatch

TRANSPORT_LIMIT = 16 * 1024 * 1024
"""A larger ZeroMQ frame makes libzmq drop the link, in bytes."""

LINGER_MS = 1000
PUBLISH_QUEUE = 10_000
"""How many blobs wait for one slow subscriber before it loses some (and asks for a replay)."""

SUBSCRIBE_QUEUE = 100_000
LINK_QUEUE = 1_000
"""How many ZeroMQ messages wait in each direction of one link."""

FIRST_RECONNECT_MS = 100
LONGEST_RECONNECT_MS = 500
"""The time between two connections doubles between these, and chance adds up to the first."""

QUESTION_QUEUE = 4
"""How many questions wait for the launcher to read them."""

ZmqSocket = zmq.Socket[bytes]

_NOBLOCK = int(zmq.NOBLOCK)
_MORE = int(zmq.NOBLOCK | zmq.SNDMORE)


def _socket(context: zmq.Context[Any], kind: int) -> ZmqSocket:
    socket: ZmqSocket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, LINGER_MS)
    socket.setsockopt(zmq.MAXMSGSIZE, TRANSPORT_LIMIT)
    socket.setsockopt(zmq.SNDHWM, LINK_QUEUE)
    socket.setsockopt(zmq.RCVHWM, LINK_QUEUE)
    return socket


def router(
    context: zmq.Context[Any], endpoint: str, *, keys: DomainKeys | None = None
) -> ZmqSocket:
    """Bind a ROUTER: the launcher's link or query socket, or a host's control socket."""
    socket = _socket(context, zmq.ROUTER)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    _bind(socket, endpoint, keys)
    return socket


def dealer(
    context: zmq.Context[Any],
    endpoint: str,
    *,
    keys: ClientKeys | None = None,
    watch: LinkWatch | None = None,
) -> ZmqSocket:
    """Connect a DEALER to one of those."""
    socket = _socket(context, zmq.DEALER)
    _connect(socket, endpoint, keys, watch)
    return socket


def question_socket(
    context: zmq.Context[Any],
    endpoint: str,
    *,
    keys: ClientKeys | None = None,
    watch: LinkWatch | None = None,
) -> ZmqSocket:
    """Connect a DEALER for questions.

    A question goes only to a launcher that is connected (`IMMEDIATE`) and is never lingered for:
    its asker repeats it, and a launcher that comes back is not met by a queue of old ones.
    """
    socket: ZmqSocket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.MAXMSGSIZE, TRANSPORT_LIMIT)
    socket.setsockopt(zmq.SNDHWM, QUESTION_QUEUE)
    _connect(socket, endpoint, keys, watch)
    return socket


def publisher(
    context: zmq.Context[Any], endpoint: str, *, keys: DomainKeys | None = None
) -> ZmqSocket:
    """Bind the event stream's XPUB."""
    socket = _socket(context, zmq.XPUB)
    socket.setsockopt(zmq.SNDHWM, PUBLISH_QUEUE)
    _bind(socket, endpoint, keys)
    return socket


def subscriber(
    context: zmq.Context[Any],
    endpoint: str,
    *,
    keys: ClientKeys | None = None,
    watch: LinkWatch | None = None,
) -> ZmqSocket:
    """Connect a SUB to the event stream, for everything."""
    socket = _socket(context, zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, SUBSCRIBE_QUEUE)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    _connect(socket, endpoint, keys, watch)
    return socket


def receive(socket: ZmqSocket) -> list[bytes]:
    """Take the frames of a message that waits.

    As `recv_multipart`, at two thirds of its cost for the few frames that a message has here: a
    frame knows whether another one follows, where `recv_multipart` asks the socket after each.

    Raises:
        zmq.Again: none waits.
    """
    frame = socket.recv(_NOBLOCK, copy=False)
    frames = [frame.bytes]
    while frame.more:
        frame = socket.recv(_NOBLOCK, copy=False)
        frames.append(frame.bytes)
    return frames


def receive_routed(socket: ZmqSocket) -> tuple[bytes, list[bytes]]:
    """Take a message that waits in a ROUTER: its connection, and its frames; see `receive`.

    Raises:
        zmq.Again: none waits.
    """
    return socket.recv(_NOBLOCK), receive(socket)


def send(socket: ZmqSocket, frames: Sequence[bytes]) -> None:
    """Send a message of at least one frame, or nothing of it; as `send_multipart`.

    Raises:
        zmq.Again: the socket would block.
        zmq.ZMQError: it is a ROUTER that has no such connection.
    """
    *others, last = frames
    for frame in others:
        socket.send(frame, _MORE)
    socket.send(last, _NOBLOCK)


def receive_with_key(socket: ZmqSocket) -> tuple[bytes, list[bytes], str]:
    """Take a message from a ROUTER with keys: its connection, its frames, its sender's public key.

    The key is the connection's ZAP user id, which libzmq keeps with each message.

    Raises:
        zmq.Again: none waits.
    """
    connection = socket.recv(zmq.NOBLOCK, copy=False)
    key = connection.get("User-Id")
    return connection.bytes, receive(socket), str(key)


def _bind(socket: ZmqSocket, endpoint: str, keys: DomainKeys | None) -> None:
    if keys is not None and is_tcp(endpoint):
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret.encode())
        socket.setsockopt(zmq.ZAP_DOMAIN, keys.domain.encode())
        # Without this, nobody is asked while no authenticator runs, and everybody is let in.
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    socket.bind(endpoint)


def _connect(
    socket: ZmqSocket, endpoint: str, keys: ClientKeys | None, watch: LinkWatch | None
) -> None:
    if keys is not None and is_tcp(endpoint):
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret.encode())
        socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server.encode())
    socket.setsockopt(zmq.RECONNECT_IVL, FIRST_RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, LONGEST_RECONNECT_MS)
    if watch is not None:
        watch.attach(socket)
    socket.connect(endpoint)
