"""An observer that speaks the wire by hand, written from docs/protocol.md alone.

It joins the event stream live, replays what was before, merges the two by version, and prints every
event as a line of JSON, in order and without a gap, until it has seen enough.
"""

import argparse
import json
import math
import sys
import time
from typing import Any

import msgpack
import zmq

SILENCE_SECONDS = 3.0
REPEAT_SECONDS = 1.0
KEPT_BLOBS = 1000

Message = dict[str, Any]


class TruncatedError(Exception):
    """The journal does not reach back to the first event."""


class Observer:
    """The session of one observer: it merges blobs by version, and knows when to ask."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.log: str | None = None
        self.next = 1
        self._last = 0
        self._ahead: dict[int, list[Message]] = {}
        self._number = 0
        self._asked_at: float | None = None
        self._not_before = 0.0
        self._heard_at = time.monotonic()
        self._doubt = True

    def question(self, now: float) -> Message | None:
        """Give the question that is due now, if one is."""
        if now - self._heard_at >= SILENCE_SECONDS:
            self._doubt, self._heard_at = True, now
        if self._asked_at is not None:
            if now - self._asked_at < REPEAT_SECONDS:
                return None
        elif now < self._not_before or not (self._doubt or self._last >= self.next):
            return None
        else:
            self._number += 1
        self._asked_at = now
        return {
            "type": "ReplayQuestion",
            "number": self._number,
            "log": self.log,
            "first": self.next,
        }

    def hear_stream(self, frame: bytes, now: float) -> None:
        """Take a frame of the event stream."""
        self._heard_at = now
        message = msgpack.unpackb(frame)
        if message["log"] != self.log:
            self._doubt = True
        elif message["type"] == "StreamHeartbeat":
            self._last = max(self._last, message["last"])
        else:
            self._take_blob(message)

    def hear_answer(self, frames: list[bytes], now: float) -> None:
        """Take an answer: the page's head, and its blobs.

        Raises:
            TruncatedError: the answer says so.
        """
        answer, *blobs = map(msgpack.unpackb, frames)
        if answer["type"] != "ReplayAnswer":
            sys.stderr.write(f"unasked for: {answer}\n")
            return
        if answer["number"] != self._number or self._asked_at is None:
            return
        self._asked_at, self._doubt = None, False
        if answer["log"] != self.log:
            self._doubt = self.log is not None
            self.log, self.next, self._last = answer["log"], 1, 0
            self._ahead, self.events = {}, []
            if self._doubt:
                return
        if answer["truncated_before"] is not None:
            raise TruncatedError(answer["truncated_before"])
        self._last = max(self._last, answer["last"])
        before = self.next
        for blob in blobs:
            self._take_blob(blob)
        if self.next == before:
            self._not_before = now + REPEAT_SECONDS

    def _take_blob(self, blob: Message) -> None:
        first, events = blob["first"], blob["events"]
        self._last = max(self._last, first + len(events) - 1)
        if first > self.next:
            if len(self._ahead) < KEPT_BLOBS:
                self._ahead[first] = events
            return
        self._hand_over(first, events)
        for kept in sorted(self._ahead):
            if kept > self.next:
                break
            self._hand_over(kept, self._ahead.pop(kept))

    def _hand_over(self, first: int, events: list[Message]) -> None:
        fresh = events[self.next - first :]
        self.events.extend(fresh)
        self.next += len(fresh)


class Goal:
    """Counts what is waited for."""

    def __init__(self, respawns: int, hosts_left: int) -> None:
        self._respawns_due = respawns
        self._hosts_due = hosts_left
        self._open: set[int] = set()

    @property
    def reached(self) -> bool:
        """Whether all has come."""
        return self._respawns_due <= 0 and self._hosts_due <= 0

    def see(self, event: Message) -> None:
        """Take the next event."""
        match event["type"]:
            case "SagaStarted" if event["name"] == "pool_respawn_on_promote":
                self._open.add(event["saga_id"])
            case "SagaCompleted" | "SagaFailed" if event["saga_id"] in self._open:
                self._open.remove(event["saga_id"])
                self._respawns_due -= 1
            case "HostLeft":
                self._hosts_due -= 1


def observe(directory: str, goal: Goal, deadline: float) -> None:
    """Print every event until the goal is reached.

    Raises:
        TimeoutError: it was not reached in time.
        TruncatedError: the history does not begin at version 1.
    """
    with (
        zmq.Context[Any]() as context,
        context.socket(zmq.SUB) as stream,
        context.socket(zmq.DEALER) as query,
    ):
        query.setsockopt(zmq.LINGER, 0)
        stream.subscribe(b"")
        stream.connect(f"ipc://{directory}/events")
        query.connect(f"ipc://{directory}/query")
        poller = zmq.Poller()
        poller.register(stream, zmq.POLLIN)
        poller.register(query, zmq.POLLIN)
        observer = Observer()
        while not goal.reached:
            now = time.monotonic()
            if now > deadline:
                text = f"only the events before version {observer.next} came in time"
                raise TimeoutError(text)
            question = observer.question(now)
            if question is not None:
                query.send(msgpack.packb(question))
            ready = dict(poller.poll(math.ceil(min(deadline - now, 0.1) * 1000)))
            now = time.monotonic()
            if stream in ready:
                observer.hear_stream(stream.recv(), now)
            if query in ready:
                observer.hear_answer(query.recv_multipart(), now)
            _print_events(observer, goal)


def _print_events(observer: Observer, goal: Goal) -> None:
    for event in observer.events:
        sys.stdout.write(json.dumps(event) + "\n")
        goal.see(event)
        if goal.reached:
            break
    sys.stdout.flush()
    observer.events = []


def main() -> int:
    """Run from the command line, and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="the launcher's runtime directory")
    parser.add_argument("--respawns", type=int, default=1, help="how many respawns are to end")
    parser.add_argument("--hosts-left", type=int, default=0, help="how many hosts are to leave")
    parser.add_argument("--deadline", type=float, default=20.0, metavar="SECONDS")
    options = parser.parse_args()
    goal = Goal(options.respawns, options.hosts_left)
    try:
        observe(options.directory, goal, time.monotonic() + options.deadline)
    except TimeoutError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except TruncatedError as truncated:
        sys.stderr.write(f"the history before version {truncated} is not known\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
