"""Every ZeroMQ socket is made here, with every option it has.

Options: <https://libzmq.readthedocs.io/en/latest/zmq_setsockopt.html>. `LINGER` is bounded, so that
a process can end; `MAXMSGSIZE` lets libzmq drop a peer that sends what no message can be; a ROUTER
is `MANDATORY`, so that a lost route is seen and not a silent loss.
"""

from typing import Any

import zmq

TRANSPORT_LIMIT = 16 * 1024 * 1024
"""A larger ZeroMQ frame makes libzmq drop the link, in bytes."""

LINGER_MS = 1000
PUBLISH_QUEUE = 10_000
"""How many blobs wait for one slow subscriber before it loses some (and asks for a replay)."""

SUBSCRIBE_QUEUE = 100_000
LINK_QUEUE = 1_000
"""How many ZeroMQ messages wait in each direction of one link."""

ZmqSocket = zmq.Socket[bytes]


def _socket(context: zmq.Context[Any], kind: int) -> ZmqSocket:
    socket: ZmqSocket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, LINGER_MS)
    socket.setsockopt(zmq.MAXMSGSIZE, TRANSPORT_LIMIT)
    socket.setsockopt(zmq.SNDHWM, LINK_QUEUE)
    socket.setsockopt(zmq.RCVHWM, LINK_QUEUE)
    return socket


def router(context: zmq.Context[Any], endpoint: str) -> ZmqSocket:
    """Bind a ROUTER: the launcher's link or query socket, or a host's control socket."""
    socket = _socket(context, zmq.ROUTER)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.bind(endpoint)
    return socket


def dealer(context: zmq.Context[Any], endpoint: str) -> ZmqSocket:
    """Connect a DEALER to one of those."""
    socket = _socket(context, zmq.DEALER)
    socket.connect(endpoint)
    return socket


def publisher(context: zmq.Context[Any], endpoint: str) -> ZmqSocket:
    """Bind the event stream's XPUB."""
    socket = _socket(context, zmq.XPUB)
    socket.setsockopt(zmq.SNDHWM, PUBLISH_QUEUE)
    socket.bind(endpoint)
    return socket


def subscriber(context: zmq.Context[Any], endpoint: str) -> ZmqSocket:
    """Connect a SUB to the event stream, for everything."""
    socket = _socket(context, zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, SUBSCRIBE_QUEUE)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(endpoint)
    return socket
