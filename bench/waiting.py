"""What waits at a socket, and waiting for it, finer than a poller's milliseconds."""

import select
from collections.abc import Iterator, Sequence

import zmq

from transport.zeromq.sockets import ZmqSocket, receive

FINE_SECONDS = 0.002
"""Waits below this are made to the microsecond; a poller would round them up to a millisecond."""


def waiting(socket: ZmqSocket) -> Iterator[list[bytes]]:
    """Give the messages that wait at a socket, until none does."""
    while True:
        try:
            message = receive(socket)
        except zmq.Again:
            return
        yield message


def waiting_frames(socket: ZmqSocket) -> Iterator[bytes]:
    """Give the messages of one frame that wait at a socket, until none does.

    For a message that has no second frame this costs a fifth of `waiting`.
    """
    receive = socket.recv
    while True:
        try:
            frame = receive(zmq.NOBLOCK)
        except zmq.Again:
            return
        yield frame


def waiting_requests(socket: ZmqSocket) -> Iterator[tuple[bytes, bytes]]:
    """Give the connections and messages of one frame that wait at a ROUTER, until none does."""
    receive = socket.recv
    while True:
        try:
            connection = receive(zmq.NOBLOCK)
        except zmq.Again:
            return
        yield connection, receive(zmq.NOBLOCK)


def wait_finely(sockets: Sequence[ZmqSocket], seconds: float) -> None:
    """Wait at most so long until one of the sockets may be read."""
    # The sockets have to be looked at first: their descriptors tell of changes only.
    if any(socket.poll(0) for socket in sockets):
        return
    select.select([socket.fileno() for socket in sockets], [], [], max(0.0, seconds))
