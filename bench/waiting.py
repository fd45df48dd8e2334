"""What waits at a socket."""

from collections.abc import Iterator

import zmq

from transport.zeromq.sockets import ZmqSocket


def waiting(socket: ZmqSocket) -> Iterator[list[bytes]]:
    """Give the messages that wait at a socket, until none does."""
    while True:
        try:
            message = socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        yield message
