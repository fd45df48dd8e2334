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

    def unrest(self) -> str | None:
        """Say what is left to do, as far as it is known, and ask for what is not; None: nothing."""
        if not self._processes.all_ready:
            return f"not every process is ready: {self._processes.describe()}"
        if self._observer.open_sagas:
            return f"open brackets: {', '.join(map(str, self._observer.open_sagas))}"
        for host in self._hosts:
            short = self._short(host)
            if short is not None:
                return short
        for host in self._hosts:
            difference = self._difference(host)
            if difference is not None:
                self._states.ask(self._hosts)
                return difference
        return self._untold()

    def _short(self, host: str) -> str | None:
        told = self._observer.mirror.hosts.get(host)
        if told is None or not told.live:
            return f"{host} is not registered"
        if len(told.pool) < told.target:
            return f"the pool of {host} has {len(told.pool)} windows, its target is {told.target}"
        return None

    def _difference(self, host: str) -> str | None:
        """Say what a host has, or has in hand, that observers are not told of."""
        state = self._states.state_of(host)
        if state is None:
            return f"{host} does not say what it has"
        told = self._observer.mirror.hosts[host]
        if state["epoch"] != told.epoch or not state["registered"]:
            return f"{host} is not registered in its present life"
        work = {each: state[each] for each in AT_WORK if state[each]}
        if work:
            return f"{host} has work in hand: {work}"
        has = (state["drained"], set(state["pool"]), set(state["open"]))
        if has != (told.drained, set(told.pool), set(told.opened)):
            return f"{host} has {has}, told is {(told.drained, [*told.pool], [*told.opened])}"
        return None

    def _untold(self) -> str | None:
        version = self._observer.version
        try:
            with reading(self._place.log) as db:
                last = log_row(db).version
        except LogUnreadableError as error:
            return str(error)
        behind = {name: self._last_version_of(name) for name in self._observers}
        for name, seen in {"the system's observer": version, **behind}.items():
            if seen != last:
                return f"{name} is at version {seen}, the log at {last}"
        return None

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
