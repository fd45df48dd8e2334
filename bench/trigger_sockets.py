"""Sockets with room for every promote under way, the driver's to the hosts among them."""

from collections.abc import Sequence
from typing import Any

import zmq

from bench.places import HostPlace
from transport.zeromq import sockets

QUEUE = 100_000
"""How many messages wait in each direction. libzmq tells a sender of room in large parts only, so
that a queue has to be far longer than what is ever in it."""


def make_room(socket: sockets.ZmqSocket) -> None:
    """Give a socket long queues: a benchmark sends in bursts that no application has."""
    socket.setsockopt(zmq.SNDHWM, QUEUE)
    socket.setsockopt(zmq.RCVHWM, QUEUE)


def trigger_sockets(
    context: zmq.Context[Any], hosts: Sequence[HostPlace]
) -> list[sockets.ZmqSocket]:
    """Connect a DEALER to each host's control socket, in their order."""
    triggers = [sockets.dealer(context, host.control, keys=host.client_keys) for host in hosts]
    for socket in triggers:
        make_room(socket)
    return triggers
