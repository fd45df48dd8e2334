"""The driver's side of the floor: the same kinds of socket, frames that need no decoding."""

import time
from collections.abc import Sequence
from typing import Any

import zmq

from bench.closed_loop import Completion, Taken
from bench.floor_frames import Kind, frame_of, read_frame
from bench.waiting import waiting
from transport.endpoints import Endpoints
from transport.zeromq import sockets


class FloorScene:
    """Implements `Scene`. A promote's key is its number; it says which host it was for."""

    def __init__(
        self, context: zmq.Context[Any], endpoints: Endpoints, controls: Sequence[str]
    ) -> None:
        self._events = sockets.subscriber(context, endpoints.events)
        self._controls = [sockets.dealer(context, control) for control in controls]
        self._number = 0

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether every host said hello."""
        self._events.poll(round(wait_seconds * 1000))
        last_beacon = (Kind.BEACON, len(self._controls))
        return any(read_frame(frame)[:2] == last_beacon for (frame,) in waiting(self._events))

    def promote(self, host: int) -> None:
        """Send the trigger."""
        number = self._number * len(self._controls) + host
        self._number += 1
        self._controls[host].send(frame_of(Kind.PROMOTE_WINDOW, number), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        taken = []
        for control in self._controls:
            for (frame,) in waiting(control):
                _, number, at_ns = read_frame(frame)
                taken.append(Taken(number, at_ns))
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the events."""
        if not self._events.poll(round(wait_seconds * 1000)):
            return []
        completions = []
        for (frame,) in waiting(self._events):
            kind, number, _ = read_frame(frame)
            if kind == Kind.SAGA_COMPLETED:
                host = number % len(self._controls)
                completions.append(Completion(number, host, time.monotonic_ns()))
        return completions

    def close(self) -> None:
        """Close the sockets."""
        for each in (self._events, *self._controls):
            each.close(linger=0)
