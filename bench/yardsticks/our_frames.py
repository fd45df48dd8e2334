"""Our frames: exactly what muxsaga sends for promotes, batched as it batches, and nothing else.

For information, beside the floor: what the same sockets allow once messages travel together. As in
muxsaga, a promote's three reports are one frame, and all that a host has to say in a round is one
ZeroMQ message. A launcher's pass reads what waits, and ends in one blob for all its events, and for
the host one ZeroMQ message: the acknowledgement, and one frame with all commands. Each side has a
heartbeat. Every frame is as large as the real one.

What it does not do: frames are filled with zeros, and say no more than which promotes they are for.
Nothing is decoded or validated; no actors, no sessions, no log, nothing is ever sent again.
"""

import struct
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum, auto
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

import zmq

from actors.launcher_passes import FRAMES_A_PEER
from bench.floor import BEACON_MS, LONGEST_POLL_MS
from bench.floor_frames import EVENTS_OF, PROMOTE_REPORTS, SIZES, Kind, frame_of, read_frame
from bench.places import HostPlace
from bench.promote_ledger import Completion, Key, Start, Taken
from bench.stage import Stage
from bench.trigger_sockets import trigger_sockets
from bench.waiting import waiting, waiting_frames, waiting_requests
from bench.yardsticks.yardstick import HOST, Site, Subject
from transport.codec import encode, encode_blob, encode_commands, encode_map
from transport.endpoints import Endpoints
from transport.messages import Acknowledge, Ping, StreamHeartbeat
from transport.process_signals import StopSignals
from transport.zeromq import sockets

LOG = "0123456789abcdef" * 2
NUMBER = 12345
"""A log's id, and a version or sequence, of the usual length."""

HEARTBEAT_NS = 1_000_000_000


class Frame(IntEnum):
    """What a frame is. `BEACON` is for the time before the first promote."""

    BEACON = auto()
    PROMOTE_REPORTS = auto()
    ADDED_REPORT = auto()
    EVENTS = auto()
    COMMANDS = auto()
    ACKNOWLEDGE = auto()
    PING = auto()
    STREAM_HEARTBEAT = auto()


TRIGGER_EVENTS = tuple(event for report in PROMOTE_REPORTS for event in EVENTS_OF[report])
ENDING_EVENTS = EVENTS_OF[Kind.REPORT_POOL_WINDOW_ADDED]

_HEAD = struct.Struct("<BH")


def pack(frame: Frame, numbers: Sequence[int], size: int) -> bytes:
    """Give a frame of so many bytes that names some promotes."""
    head = _HEAD.pack(frame, len(numbers)) + array("Q", numbers).tobytes()
    return head + bytes(size - len(head))


def unpack(frame: bytes) -> "tuple[int, array[int]]":
    """Give what a frame is, and the promotes that it names."""
    kind, count = _HEAD.unpack_from(frame)
    numbers = array("Q")
    numbers.frombytes(frame[_HEAD.size : _HEAD.size + 8 * count])
    return kind, numbers


def reports_size(kinds: Sequence[Kind]) -> int:
    """Give how long a `Reports` frame is."""
    empty = encode_map({"type": "Reports", "sequence": NUMBER, "reports": []})
    return len(empty) + sum(SIZES[kind] for kind in kinds)


@cache
def blob_size(triggers: int, endings: int) -> int:
    """Give how long the blob of a pass is in which so many promotes began and so many ended."""
    events = TRIGGER_EVENTS * triggers + ENDING_EVENTS * endings
    return len(encode_blob(LOG, NUMBER, [bytes(SIZES[event]) for event in events]))


@cache
def commands_size(count: int) -> int:
    """Give how long a `Commands` frame is."""
    return len(encode_commands([bytes(SIZES[Kind.SPAWN_POOL_WINDOW])] * count))


PROMOTE_REPORTS_SIZE = reports_size(PROMOTE_REPORTS)
ADDED_REPORT_SIZE = reports_size([Kind.REPORT_POOL_WINDOW_ADDED])
ACKNOWLEDGE = pack(
    Frame.ACKNOWLEDGE, (), len(encode(Acknowledge(taken=NUMBER, low_water=NUMBER, resend=False)))
)
PING = pack(Frame.PING, (), len(encode(Ping(last=NUMBER))))
STREAM_HEARTBEAT = pack(
    Frame.STREAM_HEARTBEAT, (), len(encode(StreamHeartbeat(log=LOG, last=NUMBER)))
)
BEACON = pack(Frame.BEACON, (), _HEAD.size)


def run_launcher(endpoints: Endpoints, life_line: int, pipe: Connection) -> int:
    """Run a launcher until it is told to stop."""
    with StopSignals(life_line) as signals, zmq.Context() as context:
        link = sockets.router(context, endpoints.link)
        stream = sockets.publisher(context, endpoints.events)
        poller = _poller(signals, link, stream)
        wait, next_heartbeat = BEACON_MS, 0
        try:
            pipe.send("ready")
            while not (signals.look() or signals.orphaned):
                poller.poll(wait)
                for _ in waiting_frames(stream):
                    pass
                if _pass(link, stream):
                    wait = LONGEST_POLL_MS
                if time.monotonic_ns() >= next_heartbeat:
                    next_heartbeat = time.monotonic_ns() + HEARTBEAT_NS
                    stream.send(STREAM_HEARTBEAT, zmq.NOBLOCK)
                if wait == BEACON_MS:
                    stream.send(BEACON, zmq.NOBLOCK)
        finally:
            link.close()
            stream.close()
    return 0


def _pass(link: sockets.ZmqSocket, stream: sockets.ZmqSocket) -> bool:
    """Read what waits, and say what it gives; say whether it was anything of a promote."""
    host, frames = b"", 0
    began, ended = list[int](), list[int]()
    for host, *came in waiting(link):  # noqa: B007 - there is one, and it is answered below
        for frame in came:
            kind, numbers = unpack(frame)
            if kind == Frame.PROMOTE_REPORTS:
                began += numbers
            elif kind == Frame.ADDED_REPORT:
                ended += numbers
        frames += len(came)
        if frames >= FRAMES_A_PEER:
            break
    if began or ended:
        stream.send(pack(Frame.EVENTS, ended, blob_size(len(began), len(ended))), zmq.NOBLOCK)
    if host:
        answer = [host, ACKNOWLEDGE]
        if began:
            answer.append(pack(Frame.COMMANDS, began, commands_size(len(began))))
        with suppress(zmq.ZMQError):  # it is gone
            link.send_multipart(answer, zmq.NOBLOCK)
    return bool(began or ended)


def run_host(place: HostPlace, life_line: int, pipe: Connection) -> int:
    """Run a host until it is told to stop."""
    with StopSignals(life_line) as signals, zmq.Context() as context:
        link = sockets.dealer(context, place.endpoints.link)
        events = sockets.subscriber(context, place.endpoints.events)
        control = sockets.router(context, place.control)
        poller = _poller(signals, link, events, control)
        next_ping = 0
        try:
            pipe.send("ready")
            while not (signals.look() or signals.orphaned):
                poller.poll(LONGEST_POLL_MS)
                reports = [report for message in waiting(link) for report in _executed(message)]
                reports += _promoted(control)
                for _ in waiting_frames(events):
                    pass
                if time.monotonic_ns() >= next_ping:
                    next_ping = time.monotonic_ns() + HEARTBEAT_NS
                    reports.append(PING)
                if reports:
                    link.send_multipart(reports, zmq.NOBLOCK)
        finally:
            for each in (link, events, control):
                each.close()
    return 0


def _executed(message: Sequence[bytes]) -> list[bytes]:
    """Give the reports on the commands in a launcher's message."""
    reports = []
    for frame in message:
        kind, numbers = unpack(frame)
        if kind == Frame.COMMANDS:
            reports += [pack(Frame.ADDED_REPORT, [each], ADDED_REPORT_SIZE) for each in numbers]
    return reports


def _promoted(control: sockets.ZmqSocket) -> list[bytes]:
    """Answer the users who wait, and give the reports on what they asked for."""
    reports = []
    for connection, request in waiting_requests(control):
        _, number, _ = read_frame(request)
        answer = frame_of(Kind.ACTION_DONE, number, time.monotonic_ns())
        reports.append(pack(Frame.PROMOTE_REPORTS, [number], PROMOTE_REPORTS_SIZE))
        control.send_multipart([connection, answer], zmq.NOBLOCK)
    return reports


class OurFramesScene:
    """Implements `Scene`. A promote's key is its number."""

    def __init__(self, context: zmq.Context[Any], site: Site) -> None:
        self._events = sockets.subscriber(context, site.endpoints.events)
        (self._control,) = trigger_sockets(context, [site.host])

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether the launcher was heard; what a host has to say waits in its socket."""
        self._events.poll(round(wait_seconds * 1000))
        return any(unpack(frame)[0] == Frame.BEACON for frame in waiting_frames(self._events))

    def promote(self, start: Start) -> None:
        """Send the trigger."""
        self._control.send(frame_of(Kind.PROMOTE_WINDOW, start.number), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        answers = map(read_frame, waiting_frames(self._control))
        return [Taken(number, number, at_ns) for _, number, at_ns in answers]

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the blobs."""
        self._events.poll(round(wait_seconds * 1000))
        completions = []
        for frame in waiting_frames(self._events):
            kind, numbers = unpack(frame)
            if kind == Frame.EVENTS:
                now = time.monotonic_ns()
                completions += [Completion(number, 0, now) for number in numbers]
        return completions

    def violations(self) -> list[str]:
        """Give nothing: a blob names the promotes that ended in it, and each ended once."""
        return []

    def events_of(self, key: Key) -> None:
        """Give None: nobody asks where its time goes."""
        del key

    def close(self) -> None:
        """Close the sockets."""
        self._events.close(linger=0)
        self._control.close(linger=0)


class OurFrames:
    """Implements `Yardstick`."""

    def start(self, stage: Stage, site: Site) -> None:
        """Start a launcher and a host."""
        stage.start_ready("launcher", run_launcher, site.endpoints)
        stage.start_ready(HOST, run_host, site.host)

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        """Give its driver side."""
        return Subject(OurFramesScene(context, site))


def _poller(signals: StopSignals, *polled: sockets.ZmqSocket) -> zmq.Poller:
    poller = zmq.Poller()
    for each in (*polled, *signals.filenos()):
        poller.register(each, zmq.POLLIN)
    return poller


OUR_FRAMES = OurFrames()
