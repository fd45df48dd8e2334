"""What a launcher's process runs when it is to be profiled."""

import cProfile
import ctypes
import time
from multiprocessing.connection import Connection
from pathlib import Path

from actors.launcher_process import LauncherSettings
from bench.processes import muxsaga_launcher

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = -1
"""See prctl(2): under Yama, only a process's ancestors may look into it unless it says so."""


def sampled_launcher(settings: LauncherSettings, life_line: int, pipe: Connection) -> int:
    """Run a launcher into which another process may look."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    return muxsaga_launcher(settings, life_line, pipe)


def counted_launcher(
    settings: LauncherSettings, life_line: int, pipe: Connection, calls: Path
) -> int:
    """Run a launcher under cProfile, whose statistics, of CPU time, go to the file `calls`."""
    profile = cProfile.Profile(time.thread_time)
    try:
        return profile.runcall(muxsaga_launcher, settings, life_line, pipe)
    finally:
        profile.dump_stats(calls)
