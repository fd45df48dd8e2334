"""Processes that a library starts and detaches: who wanted them ends them. For Linux alone."""

import ctypes
import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36

END_SECONDS = 2.0
"""How long those may take in all that were told to end already; then they are killed."""


def adopt_descendants() -> None:
    """Make this process the parent of every descendant whose own parent has ended.

    Raises:
        OSError: the kernel does not.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def end_descendants(within_seconds: float = END_SECONDS) -> None:
    """Wait until no descendant is left; those that are late are killed, each by its own id."""
    deadline = time.monotonic() + within_seconds
    while children := _children():
        for child in children:
            if not _ended(child, max(0.0, deadline - time.monotonic())):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):  # multiprocessing may have been the first to ask
                os.waitpid(child, 0)


def _children() -> list[int]:
    """Give the ids of this process's children, ended ones that nobody waited for among them."""
    threads = Path("/proc/self/task").iterdir()
    return [int(child) for each in threads for child in (each / "children").read_text().split()]


def _ended(child: int, seconds: float) -> bool:
    """Say whether a child has ended, waiting at most so long for it."""
    descriptor = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    return bool(ready)
