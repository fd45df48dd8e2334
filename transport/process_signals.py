"""What ends a process from outside: SIGTERM, SIGINT and its parent's death, as descriptors.

A poll loop polls `fileno()` beside its sockets; no handler runs code of its own.
"""

import os
import select
import signal
import socket
import stat
import time
from types import TracebackType
from typing import Self

BEAT = b"."
"""What a living loop writes to its parent."""

BEAT_NS = 200_000_000
"""How long after a beat the next one is written, in nanoseconds."""


class StopSignals:
    """Counts requests to stop: the first asks for an orderly stop, the second for one at once.

    Only for the main thread of a process (`signal.set_wakeup_fd` demands that).

    Args:
        life_line: read end of a pipe whose write end only the parent has; when it reads end of
            file, the parent is gone. Where it is one end of a socket pair, `beat` writes to it.
            None for a process that may outlive its parent.

    Attributes:
        count: how many SIGTERM and SIGINT came.
        orphaned: the parent is gone.
    """

    def __init__(self, life_line: int | None = None) -> None:
        self.count = 0
        self.orphaned = False
        self._life_line = life_line
        self._beats = life_line is not None and stat.S_ISSOCK(os.fstat(life_line).st_mode)
        self._next_beat = 0
        if life_line is not None and self._beats:
            os.set_blocking(life_line, False)
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.settimeout(0)

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before = [
            (number, signal.signal(number, lambda *_: None))
            for number in (signal.SIGTERM, signal.SIGINT)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._read.close()
        self._write.close()
        if self._life_line is not None:
            os.close(self._life_line)

    def filenos(self) -> list[int]:
        """Give what to poll for reading."""
        own = [self._read.fileno()]
        return own if self._life_line is None or self.orphaned else [*own, self._life_line]

    def look(self) -> int:
        """Read what came, and give how many requests to stop there were so far."""
        try:
            came = self._read.recv(4096)
        except BlockingIOError:
            came = b""
        self.count += sum(number in (signal.SIGTERM, signal.SIGINT) for number in came)
        if self._life_line is not None and not self.orphaned:
            readable, _, _ = select.select([self._life_line], [], [], 0)
            if readable and os.read(self._life_line, 1) == b"":
                self.orphaned = True
        return self.count

    def beat(self) -> None:
        """Tell the parent that the loop goes round; a loop calls it at least once a second."""
        if not self._beats or self._life_line is None:
            return
        now = time.monotonic_ns()
        if now < self._next_beat:
            return
        self._next_beat = now + BEAT_NS
        try:
            os.write(self._life_line, BEAT)
        except BlockingIOError:
            pass  # the parent is stopped or slow: it has beats enough to read
        except OSError:
            self._beats = False  # it is gone, as `look` will find
