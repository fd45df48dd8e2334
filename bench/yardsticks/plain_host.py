"""A host and an observer that speak plain MessagePack: a frame a message, nothing checked."""

import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import msgpack
import zmq

from bench.places import HostPlace
from bench.promote_ledger import Completion, Key, Start, Taken, VoidRunError
from bench.trigger_sockets import make_room, trigger_sockets
from bench.waiting import waiting_frames, waiting_requests
from bench.yardsticks.yardstick import HOST, Site
from transport.process_signals import StopSignals
from transport.zeromq import sockets

Fields = dict[str, Any]

EVENTS = (
    "PoolWindowRemoved",
    "PoolWindowPromoted",
    "SagaStarted",
    "WindowOpened",
    "PoolWindowAdded",
    "SagaCompleted",
)
"""The six of a promote: its saga starts with the event that triggers it."""


def pack(kind: str, **fields: Any) -> bytes:
    """Give the frame of a message."""
    frame: bytes = msgpack.packb({"type": kind, **fields})
    return frame


def unpack(frame: bytes) -> Fields:
    """Give the message in a frame."""
    fields: Fields = msgpack.unpackb(frame)
    return fields


def poller_of(signals: StopSignals, *polled: Any) -> zmq.Poller:
    """Give a poller of sockets and requests to stop."""
    poller = zmq.Poller()
    for each in (*polled, *signals.filenos()):
        poller.register(each, zmq.POLLIN)
    return poller


@dataclass(frozen=True, slots=True)
class HostSettings:
    """A host's place, and how many windows it begins with."""

    place: HostPlace
    pool_target: int


def run_host(settings: HostSettings, life_line: int, pipe: Connection) -> int:
    """Run a host until it is told to stop."""
    with StopSignals(life_line) as signals, zmq.Context() as context:
        host = Host(context, settings)
        try:
            pipe.send("ready")
            host.run(signals)
        finally:
            host.close()
    return 0


class Host:
    """A pool of windows, which are ready at once."""

    def __init__(self, context: zmq.Context[Any], settings: HostSettings) -> None:
        place = settings.place
        self._link = sockets.dealer(context, place.endpoints.link)
        make_room(self._link)
        self._events = sockets.subscriber(context, place.endpoints.events)
        self._control = sockets.router(context, place.control)
        self._epoch = secrets.token_hex(16)
        self._made = self._sequence = 0
        self._pool = deque(self._make() for _ in range(settings.pool_target))

    def run(self, signals: StopSignals) -> None:
        """Go round until the process is to stop."""
        poller = poller_of(signals, self._link, self._events, self._control)
        self._link.send(pack("Hello"))
        while not (signals.look() or signals.orphaned):
            poller.poll()
            for frame in waiting_frames(self._link):
                label = self._make()
                self._pool.append(label)
                self._report("PoolWindowAdded", label=label, identity=unpack(frame)["identity"])
            for _ in waiting_frames(self._events):
                pass
            for connection, frame in waiting_requests(self._control):
                answer = self._promote(unpack(frame)["number"])
                with suppress(zmq.ZMQError):  # who asked is gone
                    self._control.send_multipart([connection, answer], zmq.NOBLOCK)

    def close(self) -> None:
        """Close the sockets."""
        for each in (self._link, self._events, self._control):
            each.close()

    def _make(self) -> str:
        self._made += 1
        return f"window-{self._epoch}-{self._made}"

    def _promote(self, number: int) -> bytes:
        label, at_ns = self._pool.popleft(), time.monotonic_ns()
        about = {"label": label, "promote_id": f"promote-{self._epoch}-{number}"}
        self._report("PoolWindowRemoved", reason="promoted", **about)
        self._report("PoolWindowPromoted", **about)
        self._report("WindowOpened", cold=False, **about)
        return pack("ActionDone", number=number, at_ns=at_ns, cold=False, **about)

    def _report(self, kind: str, **fields: Any) -> None:
        self._sequence += 1
        origin = [HOST, self._epoch, self._sequence]
        self._link.send(pack(f"Report{kind}", origin=origin, **fields), zmq.NOBLOCK)


class PlainScene:
    """Implements `Scene`. A promote's key is its promote id."""

    def __init__(self, context: zmq.Context[Any], site: Site) -> None:
        self._events = sockets.subscriber(context, site.endpoints.events)
        (self._control,) = trigger_sockets(context, [site.host])
        self._seen: list[Fields] = []
        self._by_version: dict[int, str] = {}
        self._by_saga: dict[int, str] = {}

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether the launcher knows its host."""
        return any(event["type"] == "Beacon" for event in self._heard(wait_seconds))

    def promote(self, start: Start) -> None:
        """Send the trigger."""
        self._control.send(pack("PromoteWindow", number=start.number), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        answers = map(unpack, waiting_frames(self._control))
        return [Taken(each["number"], each["promote_id"], each["at_ns"]) for each in answers]

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the events: from a promote to its saga, from the saga to its end."""
        completions = []
        for event in self._heard(wait_seconds):
            self._seen.append(event)
            match event:
                case {"type": "PoolWindowPromoted", "version": version, "promote_id": promote_id}:
                    self._by_version[version] = promote_id
                case {"type": "SagaStarted", "saga_id": saga_id, "cause": cause}:
                    self._by_saga[saga_id] = self._by_version[cause]
                case {"type": "SagaCompleted", "saga_id": saga_id}:
                    if saga_id not in self._by_saga:
                        msg = f"saga {saga_id} completed, but never started"
                        raise VoidRunError(msg)
                    key = self._by_saga[saga_id]
                    completions.append(Completion(key, 0, time.monotonic_ns()))
        return completions

    def violations(self) -> list[str]:
        """Give the promotes that have not each event once, in order."""
        events = [event for event in self._seen if event["type"] != "Beacon"]
        return wrong_promotes(events, self._by_saga)

    def events_of(self, key: Key) -> None:
        """Give None: nobody asks where its time goes."""
        del key

    def close(self) -> None:
        """Close the sockets."""
        self._events.close(linger=0)
        self._control.close(linger=0)

    def _heard(self, wait_seconds: float) -> Iterator[Fields]:
        self._events.poll(round(wait_seconds * 1000))
        return map(unpack, waiting_frames(self._events))


def wrong_promotes(events: Sequence[Fields], by_saga: dict[int, str]) -> list[str]:
    """Give, in words, the promotes that have not each event once, in order.

    Args:
        events: everything that was observed, in order.
        by_saga: promote ids by the sagas that they started.
    """
    seen: dict[str, list[str]] = {promote_id: [] for promote_id in by_saga.values()}
    for event in events:
        promote_id = event["promote_id"] if "promote_id" in event else by_saga[event["saga_id"]]
        seen[promote_id].append(event["type"])
    return [
        f"{promote_id} has the events {', '.join(kinds)}"
        for promote_id, kinds in seen.items()
        if kinds != [*EVENTS]
    ]
