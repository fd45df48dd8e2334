"""What other processes use: CPU time to the nanosecond, and resident memory."""

import resource
import time
from collections.abc import Mapping
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of a process and all its threads so far.

    Raises:
        OSError: there is no such process.
    """
    # The id of a process's CPU clock, as clock_getcpuclockid(3) gives it.
    clock = (~pid << 3) | 2
    return time.clock_gettime(clock)


def resident_bytes(pid: int) -> int:
    """Give the resident memory of a process.

    Raises:
        OSError: there is no such process.
    """
    statm = Path(f"/proc/{pid}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * resource.getpagesize()


class UsageMeter:
    """Measures what named processes use from `begin` to `end`.

    Args:
        pids: by name.

    Attributes:
        cpu_s: CPU seconds by name.
        rss_bytes: resident memory at the end, by name.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.cpu_s: dict[str, float] = {}
        self.rss_bytes: dict[str, int] = {}
        self._pids = pids
        self._before: dict[str, float] | None = None

    def look(self, *, measuring: bool, measured: bool) -> None:
        """Hear how far a run is: it begins, and ends, when that is first said."""
        if self._before is None and measuring:
            self._before = self._cpu()
        if self._before is not None and measured and not self.cpu_s:
            after, before = self._cpu(), self._before
            self.cpu_s = {name: after[name] - before[name] for name in after}
            self.rss_bytes = {name: resident_bytes(pid) for name, pid in self._pids.items()}

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}
