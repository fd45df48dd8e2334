"""Nothing outlives its supervisor: a child ends when its parent does, even by `kill -9`.

Three things see to it, since each alone has a hole:

* the life line, a socket pair of which only the parent has the other end, reads end of file: the
  child's own loop ends on it. A loop that hangs does not look.
* the kernel kills the child (`PR_SET_PDEATHSIG`), even a stopped one. But it does so when the
  *thread* ends that started the child, so it is asked to only where that was the parent's main
  thread, and only Linux knows it.
* a thread in the child, where the kernel is not asked to.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1

LAST_SECOND = 1.0
"""How long a child's own loop may take to end once the parent is gone, in seconds."""


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; Linux alone can.

    Args:
        parent: the parent's process id; if it is gone already, this process ends here.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def watch_life_line(life_line: int) -> None:
    """Have a thread kill this process a second after the life line's other end is closed."""
    threading.Thread(
        target=_end_with, args=(os.dup(life_line),), name="life line", daemon=True
    ).start()


def kernel_can_watch() -> bool:
    """Whether a child of this thread can be left to `die_with_parent`."""
    return sys.platform == "linux" and threading.current_thread() is threading.main_thread()


def kill_group(leader: int) -> None:
    """Kill a process group: what a child has started itself does not outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _end_with(life_line: int) -> None:
    poll = select.poll()
    poll.register(life_line, 0)  # a hang-up is told without being asked for
    poll.poll()
    time.sleep(LAST_SECOND)
    os.kill(os.getpid(), signal.SIGKILL)
