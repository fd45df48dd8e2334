"""`muxsaga watch`: every event, or every bracket group, as it is published."""

import os
import select
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import zmq

from actors.command_line.known_messages import codec_for
from actors.command_line.parsers import Subparsers, add_command, add_extension
from actors.command_line.places import add_launcher_place, launcher_endpoints
from transport.event_stream import (
    Batch,
    BracketBuffer,
    BracketGroup,
    CaughtUp,
    Item,
    NewHistory,
    Truncated,
    event_map,
)
from transport.messages import OpaqueEvent, Recorded, SagaFailed
from transport.process_signals import StopSignals
from transport.zeromq.observer import Observer

EXAMPLES = """\
examples:
  muxsaga watch
  muxsaga watch --brackets
  muxsaga watch --tcp 192.0.2.7:7400 --key wall.key --launcher-key launcher.key.pub
  muxsaga watch --jsonl --from-now | jq 'select(.type == "SagaFailed")'
"""

LONGEST_POLL_MS = 250
SILENCE_SECONDS = 3.0
"""How long nothing may be heard until the user is told."""

HIDDEN = frozenset({"type", "version", "saga_id", "origin", "reconciled"})
"""Fields of an event that its line shows in another way."""


def add_watch(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        subparsers, "watch", "show what the launcher publishes, until Ctrl-C", EXAMPLES, execute
    )
    add_launcher_place(parser)
    parser.add_argument(
        "--brackets",
        action="store_true",
        help="hold the events of a saga back until its bracket closes, then show them at once",
    )
    parser.add_argument("--jsonl", action="store_true", help="one JSON document a line")
    parser.add_argument(
        "--from-now", action="store_true", help="begin with what comes now, not with the journal"
    )
    add_extension(parser)


def execute(options: Namespace) -> int:
    """Show events until the user or the reader of the pipe has enough."""
    endpoints = launcher_endpoints(options)
    codec = codec_for(options.extension)
    shown = JsonLines() if options.jsonl else TextLines()
    buffer = BracketBuffer() if options.brackets else None
    with (
        StopSignals() as signals,
        Observer(endpoints, codec=codec, from_now=options.from_now) as observer,
    ):
        poller = zmq.Poller()
        for source in (*observer.sockets, *signals.filenos()):
            poller.register(source, zmq.POLLIN)
        poller.register(sys.stdout.fileno(), zmq.POLLERR)
        silence = Silence(endpoints.events)
        try:
            while not signals.look() and not _is_closed(sys.stdout.fileno()):
                poller.poll(LONGEST_POLL_MS)
                heard = observer.session.log is not None
                silence.look(heard=heard, complaint=observer.complaint, now=time.monotonic())
                for item in observer.poll(0):
                    sys.stdout.writelines(f"{line}\n" for line in shown.lines(item, buffer))
                sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
    return 0


class Silence:
    """Tells the user once, on stderr, that nothing was heard of a launcher, or why not.

    Args:
        endpoint: where it should be.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._tell_at: float | None = None
        self._over = False
        self._complained = False

    def look(self, *, heard: bool, now: float, complaint: str | None = None) -> None:
        """Take whether anything was heard so far, the time in seconds, and what is wrong."""
        if complaint is not None and not self._complained:
            self._over = True
            sys.stderr.write(f"muxsaga: {complaint}\n")
        self._complained = complaint is not None
        if self._tell_at is None:
            self._tell_at = now + SILENCE_SECONDS
        if not self._over and not heard and now >= self._tell_at:
            sys.stderr.write(
                f"muxsaga: nothing heard at {self._endpoint} yet; "
                "is the launcher running ('muxsaga launcher')?\n"
            )
        self._over = self._over or heard or now >= self._tell_at


class TextLines:
    """Items as lines for people."""

    def lines(self, item: Item, buffer: BracketBuffer | None) -> Iterator[str]:
        """Give the lines of an item."""
        match item:
            case Batch():
                for each in released(item, buffer):
                    yield from (
                        self._group(each) if isinstance(each, BracketGroup) else (event_line(each),)
                    )
            case Truncated(before=before):
                _restart(item, buffer)
                yield f"--- truncated before version {before}: older events cannot be had"
            case NewHistory(log=log):
                _restart(item, buffer)
                yield f"--- a new history begins: log {log}"
            case CaughtUp(version=version):
                yield f"--- caught up at version {version}: what follows is live"

    def _group(self, group: BracketGroup) -> Iterator[str]:
        failed = isinstance(group.terminal, SagaFailed)
        mark = "failed" if failed else "completed"
        yield f"=== saga {group.saga_id} {group.name} {mark}"
        for event in group.events:
            yield f"  {event_line(event)}"


class JsonLines:
    """Items as one JSON document a line."""

    def lines(self, item: Item, buffer: BracketBuffer | None) -> Iterator[str]:
        """Give the lines of an item."""
        for document in self._documents(item, buffer):
            yield msgspec.json.encode(document).decode()

    def _documents(self, item: Item, buffer: BracketBuffer | None) -> Iterator[dict[str, Any]]:
        match item:
            case Batch():
                for each in released(item, buffer):
                    yield _bracket_map(each) if isinstance(each, BracketGroup) else event_map(each)
            case Truncated(before=before):
                _restart(item, buffer)
                yield {"watch": "truncated", "before": before}
            case NewHistory(log=log):
                _restart(item, buffer)
                yield {"watch": "new_history", "log": log}
            case CaughtUp(version=version):
                yield {"watch": "caught_up", "version": version}


def released(batch: Batch, buffer: BracketBuffer | None) -> Iterable[BracketGroup | Recorded]:
    """Give what of a batch is to be shown: all of it, or what the buffer lets go."""
    return batch.events if buffer is None else buffer.feed(batch)


def event_line(event: Recorded) -> str:
    """Give an event as one line for people."""
    raw = event_map(event)
    name = event.type_name if isinstance(event, OpaqueEvent) else type(event).__name__
    saga = f"saga {event.saga_id}" if event.saga_id is not None else "-"
    origin = event.origin
    where = f"{origin.host}#{origin.sequence}" if origin is not None else "-"
    fields = " ".join(f"{key}={_shown(value)}" for key, value in raw.items() if key not in HIDDEN)
    reconciled = " reconciled" if raw.get("reconciled") else ""
    return f"{event.version:>6} {where:<12} {saga:<10} {name} {fields}{reconciled}".rstrip()


def _shown(value: object) -> str:
    return "nil" if value is None else str(value)


def _bracket_map(group: BracketGroup) -> dict[str, Any]:
    return {
        "bracket": group.saga_id,
        "name": group.name,
        "completed": not isinstance(group.terminal, SagaFailed),
        "events": [event_map(event) for event in group.events],
    }


def _restart(item: Truncated | NewHistory, buffer: BracketBuffer | None) -> None:
    if buffer is None:
        return
    if isinstance(item, Truncated):
        buffer.feed_snapshot(item.snapshot)
    else:
        buffer.reset()


def _is_closed(stream: int) -> bool:
    """Say whether nobody reads what is written there."""
    poll = select.poll()
    poll.register(stream, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _forget_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader of the pipe is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
