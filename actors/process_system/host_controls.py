"""A user of every host: asks over the control sockets, and takes the answers as they come."""

from collections.abc import Mapping
from typing import Any

import zmq

from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.message_types import USER_ANSWERS
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    HostState,
    InjectFault,
    InspectHost,
    PromoteWindow,
)
from transport.zeromq.sockets import ZmqSocket, dealer

ANSWERS = family(USER_ANSWERS)

Question = type[PromoteWindow | CloseWindow | DemoteWindow | InspectHost | InjectFault]
Answer = ActionDone | ActionRefused | HostState


class HostControls:
    """One connection to each host's control socket; they belong to the thread that made them.

    What is asked while a host is down waits for its next life; what was under way when it died has
    no answer.

    Args:
        context: makes the sockets.
        places: every host's control socket.

    Attributes:
        sockets: to poll for reading before `take`.
    """

    def __init__(self, context: zmq.Context[Any], places: Mapping[str, str]) -> None:
        self.sockets: dict[str, ZmqSocket] = {
            host: dealer(context, place) for host, place in places.items()
        }
        self._numbers = dict.fromkeys(places, 0)

    def ask(self, host: str, question: Question, **fields: Any) -> int | None:
        """Ask a host something; give the question's number, or None if too much waits already."""
        number = self._numbers[host] + 1
        try:
            self.sockets[host].send(encode(question(number=number, **fields)), zmq.NOBLOCK)
        except zmq.Again:
            return None
        self._numbers[host] = number
        return number

    def take(self) -> list[tuple[str, Answer]]:
        """Give what came: who answered, and what."""
        return [(host, answer) for host in self.sockets for answer in self._of(host)]

    def close(self) -> None:
        """Close the sockets; what was not sent is lost."""
        for socket in self.sockets.values():
            socket.close(linger=0)

    def _of(self, host: str) -> list[Answer]:
        answers: list[Answer] = []
        while True:
            try:
                frames = self.sockets[host].recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return answers
            for frame in frames:
                try:
                    answer = decode(frame, ANSWERS)
                except FrameError:
                    continue  # nobody spoils this link; a host's answer that is none has no number
                if isinstance(answer, Answer):
                    answers.append(answer)
