"""The floor: what a promote costs if its eleven messages are only sent.

A launcher and a host with the real ones' sockets, one poll loop each: no actors, no sessions, no
validation, no acknowledgements, no heartbeats, no log, no batches. What muxsaga takes longer than
this is the price of what it adds; what it saves by putting several messages into one frame counts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import zmq

from bench.floor_frames import EVENTS_OF, PROMOTE_REPORTS, Kind, frame_of, read_frame
from bench.places import HostPlace
from bench.trigger_sockets import make_room
from bench.waiting import waiting_frames, waiting_requests
from transport.endpoints import Endpoints
from transport.keys import Domain, ServerKeys
from transport.process_signals import StopSignals
from transport.zeromq import sockets
from transport.zeromq.authenticator import Doorkeeper, authenticated, keys_at

BEACON_MS = 10
"""How often the launcher shows itself before the first promote, in milliseconds."""

LONGEST_POLL_MS = 250


@dataclass(frozen=True, slots=True)
class FloorLauncherSettings:
    """Where a floor launcher binds, and with which keys."""

    endpoints: Endpoints
    keys: ServerKeys | None = None


def run_floor_launcher(
    settings: FloorLauncherSettings, life_line: int, ready: Callable[[], None] = lambda: None
) -> int:
    """Run a floor launcher until it is told to stop, and give its exit status."""
    endpoints = settings.endpoints
    doorkeeper = None if settings.keys is None else Doorkeeper(settings.keys)
    with (
        StopSignals(life_line) as signals,
        zmq.Context() as context,
        authenticated(context, doorkeeper),
    ):
        link = sockets.router(context, endpoints.link, keys=keys_at(doorkeeper, Domain.LINK))
        make_room(link)  # each frame is sent alone, so they are many more than the real ones
        stream_keys = keys_at(doorkeeper, Domain.EVENTS)
        stream = sockets.publisher(context, endpoints.events, keys=stream_keys)
        try:
            ready()
            _launch(link, stream, signals)
        finally:
            link.close()
            stream.close()
    return 0


def _launch(link: sockets.ZmqSocket, stream: sockets.ZmqSocket, signals: StopSignals) -> None:
    poller = _poller(signals, link, stream)
    hosts = 0
    wait = BEACON_MS
    while True:
        ready = dict(poller.poll(wait))
        if _stopped(signals, ready):
            return
        if stream in ready:
            _drop_waiting(stream)
        for connection, frame in waiting_requests(link):
            number_of_kind, number, at_ns = read_frame(frame)
            if number_of_kind == Kind.HELLO:
                hosts += 1
                continue
            wait = LONGEST_POLL_MS
            kind = Kind(number_of_kind)
            for event in EVENTS_OF[kind]:
                stream.send(frame_of(event, number, at_ns), zmq.NOBLOCK)
            if kind is Kind.REPORT_WINDOW_OPENED:
                command = frame_of(Kind.SPAWN_POOL_WINDOW, number, at_ns)
                link.send_multipart([connection, command], zmq.NOBLOCK)
        if wait == BEACON_MS:
            stream.send(frame_of(Kind.BEACON, hosts), zmq.NOBLOCK)


def run_floor_host(
    place: HostPlace, life_line: int, ready: Callable[[], None] = lambda: None
) -> int:
    """Run a floor host until it is told to stop, and give its exit status."""
    endpoints, keys = place.endpoints, place.endpoints.keys
    doorkeeper = None if place.control_keys is None else Doorkeeper(place.control_keys)
    with (
        StopSignals(life_line) as signals,
        zmq.Context() as context,
        authenticated(context, doorkeeper),
    ):
        link = sockets.dealer(context, endpoints.link, keys=keys)
        make_room(link)  # each frame is sent alone, so they are many more than the real ones
        events = sockets.subscriber(context, endpoints.events, keys=keys)
        control_keys = keys_at(doorkeeper, Domain.CONTROL)
        control = sockets.router(context, place.control, keys=control_keys)
        try:
            ready()
            if _say_hello(link, events, signals):
                _host(link, events, control, signals)
        finally:
            for each in (link, events, control):
                each.close()
    return 0


def _say_hello(link: sockets.ZmqSocket, events: sockets.ZmqSocket, signals: StopSignals) -> bool:
    """Wait for the launcher's first beacon, and answer; say whether it came."""
    poller = _poller(signals, events)
    while True:
        ready = dict(poller.poll(LONGEST_POLL_MS))
        if _stopped(signals, ready):
            return False
        if events in ready:
            link.send(frame_of(Kind.HELLO), zmq.NOBLOCK)
            return True


def _host(
    link: sockets.ZmqSocket,
    events: sockets.ZmqSocket,
    control: sockets.ZmqSocket,
    signals: StopSignals,
) -> None:
    poller = _poller(signals, link, events, control)
    while True:
        ready = dict(poller.poll(LONGEST_POLL_MS))
        if _stopped(signals, ready):
            return
        if events in ready:
            _drop_waiting(events)
        if control in ready:
            for connection, frame in waiting_requests(control):
                _, number, _ = read_frame(frame)
                at_ns = time.monotonic_ns()
                for kind in PROMOTE_REPORTS:
                    link.send(frame_of(kind, number, at_ns), zmq.NOBLOCK)
                answer = frame_of(Kind.ACTION_DONE, number, at_ns)
                control.send_multipart([connection, answer], zmq.NOBLOCK)
        if link in ready:
            for frame in waiting_frames(link):
                _, number, at_ns = read_frame(frame)
                link.send(frame_of(Kind.REPORT_POOL_WINDOW_ADDED, number, at_ns), zmq.NOBLOCK)


def _poller(signals: StopSignals, *polled: sockets.ZmqSocket) -> zmq.Poller:
    poller = zmq.Poller()
    for each in (*polled, *signals.filenos()):
        poller.register(each, zmq.POLLIN)
    return poller


def _stopped(signals: StopSignals, ready: dict[object, int]) -> bool:
    return any(fileno in ready for fileno in signals.filenos()) and (
        signals.look() > 0 or signals.orphaned
    )


def _drop_waiting(socket: sockets.ZmqSocket) -> None:
    for _ in waiting_frames(socket):
        pass
