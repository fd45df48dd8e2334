"""Users of hosts that die under them: promotes, closes and demotes over the control sockets."""

import random
import time

import zmq

from transport.codec import decode, encode, family
from transport.message_types import USER_ANSWERS
from transport.messages import CloseWindow, DemoteWindow, HostState, InspectHost, PromoteWindow
from transport.mirror import Mirror
from transport.zeromq.sockets import ZmqSocket, dealer

GIVE_UP_SECONDS = 2.0
"""A request that is not answered by then was lost with its host."""

MANY_WINDOWS = 8
"""With so many windows open, a user closes one."""

LONGEST_THOUGHT = 0.25
"""Seconds between two requests of one user, at most."""

_ANSWERS = family(USER_ANSWERS)


class User:
    """One user of one host: asks, waits for the answer or gives up, thinks, asks again.

    Attributes:
        asked: requests so far.
        busy: keeps asking.
        waits: for an answer.
    """

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, host: str, seed: int
    ) -> None:
        self.asked = 0
        self.busy = False
        self.socket: ZmqSocket = dealer(context, endpoint)
        self._host = host
        self._generator = random.Random(seed)
        self.waits = False
        self._look_at = time.monotonic()

    def go_on(self, mirror: Mirror) -> None:
        """Take what was answered, and ask if it is time."""
        now = time.monotonic()
        while self.socket.poll(0):
            answer = decode(self.socket.recv(), _ANSWERS)
            if self.waits and getattr(answer, "number", None) == self.asked:
                self.waits = False
                self._look_at = now + self._generator.uniform(0, LONGEST_THOUGHT)
        if now < self._look_at:
            return
        self.waits = False
        if not self.busy:
            return
        request = self._request(mirror)
        if self.socket.poll(0, zmq.POLLOUT):
            self.socket.send(encode(request), zmq.NOBLOCK)
        self.waits = True
        self._look_at = now + GIVE_UP_SECONDS

    def _request(self, mirror: Mirror) -> PromoteWindow | CloseWindow | DemoteWindow:
        self.asked += 1
        host = mirror.hosts.get(self._host)
        labels = list(host.opened) if host is not None else []
        choice = self._generator.random()
        if labels and (len(labels) >= MANY_WINDOWS or choice < 0.25):
            label = self._generator.choice(labels)
            if choice < 0.05:
                return DemoteWindow(number=self.asked, label=label)
            return CloseWindow(number=self.asked, label=label)
        return PromoteWindow(number=self.asked)


class Inspector:
    """Asks one host what it knows of itself.

    Attributes:
        state: its last answer; None until there is one.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str) -> None:
        self.state: dict[str, object] | None = None
        self.socket: ZmqSocket = dealer(context, endpoint)
        self._number = 0
        self._answered = 0

    def ask(self) -> None:
        """Ask, unless an answer is still to come."""
        if self._answered == self._number:
            self._number += 1
            self.socket.send(encode(InspectHost(number=self._number)), zmq.NOBLOCK)

    def go_on(self) -> None:
        """Take what was answered."""
        while self.socket.poll(0):
            answer = decode(self.socket.recv(), _ANSWERS)
            if isinstance(answer, HostState):
                self._answered = answer.number
                self.state = answer.state
