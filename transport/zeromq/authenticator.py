"""Admits to a process's CURVE sockets whom its allow list allows.

libzmq asks for every new connection (ZAP, <https://rfc.zeromq.org/spec/27/>); pyzmq's authenticator
answers, in a thread of its own, so that clients can connect while the process's loop hangs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from transport.allow_list_file import AllowListFile
from transport.keys import Domain, DomainKeys, ServerKeys


@dataclass(frozen=True, slots=True)
class Refusal:
    """Connections that were refused at one socket: how many, and the last one's public key."""

    count: int
    last_key: str


class Doorkeeper:
    """Answers pyzmq's authenticator, in its thread.

    Args:
        keys: of the process.

    Attributes:
        allowed: the allow list.

    Raises:
        AllowListError: the allow list cannot be used.
    """

    def __init__(self, keys: ServerKeys) -> None:
        self.allowed = AllowListFile(keys.allow)
        self._keys = keys
        self._refusals: dict[Domain, Refusal] = {}

    def keys_at(self, domain: Domain) -> DomainKeys:
        """Give what the process's socket of this domain needs."""
        return DomainKeys(self._keys.own, domain)

    def callback(self, domain: str, key: bytes) -> bool:
        """Say whether a key may connect; the name is pyzmq's."""
        where, shown = Domain(domain), key.decode("ascii")
        if self.allowed.admits(where, shown):
            return True
        before = self._refusals.get(where)
        self._refusals[where] = Refusal(1 if before is None else before.count + 1, shown)
        return False

    def refusals(self) -> dict[str, Any]:
        """Give who was refused, by socket, as plain values; may be called from any thread."""
        return {
            str(domain): {"count": refusal.count, "last_key": refusal.last_key}
            for domain, refusal in list(self._refusals.items())
        }


def keys_at(doorkeeper: Doorkeeper | None, domain: Domain) -> DomainKeys | None:
    """Give what a process's socket of this domain needs; None in a process without keys."""
    return None if doorkeeper is None else doorkeeper.keys_at(domain)


@contextmanager
def authenticated(context: zmq.Context[Any], doorkeeper: Doorkeeper | None) -> Iterator[None]:
    """Have a context's CURVE sockets admit whom the doorkeeper does; without one, do nothing.

    To be entered before such a socket binds, and left after it is closed.
    """
    if doorkeeper is None:
        yield
        return
    authenticator = ThreadAuthenticator(context)
    for domain in Domain:
        authenticator.configure_curve_callback(domain.value, credentials_provider=doorkeeper)
    authenticator.start()
    try:
        yield
    finally:
        authenticator.stop()
