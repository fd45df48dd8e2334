"""What hosts have when a history ends, by their own word."""

import time
from collections.abc import Mapping
from typing import Any

import zmq

from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.history_lines import HostEndLine
from transport.message_types import USER_ANSWERS
from transport.messages import HostState, InspectHost
from transport.zeromq.sockets import ZmqSocket

ANSWER_SECONDS = 10.0
"""How long hosts may take to say what they have."""

LAST_QUESTION = 2**53
"""The number of the question at the end; user actions have small ones."""

ANSWERS = family(USER_ANSWERS)


def host_end_line(state: Mapping[str, Any], at_ns: int) -> HostEndLine:
    """Give the line of what a host answered to `InspectHost`."""
    return HostEndLine(
        at_ns,
        state["host"],
        state["epoch"],
        tuple(state["pool"]),
        tuple(state["open"]),
        state["pool_target"],
        state["drained"],
    )


def inspected(controls: Mapping[str, ZmqSocket]) -> list[HostEndLine]:
    """Ask every host what it has; one that does not answer in time has no line."""
    for socket in controls.values():
        socket.send(encode(InspectHost(number=LAST_QUESTION)), zmq.NOBLOCK)
    deadline = time.monotonic() + ANSWER_SECONDS
    states = (_answer(socket, deadline) for socket in controls.values())
    return [host_end_line(each.state, time.monotonic_ns()) for each in states if each is not None]


def _answer(socket: ZmqSocket, deadline: float) -> HostState | None:
    while socket.poll(max(0, round((deadline - time.monotonic()) * 1000))):
        for frame in socket.recv_multipart(zmq.NOBLOCK):
            try:
                answer = decode(frame, ANSWERS)
            except FrameError:
                continue
            if isinstance(answer, HostState) and answer.number == LAST_QUESTION:
                return answer
    return None
