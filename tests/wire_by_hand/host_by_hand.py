"""A host that speaks the wire by hand, written from docs/protocol.md alone.

It joins the event stream, registers, makes the windows that the launcher asks for, promotes one of
them, answers the spawn that follows, and says goodbye when that promote's bracket has closed. Each
event that it saw is a line of JSON on stdout.
"""

import argparse
import json
import math
import secrets
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgpack
import zmq

INTERVALS_OF_SILENCE = 3
FENCED_STATUS = 3
POOL_MARGIN = 2

Message = dict[str, Any]
Identity = tuple[str, int, int]


class Fenced(Exception):  # noqa: N818 - the protocol's word
    """A later epoch of this host registered."""


class LostEventsError(Exception):
    """The event stream has a hole."""


class Host:
    """The session of one host: what it knows, and what it says."""

    def __init__(self, host: str, pool_target: int) -> None:
        self.host = host
        self.pool_target = pool_target
        self.epoch = secrets.token_hex(16)
        self.pool: dict[str, Identity | None] = {}
        self.open: dict[str, Identity | None] = {}
        self.registered = False
        self.heartbeat = 1.0
        self.stopping = False
        self._log = ""
        self._low_water = 1
        self._windows = 0
        self._sequence = 0
        self._held: list[tuple[int, int, bytes]] = []
        self._outcomes: dict[Identity, bytes] = {}
        self._outbox: list[bytes] = []
        self._registering = False

    @property
    def can_promote(self) -> bool:
        """Whether the pool is full and the launcher allows user actions."""
        return self.registered and not self.stopping and len(self.pool) == self.pool_target

    def register(self, confirms: int = 0) -> None:
        """Say who is there, with the windows as they are after the last report."""
        windows = [("pool", self.pool), ("open", self.open)]
        self.registered = False
        self._registering = True
        self._outbox = [
            msgpack.packb(
                {
                    "type": "Register",
                    "protocol": 1,
                    "role": "host",
                    "host": self.host,
                    "epoch": self.epoch,
                    "first_held": self._held[0][0] if self._held else self._sequence + 1,
                    "as_of": self._sequence,
                    "pool_target": self.pool_target,
                    "drained": False,
                    "serves": [],
                    "confirms": confirms,
                    "part": 1,
                    "parts": 1,
                    "inventory": [
                        [label, place, identity]
                        for place, labels in windows
                        for label, identity in labels.items()
                    ],
                }
            )
        ]

    def ping(self) -> None:
        """Say that this host lives, and how far it got."""
        self._say({"type": "Ping", "last": self._sequence})

    def say_goodbye(self) -> None:
        """Leave in order."""
        self._say({"type": "Goodbye"})

    def promote(self) -> str:
        """Take a window out of the pool and show it; give the promote's id."""
        label = next(iter(self.pool))
        self.open[label] = self.pool.pop(label)
        promote_id = f"promote-{self.epoch}-{len(self.open)}"
        whole = {"identity": None, "label": label, "promote_id": promote_id}
        self._report(
            {"type": "ReportPoolWindowRemoved", "reason": "promoted", **whole},
            {"type": "ReportPoolWindowPromoted", **whole},
            {"type": "ReportWindowOpened", "cold": False, **whole},
        )
        return promote_id

    def receive(self, frames: list[bytes]) -> None:
        """Take what the launcher said: commands last, when all else is known."""
        messages = [msgpack.unpackb(frame) for frame in frames]
        for message in messages:
            self._hear(message)
        for message in messages:
            if message["type"] == "Commands" and self.registered:
                for command in message["commands"]:
                    self._execute(command)

    def take_outbox(self) -> list[bytes]:
        """Give the frames that are to be sent now, once."""
        frames, self._outbox = self._outbox, []
        return frames

    def _hear(self, message: Message) -> None:
        match message["type"]:
            case "Registered":
                if message["log"] != self._log:
                    self._outcomes = {}
                self._log, self._low_water = message["log"], message["low_water"]
                self.heartbeat = message["heartbeat_ms"] / 1000
                self.registered, self._registering, self.stopping = True, False, False
                self._drop_held(message["taken"])
                self._send_held_again()
            case "Acknowledge":
                self._low_water = max(self._low_water, message["low_water"])
                self._drop_held(message["taken"])
                for identity in [key for key in self._outcomes if key[1] < self._low_water]:
                    del self._outcomes[identity]
                if message["resend"]:
                    self._send_held_again()
            case "NotRegistered":
                if not self._registering:
                    self.register()
            case "RegisterAgain":
                self.register(confirms=message["token"])
            case "LauncherStopping":
                self.stopping = True
            case "Fenced":
                raise Fenced(message["by"])
            case "Commands":
                pass
            case _:
                sys.stderr.write(f"unasked for: {message}\n")

    def _execute(self, command: Message) -> None:
        log, saga_id, step = command["identity"]
        identity = (log, saga_id, step)
        if saga_id < self._low_water:
            return
        if identity in self._outcomes:
            self._outbox.append(self._outcomes[identity])
            return
        if command["type"] != "SpawnPoolWindow":
            failure = f"unknown command {command['type']}"
            report = {"type": "ReportActionFailed", "identity": identity, "reason": failure}
        elif len(self.pool) >= self.pool_target + POOL_MARGIN:
            report = {"type": "ReportActionFailed", "identity": identity, "reason": "pool full"}
        else:
            self._windows += 1
            label = f"window-{self.epoch}-{self._windows}"
            self.pool[label] = identity
            report = {"type": "ReportPoolWindowAdded", "identity": identity, "label": label}
        self._outcomes[identity] = self._report(report)

    def _report(self, *reports: Message) -> bytes:
        first = self._sequence + 1
        self._sequence += len(reports)
        frame: bytes = msgpack.packb({"type": "Reports", "sequence": first, "reports": reports})
        self._held.append((first, self._sequence, frame))
        if self.registered:
            self._outbox.append(frame)
        return frame

    def _drop_held(self, taken: int) -> None:
        self._held = [held for held in self._held if held[1] > taken]

    def _send_held_again(self) -> None:
        self._outbox.extend(frame for _, _, frame in self._held)

    def _say(self, message: Message) -> None:
        self._outbox.append(msgpack.packb(message))


class Sockets:
    """The link and the event stream in one runtime directory."""

    def __init__(self, directory: str) -> None:
        self._link_endpoint = f"ipc://{directory}/link"
        self._context = zmq.Context[Any]()
        self._stream = self._context.socket(zmq.SUB)
        self._stream.subscribe(b"")
        self._stream.connect(f"ipc://{directory}/events")
        self._link: zmq.Socket[bytes] = self._open_link()

    def poll(self, seconds: float) -> tuple[list[bytes], list[bytes]]:
        """Give every frame that waits on the link and on the stream, after at most so long."""
        poller = zmq.Poller()
        poller.register(self._link, zmq.POLLIN)
        poller.register(self._stream, zmq.POLLIN)
        poller.poll(math.ceil(max(0.0, seconds) * 1000))
        return _all_frames(self._link), _all_frames(self._stream)

    def send(self, frames: list[bytes]) -> None:
        """Send the frames as one ZeroMQ message."""
        if frames:
            self._link.send_multipart(frames)

    def reconnect(self) -> None:
        """Give up a link that is silent."""
        self._link.close(linger=0)
        self._link = self._open_link()

    def close(self) -> None:
        """Let the last frames leave."""
        self._stream.close(linger=0)
        self._link.close(linger=1000)
        self._context.term()

    def _open_link(self) -> zmq.Socket[bytes]:
        link = self._context.socket(zmq.DEALER)
        link.setsockopt(zmq.LINGER, 1000)
        link.connect(self._link_endpoint)
        return link


class Stream:
    """What the host hears of the event stream, from the first frame on."""

    def __init__(self) -> None:
        self._next: int | None = None

    @property
    def flows(self) -> bool:
        """Whether a frame was heard: nothing that is published from then on is missed."""
        return self._next is not None

    def take(self, frames: list[bytes]) -> Iterator[Message]:
        """Give the events that are new, in order.

        Raises:
            LostEventsError: the stream has a hole.
        """
        for frame in frames:
            message = msgpack.unpackb(frame)
            if message["type"] == "StreamHeartbeat":
                first, events = message["last"] + 1, []
            else:
                first, events = message["first"], message["events"]
            if self._next is None:
                self._next = first
            if first > self._next:
                text = f"the event stream goes on with {first}, and {self._next} was due"
                raise LostEventsError(text)
            for event in events[self._next - first :]:
                self._next += 1
                yield event


class Bracket:
    """Finds the end of one promote's bracket in the events."""

    def __init__(self, promote_id: str) -> None:
        self.closed = False
        self._promote_id = promote_id
        self._trigger = 0
        self._saga_id = 0

    def see(self, event: Message) -> None:
        """Take the next event."""
        match event["type"]:
            case "PoolWindowPromoted" if event["promote_id"] == self._promote_id:
                self._trigger = event["version"]
            case "SagaStarted" if event["cause"] is not None and event["cause"] == self._trigger:
                self._saga_id = event["saga_id"]
            case "SagaCompleted" | "SagaFailed" if event["saga_id"] == self._saga_id:
                self.closed = True


def _all_frames(socket: "zmq.Socket[bytes]") -> list[bytes]:
    frames: list[bytes] = []
    while socket.poll(0):
        frames.extend(socket.recv_multipart())
    return frames


class Run:
    """One life of the host: fill the pool, promote, and see the bracket close."""

    def __init__(self, host: Host, sockets: Sockets) -> None:
        self._host = host
        self._sockets = sockets
        self._stream = Stream()
        self._bracket: Bracket | None = None
        self._heard = self._said = time.monotonic()

    def until_closed(self, deadline: float) -> None:
        """Go on until the bracket has closed, then say goodbye.

        Raises:
            Fenced: another process took this host's name.
            TimeoutError: it took too long.
            LostEventsError: the event stream has a hole.
        """
        host = self._host
        while self._bracket is None or not self._bracket.closed:
            if time.monotonic() > deadline:
                text = "the promote's bracket did not close in time"
                raise TimeoutError(text)
            if self._bracket is None and host.can_promote:
                self._bracket = Bracket(host.promote())
            self._sockets.send(host.take_outbox())
            self._listen()
            if self._stream.flows:
                self._beat(time.monotonic())
        host.say_goodbye()
        self._sockets.send(host.take_outbox())

    def _listen(self) -> None:
        seconds = self._said + self._host.heartbeat - time.monotonic()
        frames, stream = self._sockets.poll(seconds if self._stream.flows else 1.0)
        if frames:
            self._heard = time.monotonic()
            self._host.receive(frames)
        joined_late = not self._stream.flows
        for event in self._stream.take(stream):
            sys.stdout.write(json.dumps(event) + "\n")
            if self._bracket is not None:
                self._bracket.see(event)
                if self._bracket.closed:
                    return
        if joined_late and self._stream.flows:
            self._heard = self._said = time.monotonic()
            self._host.register()

    def _beat(self, now: float) -> None:
        if now - self._heard > INTERVALS_OF_SILENCE * self._host.heartbeat:
            self._heard = self._said = now
            self._sockets.reconnect()
            self._host.register()
        elif now - self._said >= self._host.heartbeat:
            self._said = now
            if self._host.registered:
                self._host.ping()
            else:
                self._host.register()


def main() -> int:
    """Run from the command line, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="the launcher's runtime directory")
    parser.add_argument("host", help="the name of this host")
    parser.add_argument("--pool-target", type=int, default=2)
    parser.add_argument("--deadline", type=float, default=20.0, metavar="SECONDS")
    options = parser.parse_args()
    sockets = Sockets(options.directory)
    run = Run(Host(options.host, options.pool_target), sockets)
    try:
        run.until_closed(time.monotonic() + options.deadline)
    except Fenced as fenced:
        sys.stderr.write(f"fenced by {fenced}\n")
        return FENCED_STATUS
    except (TimeoutError, LostEventsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        sockets.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
