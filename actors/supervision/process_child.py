"""The child's side of a supervised process: from its first line to its exit status.

What it says to its parent goes over one socket pair, the life line, as bytes: `READY` once, then a
`BEAT` for each sign of life; or `REFUSED` and a text, when it cannot start.
"""

import os
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from actors.supervision.process_death import die_with_parent, watch_life_line
from actors.supervision.process_spec import Entry

READY = b"R"
REFUSED = b"F"

LONGEST_REFUSAL = 10_000
"""How much of a reason is told; it must fit into the socket, for the parent may be slow to read."""


@dataclass(frozen=True, slots=True)
class ChildStart:
    """What a child is told of itself; it crosses the spawn.

    Attributes:
        entry, refusals, output: see `ProcessSpec`.
        parent: the parent's process id.
        kernel_watches: it is the kernel that ends this process with its parent.
    """

    entry: Entry
    refusals: tuple[type[Exception], ...]
    output: Path | None
    parent: int
    kernel_watches: bool


def child_main(start: ChildStart, link: Connection) -> None:
    """Run a child's entry, and exit with its status."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _redirect(start.output)
    if start.kernel_watches:
        die_with_parent(start.parent)
    else:
        watch_life_line(link.fileno())
    parent = _Link(link)
    try:
        status = start.entry(parent)
    except start.refusals as error:
        if parent.is_ready:
            raise
        parent.refuse(str(error))
        status = 1
    except Exception as error:
        if parent.is_ready:
            raise
        parent.refuse("".join(traceback.format_exception_only(error)).strip())
        raise
    sys.exit(status)


class _Link:
    """A child's end of its socket pair; implements `ParentLink`."""

    def __init__(self, link: Connection) -> None:
        self.is_ready = False
        self.life_line = os.dup(link.fileno())
        self._socket = socket.socket(fileno=os.dup(link.fileno()))
        link.close()

    def ready(self) -> None:
        """Say that this process is ready."""
        if self.is_ready:
            msg = "a process is ready once: ParentLink.ready was called before"
            raise RuntimeError(msg)
        self.is_ready = True
        self._say(READY)

    def refuse(self, reason: str) -> None:
        """Say why this process cannot start."""
        self._say(REFUSED + reason.encode(errors="replace")[:LONGEST_REFUSAL])

    def _say(self, text: bytes) -> None:
        try:
            self._socket.sendall(text)
        except OSError:
            pass  # the parent is gone, which the life line tells
        finally:
            self._socket.close()


def _redirect(output: Path | None) -> None:
    """Send what this process writes to its output; what it reads is nothing."""
    if output is None:
        os.dup2(2, 1)
        return
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(file, standard)
    os.close(file)
