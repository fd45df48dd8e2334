"""Whether a system has nothing left to do, by the word of everybody in it."""

from pathlib import Path

import msgspec

from actors.process_system.place import SystemPlace
from actors.process_system.settings import ProcessSystemSettings
from actors.process_system.system_loop import SystemLoop
from actors.sqlite_checked_rows import log_row
from actors.sqlite_read_only import LogUnreadableError, reading

AT_WORK = ("held", "creating", "opening", "closing", "reaping")
"""What a host has in hand, in its answer to `InspectHost`."""

TAIL_BYTES = 65536
"""The last line of what an observer recorded is looked for in so much of its end."""


class QuietWatch:
    """Compares what everybody says. It belongs to one thread.

    Args:
        settings: what the system is made of.
        place: where it is.
        loop: everything that is open in it.
    """

    def __init__(
        self, settings: ProcessSystemSettings, place: SystemPlace, loop: SystemLoop
    ) -> None:
        self._place = place
        self._processes = loop.processes
        self._observer = loop.observer
        self._states = loop.states
        self._hosts = settings.host_names
        self._observers = settings.observer_names

    def look(self) -> bool:
        """Say whether nothing is left to do, as far as it is known; ask for what is not."""
        if not self._processes.all_ready or self._observer.open_sagas or not self._pools_whole():
            return False
        if all(self._agrees(host) for host in self._hosts) and self._all_was_told():
            return True
        self._states.ask(self._hosts)
        return False

    def _pools_whole(self) -> bool:
        known = self._observer.mirror.hosts
        return all(
            host in known and known[host].live and len(known[host].pool) >= known[host].target
            for host in self._hosts
        )

    def _agrees(self, host: str) -> bool:
        """Say whether a host has just what observers are told of it, and nothing in hand."""
        state = self._states.state_of(host)
        if state is None:
            return False
        told = self._observer.mirror.hosts[host]
        has = (state["epoch"], state["drained"], set(state["pool"]), set(state["open"]))
        if has != (told.epoch, told.drained, set(told.pool), set(told.opened)):
            return False
        return bool(state["registered"]) and not any(state[each] for each in AT_WORK)

    def _all_was_told(self) -> bool:
        version = self._observer.version
        try:
            with reading(self._place.log) as db:
                if log_row(db).version != version:
                    return False
        except LogUnreadableError:
            return False
        return all(self._last_version_of(name) == version for name in self._observers)

    def _last_version_of(self, name: str) -> int:
        path = self._place.recorded(f"{name}.{self._processes.pid(name)}")
        return last_version(path) if path.exists() else 0


def last_version(path: Path) -> int:
    """Give the version of the last event of an observer's own history file; 0 for none."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        *_, last, _ = (b"", *file.read().split(b"\n"))
    line = msgspec.json.decode(last) if last.startswith(b"{") else {}
    if line.get("kind") == "event":
        return int(line["event"]["version"])
    return int(line.get("before", 1)) - 1
