"""A launcher that stops for ever at one point of its loop, so that a test can kill it just there.

It is the real launcher: its log and its ZeroMQ context are the real ones, with a watch at their
calls. The watch writes what passed to a trace, one JSON map a line, and at its point it says so and
goes no further. Without a point it only writes the trace.
"""

import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, NoReturn, cast

import msgpack
import zmq

from actors.launcher_process import LauncherSettings, open_log, run_launcher
from actors.saga_log import (
    LogContents,
    Row,
    SagaClosed,
    SagaLog,
    SagaOpened,
)
from actors.sqlite_saga_log import SqliteSagaLog
from transport.codec import Codec
from transport.endpoints import Endpoints
from transport.event_stream.query_session import JournalReader

WATCHED_SAGA = "pool_respawn_on_promote"


class Point(StrEnum):
    """Where a launcher can be held, in the order in which its first respawn passes there."""

    BEFORE_START_COMMIT = "before the commit that starts the saga"
    WITHIN_START_COMMIT = "within the commit that starts the saga"
    START_COMMITTED = "between that commit and its publishing"
    START_PUBLISHED = "between publishing and sending"
    COMMAND_SENT = "after the send"
    REPORT_CAME = "after the report came"
    BEFORE_END_COMMIT = "before the commit that ends the saga"
    WITHIN_END_COMMIT = "within the commit that ends the saga"
    END_COMMITTED = "between that commit and the publishing of the end"
    END_PUBLISHED = "between the publishing of the end and the acknowledgement"


class Watch:
    """Sees what passes, writes it down, and holds the launcher at its point."""

    def __init__(self, point: Point | None, trace: Path) -> None:
        self.saga_id: int | None = None
        self._point = point
        self._trace = trace.open("a", encoding="utf-8", buffering=1)

    def note(self, what: str, **fields: object) -> None:
        self._trace.write(json.dumps({"what": what, **fields}) + "\n")

    def at(self, point: Point) -> None:
        """Go no further if this is the point."""
        if point == self._point:
            _hold(point)


def _hold(point: Point) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout.write(f"held {point}\n")
    sys.stdout.flush()
    while True:
        signal.pause()


class WatchedLog:
    """A saga log at whose commits a launcher can be held."""

    def __init__(self, log: SagaLog, watch: Watch) -> None:
        self._log = log
        self._watch = watch

    @property
    def log_id(self) -> str:
        return self._log.log_id

    def commit(self, rows: Sequence[Row]) -> None:
        started = [row for row in rows if isinstance(row, SagaOpened) and row.name == WATCHED_SAGA]
        if started and self._watch.saga_id is None:
            self._watch.saga_id = started[0].saga_id
            points = (Point.BEFORE_START_COMMIT, Point.WITHIN_START_COMMIT, Point.START_COMMITTED)
        elif any(
            isinstance(row, SagaClosed) and row.saga_id == self._watch.saga_id for row in rows
        ):
            points = (Point.BEFORE_END_COMMIT, Point.WITHIN_END_COMMIT, Point.END_COMMITTED)
        else:
            self._log.commit(rows)
            return
        before, within, after = points
        self._watch.at(before)
        with self._held_within(within):
            self._log.commit(rows)
        self._watch.at(after)

    @contextmanager
    def _held_within(self, within: Point) -> Iterator[None]:
        """Be at a point when every row of a commit is written, and nothing is durable yet."""
        assert isinstance(self._log, SqliteSagaLog)
        db = self._log._db  # noqa: SLF001 - SQLite's own trace of what is about to be carried out

        def about_to(statement: str) -> None:
            if statement == "COMMIT":
                self._watch.at(within)

        db.set_trace_callback(about_to)
        try:
            yield
        finally:
            db.set_trace_callback(None)

    def load(self) -> LogContents:
        return self._log.load()

    def reader(self) -> JournalReader:
        return self._log.reader()


class WatchedSocket(zmq.Socket[bytes]):
    """A socket that tells the watch what passes."""

    watch: ClassVar[Watch]


class WatchedStream(WatchedSocket):
    """The event stream: everything goes through `send`."""

    def send(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        sent = super().send(data, *args, **kwargs)
        message = msgpack.unpackb(data)
        for event in message.get("events", ()):
            self.watch.note("published", type=event["type"], version=event["version"])
            if event["type"] == "SagaStarted" and event["saga_id"] == self.watch.saga_id:
                self.watch.at(Point.START_PUBLISHED)
            if event["type"] == "SagaCompleted" and event["saga_id"] == self.watch.saga_id:
                self.watch.at(Point.END_PUBLISHED)
        return sent


class WatchedLink(WatchedSocket):
    """The hosts' link; the query socket is of this kind too, and its frames mean nothing here."""

    _parts: list[bytes]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "_parts", [])  # any other way it would be a socket option

    def send(self, data: Any, flags: int = 0, *args: Any, **kwargs: Any) -> Any:
        sent = super().send(data, flags, *args, **kwargs)
        self._parts.append(data)
        if not flags & zmq.SNDMORE:
            frames = self._parts[1:]
            self._parts.clear()
            for frame in frames:
                self._sent(msgpack.unpackb(frame))
        return sent

    def _sent(self, message: Any) -> None:
        if message.get("type") == "Commands":
            identities = [command["identity"][1:] for command in message["commands"]]
            self.watch.note("commands", identities=identities)
            if [self.watch.saga_id, 0] in identities:
                self.watch.at(Point.COMMAND_SENT)

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False) -> Any:  # noqa: FBT001, FBT002
        part = super().recv(flags, copy, track)
        if isinstance(part, zmq.Frame):  # else it is the connection
            self._came(msgpack.unpackb(part.bytes))
        return part

    def _came(self, message: Any) -> None:
        if message.get("type") == "Register":
            self.watch.note("register")
        if message.get("type") == "Reports":
            self.watch.note("reports", types=[each["type"] for each in message["reports"]])
            identities = [each.get("identity") for each in message["reports"]]
            if any(each and each[1] == self.watch.saga_id for each in identities):
                self.watch.at(Point.REPORT_CAME)


def watched_context(watch: Watch) -> zmq.Context[Any]:
    """Give a context whose ROUTER and XPUB sockets are watched."""
    kinds = {
        int(zmq.XPUB): type("Stream", (WatchedStream,), {"watch": watch}),
        int(zmq.ROUTER): type("Link", (WatchedLink,), {"watch": watch}),
    }

    class WatchedContext(zmq.Context[Any]):
        def socket(self, socket_type: int, socket_class: Any = None, **kwargs: Any) -> Any:
            chosen = kinds.get(int(socket_type), socket_class)
            return super().socket(socket_type, cast("Any", chosen), **kwargs)

    return WatchedContext()


def main() -> int:
    parser = ArgumentParser()
    parser.add_argument("--runtime-directory", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--point", type=Point)
    options = parser.parse_args()
    watch = Watch(options.point, options.trace)

    def make_log(settings: LauncherSettings, codec: Codec) -> SagaLog:
        return WatchedLog(open_log(settings, codec), watch)

    settings = LauncherSettings(Endpoints.in_directory(options.runtime_directory), log=options.log)
    return run_launcher(
        settings,
        lambda: print("ready", flush=True),  # noqa: T201 - what the test waits for
        make_log=make_log,
        make_context=lambda: watched_context(watch),
    )


if __name__ == "__main__":
    sys.exit(main())
