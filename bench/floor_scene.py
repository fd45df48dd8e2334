"""The driver's side of the floor: the same kinds of socket, frames that need no decoding."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import zmq

from bench.floor_frames import EVENTS, TRIGGER, Kind, frame_of, read_frame
from bench.places import HostPlace
from bench.promote_ledger import Completion, Key, Start, Taken
from bench.trigger_sockets import trigger_sockets
from bench.waiting import FINE_SECONDS, wait_finely, waiting_frames
from transport.endpoints import Endpoints
from transport.zeromq import sockets


class FloorScene:
    """Implements `Scene`. A promote's key is its number."""

    def __init__(
        self, context: zmq.Context[Any], endpoints: Endpoints, hosts: Sequence[HostPlace]
    ) -> None:
        self._events = sockets.subscriber(context, endpoints.events, keys=endpoints.keys)
        self._controls = trigger_sockets(context, hosts)
        self._hosts: list[int] = []
        self._frames: list[bytes] = []

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether every host said hello."""
        self._events.poll(round(wait_seconds * 1000))
        last_beacon = (Kind.BEACON, len(self._controls))
        return any(read_frame(frame)[:2] == last_beacon for frame in waiting_frames(self._events))

    def promote(self, start: Start) -> None:
        """Send the trigger."""
        self._hosts.append(start.host)
        trigger, _ = TRIGGER
        self._controls[start.host].send(frame_of(trigger, start.number), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        taken = []
        for control in self._controls:
            for frame in waiting_frames(control):
                _, number, at_ns = read_frame(frame)
                taken.append(Taken(number, number, at_ns))
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the events."""
        if wait_seconds < FINE_SECONDS:
            wait_finely([self._events], wait_seconds)
        elif not self._events.poll(int((wait_seconds - FINE_SECONDS / 2) * 1000)):
            return []
        completions = []
        for frame in waiting_frames(self._events):
            self._frames.append(frame)
            kind, number, _ = read_frame(frame)
            if kind == Kind.SAGA_COMPLETED:
                completions.append(Completion(number, self._hosts[number], time.monotonic_ns()))
        return completions

    def violations(self) -> list[str]:
        """Give the promotes that have not each event once, in order."""
        return wrong_promotes(self._frames, len(self._hosts))

    def events_of(self, key: Key) -> None:
        """Give None: the floor's events have no versions."""
        del key

    def close(self) -> None:
        """Close the sockets."""
        for each in (self._events, *self._controls):
            each.close(linger=0)


def wrong_promotes(frames: Iterable[bytes], count: int) -> list[str]:
    """Give, in words, the promotes from 0 to `count` that have not each event once, in order."""
    seen: list[list[int]] = [[] for _ in range(count)]
    for frame in frames:
        kind, number, _ = read_frame(frame)
        if kind != Kind.BEACON:
            seen[number].append(kind)
    return [
        f"promote {number} has the events {kinds} in place of {[*map(int, EVENTS)]}"
        for number, kinds in enumerate(seen)
        if kinds != [*EVENTS]
    ]
