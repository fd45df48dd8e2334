"""The CPU time of each thread of a process, as the kernel counts it.

A profiler of Python sees only Python's threads; ZeroMQ's own do a good part of a launcher's work.
"""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

MAIN = "main"
OTHER_PYTHON = "other Python threads"

_TICKS = os.sysconf("SC_CLK_TCK")


def thread_seconds(pid: int) -> dict[str, float]:
    """Give the CPU seconds of a process so far, by its threads' names, to some hundredths."""
    seconds: dict[str, float] = defaultdict(float)
    directory = Path(f"/proc/{pid}")
    process_name = (directory / "comm").read_text(encoding="utf-8").strip()
    for task in (directory / "task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            text = (task / "stat").read_text(encoding="utf-8")
            before, _, fields = text.rpartition(") ")
            name = before.partition("(")[2]
            if task.name == str(pid):
                name = MAIN
            elif name == process_name:
                name = OTHER_PYTHON
            seconds[name] += _cpu(fields)
    return seconds


def _cpu(fields: str) -> float:
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / _TICKS
