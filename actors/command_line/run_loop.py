"""The one poll loop of a run: event stream, control sockets, children, signals."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import zmq

from actors.command_line.command_error import CommandError
from actors.command_line.live_view import RunView
from actors.command_line.progress import ClosedBracket, Progress
from actors.command_line.promote_driver import PromoteDriver, Stage
from actors.command_line.run_children import InterruptedRunError, RunChildren
from transport.codec import decode, encode, family
from transport.event_stream import Batch, Item, NewHistory, Truncated
from transport.frame_fault import FrameError
from transport.message_types import USER_ANSWERS
from transport.process_signals import StopSignals
from transport.zeromq.observer import Observer
from transport.zeromq.sockets import ZmqSocket

LONGEST_POLL_NS = 100_000_000
"""The loop goes round at least this often, so that the view lives."""

LAST_BLOBS_SECONDS = 0.1
"""How long the stream of an ended launcher must be silent to be taken as read."""

ANSWERS = family(USER_ANSWERS)


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run's loop works with; all of it belongs to one thread.

    Attributes:
        controls: a socket to every host's control socket.
        record: takes what the observer was handed, for the history.
    """

    driver: PromoteDriver
    progress: Progress
    view: RunView
    observer: Observer
    controls: Mapping[str, ZmqSocket]
    children: RunChildren
    signals: StopSignals
    record: Callable[[Batch | Truncated], None]


class RunLoop:
    """Carries messages between a driver and the processes.

    Args:
        parts: see `RunParts`.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self._unsent: dict[str, deque[bytes]] = {host: deque() for host in parts.controls}
        self._poller = zmq.Poller()
        sources: list[Any] = [*parts.observer.sockets, *parts.controls.values()]
        for source in (*sources, *parts.signals.filenos(), parts.children.fileno()):
            self._poller.register(source, zmq.POLLIN)

    def drive(self, timeout: float) -> None:
        """Go round until the run is finished.

        Raises:
            InterruptedRunError: the user asked to stop.
            CommandError: a child ended, the history has a hole, or the time is over.
        """
        driver, deadline = self._parts.driver, time.monotonic_ns() + round(timeout * 1e9)
        while True:
            for request in driver.requests(time.monotonic_ns()):
                self._unsent[request.host].append(encode(request.message))
            self._send()
            if driver.stage is Stage.FINISHED:
                self._show([])
                return
            if time.monotonic_ns() >= deadline:
                msg = (
                    f"not finished in {timeout:g} s: still {driver.stage.value}, "
                    f"{driver.settled} promotes are settled; allow more with --timeout"
                )
                raise CommandError(msg)
            self._step(deadline, strict=True)
            if self._parts.signals.look():
                raise InterruptedRunError
            self._parts.children.check()

    def end(self) -> None:
        """Tell the processes to stop, the launcher first, and take what it still publishes.

        When the launcher's time is over, or at the user's second request, it returns all the same.
        """
        parts = self._parts
        parts.children.stop()
        while not parts.children.launcher_ended:
            self._step(None, strict=False)
            parts.children.look()
            if parts.signals.look() > 1:
                return
        while items := self._parts.observer.poll(LAST_BLOBS_SECONDS):
            self._take(items, strict=False)

    def _step(self, deadline: int | None, *, strict: bool) -> None:
        """Wait for what happens next, and take it; `strict`: a hole in the history is an error."""
        driver, now = self._parts.driver, time.monotonic_ns()
        dues = (deadline, driver.next_due, now + LONGEST_POLL_NS)
        until = min(due for due in dues if due is not None)
        ready = dict(self._poller.poll(max(0, -(-(until - now) // 1_000_000))))
        for host, socket in self._parts.controls.items():
            if socket in ready:
                self._read_answers(host, socket)
        self._take(self._parts.observer.poll(0), strict=strict)

    def _take(self, items: list[Item], *, strict: bool) -> None:
        closed: list[ClosedBracket] = []
        for item in items:
            match item:
                case Batch(events=events, at_ns=at_ns):
                    self._parts.record(item)
                    self._parts.driver.observed(events)
                    closed.extend(self._parts.progress.observed(events, at_ns))
                case Truncated(before=before):
                    self._parts.record(item)
                    if strict:
                        msg = f"the run's observer fell behind: no event before {before} is left"
                        raise CommandError(msg)
                case NewHistory(log=log) if strict:
                    msg = f"the launcher began a new history, log {log}, while the run was on"
                    raise CommandError(msg)
                case _:
                    pass
        self._show(closed)

    def _show(self, closed: list[ClosedBracket]) -> None:
        self._parts.view.show(closed, time.monotonic_ns())

    def _send(self) -> None:
        for host, frames in self._unsent.items():
            while frames:
                try:
                    self._parts.controls[host].send(frames[0], zmq.NOBLOCK)
                except zmq.Again:
                    break
                frames.popleft()

    def _read_answers(self, host: str, socket: ZmqSocket) -> None:
        while True:
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            for frame in frames:
                try:
                    self._parts.driver.answered(host, decode(frame, ANSWERS))
                except FrameError as error:
                    self._parts.driver.refused.append(f"{host}: unreadable answer: {error}")
