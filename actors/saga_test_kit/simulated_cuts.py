"""The links of a simulated world that a test cut."""

from actors.saga_test_kit.system import PARTITIONS, Way
from actors.simulation.world import World
from transport.history_lines import FaultLine, HostLine


class Cuts:
    """Cuts the links of hosts and services, and heals them.

    Args:
        world: whose links they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._ways: dict[str, list[Way]] = {}
        self._since: dict[str, int] = {}

    def begin(self, name: str, way: Way) -> None:
        """Let nothing through on a link."""
        self._ways.setdefault(name, []).append(way)
        self._since.setdefault(name, len(self._world.history))
        self._hold(name, way, held=True)
        now = self._world.clock.now
        self._world.chronicle.note_fault(FaultLine(now, PARTITIONS[way], name, "began"))

    def end(self, name: str) -> None:
        """Let a link be as it should; one that was not cut is so."""
        self._since.pop(name, None)
        for way in self._ways.pop(name, []):
            self._hold(name, way, held=False)
            now = self._world.clock.now
            self._world.chronicle.note_fault(FaultLine(now, PARTITIONS[way], name, "ended"))
        launcher = self._world.launcher
        for node in (*self._world.peers, *([] if launcher is None else [launcher])):
            node.wake()

    def reported(self, name: str) -> bool:
        """Say whether a host or service made a report since its link was cut.

        Raises:
            ValueError: it is not cut.
        """
        since = self._since.get(name)
        if since is None:
            msg = f"the link of {name} is not cut: nothing that it sends is held"
            raise ValueError(msg)
        return any(
            isinstance(line, HostLine) and line.host == name and line.did == "report"
            for line in self._world.history[since:]
        )

    def _hold(self, name: str, way: Way, *, held: bool) -> None:
        links = self._world.links[name]
        if way in {"both", "up"}:
            links.up.held = held
        if way in {"both", "down"}:
            links.down.held = held
