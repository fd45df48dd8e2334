"""How long hosts took to make windows, by their own record."""

from collections.abc import Iterable
from pathlib import Path

from transport.history import read_history
from transport.history_lines import HostLine

Spawn = tuple[int, int]
"""When a host had the command, and when the window was ready; nanoseconds, monotonic."""


def spawns(histories: Iterable[Path]) -> dict[int, Spawn]:
    """Give each window's making by the saga that it was for.

    Args:
        histories: files of hosts' histories.

    Raises:
        HistoryError: a line is no history line.
    """
    commanded, made = dict[int, int](), dict[int, Spawn]()
    for path in histories:
        for line in read_history(path):
            if not isinstance(line, HostLine) or line.identity is None:
                continue
            saga_id = line.identity.saga_id
            if line.did == "command":
                commanded.setdefault(saga_id, line.at_ns)
            elif line.did == "ready":
                made[saga_id] = (commanded[saga_id], line.at_ns)
    return made
