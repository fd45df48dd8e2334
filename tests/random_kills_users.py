"""Users of hosts that die under them: promotes, closes and demotes over the control sockets."""

import random
import time
from enum import Enum, auto

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


class Mood(Enum):
    """What a user is up to."""

    RESTING = auto()
    WORKING = auto()
    LEAVING = auto()
    """It promotes one more window. What it asked before is done by then, in that order: so when all
    users are gone, a window is open, and no pool stays drained."""


class User:
    """One user of one host: asks, waits for the answer or gives up, thinks, asks again.

    Attributes:
        asked: requests so far.
        mood: set by whoever wants it to do something else.
        waits: for an answer.
    """

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, host: str, seed: int
    ) -> None:
        self.asked = 0
        self.mood = Mood.RESTING
        self.socket: ZmqSocket = dealer(context, endpoint)
        self._host = host
        self._generator = random.Random(seed)
        self.waits = False
        self._is_last = False
        self._look_at = time.monotonic()

    def go_on(self, mirror: Mirror) -> None:
        """Take what was answered, and ask if it is time."""
        now = time.monotonic()
        while self.socket.poll(0):
            answer = decode(self.socket.recv(), _ANSWERS)
            if self.waits and getattr(answer, "number", None) == self.asked:
                self.waits = False
                if self._is_last:
                    self.mood = Mood.RESTING
                self._look_at = now + self._generator.uniform(0, LONGEST_THOUGHT)
        if now < self._look_at:
            return
        self.waits = False
        if self.mood is Mood.RESTING:
            return
        self.asked += 1
        self._is_last = self.mood is Mood.LEAVING
        request = PromoteWindow(number=self.asked) if self._is_last else self._request(mirror)
        if self.socket.poll(0, zmq.POLLOUT):
            self.socket.send(encode(request), zmq.NOBLOCK)
        self.waits = True
        self._look_at = now + GIVE_UP_SECONDS

    def _request(self, mirror: Mirror) -> PromoteWindow | CloseWindow | DemoteWindow:
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
        self._asked_at = 0.0

    def ask(self) -> None:
        """Ask, unless an answer is still to come."""
        now = time.monotonic()
        if self._answered == self._number or now >= self._asked_at + GIVE_UP_SECONDS:
            self._asked_at = now
            self._number += 1
            self.socket.send(encode(InspectHost(number=self._number)), zmq.NOBLOCK)

    def go_on(self) -> None:
        """Take what was answered."""
        while self.socket.poll(0):
            answer = decode(self.socket.recv(), _ANSWERS)
            if isinstance(answer, HostState):
                self._answered = answer.number
                self.state = answer.state
