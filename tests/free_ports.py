"""TCP ports for tests.

They are taken from below the range from which the kernel gives ports to clients
(`net.ipv4.ip_local_port_range`): there, a client that tries a port where nobody listens yet can be
given that very port and connect to itself, and nobody can listen there any more.
"""

import secrets
import socket
from contextlib import ExitStack

LOWEST, HIGHEST = 10_000, 32_000


def first_of_free_ports(count: int) -> int:
    """Give the first of so many neighbouring ports that are free on loopback."""
    while True:
        first = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with ExitStack() as stack:
            try:
                for offset in range(count):
                    place = ("127.0.0.1", first + offset)
                    stack.enter_context(socket.create_server(place))
            except OSError:
                continue
            return first
