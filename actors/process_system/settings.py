"""What a system of real processes is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.sqlite_saga_log import Durability


@dataclass(frozen=True, slots=True)
class ProcessSystemSettings:
    """A system: a launcher with its log in a file, hosts, observers, and a service if one is due.

    A service runs where an extension exports a `SERVICE` with handlers.

    Attributes:
        hosts: how many; they are `host-1` and so on.
        observers: how many processes observe beside the system's own observer: `observer-1`, ...
        extensions: names of extension modules, which every process can import.
        pool_target: windows that each host keeps ready.
        spawn_time: how long a window takes; see `host_sim.spawn_time.parse_spawn_time`.
        heartbeat: seconds between heartbeats, of every process.
        timeouts: seconds by saga name, where they differ from the saga's own.
        journal_events: how many events the launcher keeps for replay.
        durability: what a commit survives.
        seed: of the hosts' choices; None for chance.
        host_faults: how often each of a host's own faults is to happen, by name; of every host.
        relayed: a relay stands in every link between the launcher and the others.
        restart_pause: how long, in seconds, a killed process is away at most before it is started
            again; from the second time in a row the double, and so on, up to two seconds.
    """

    hosts: int = 2
    observers: int = 0
    extensions: tuple[str, ...] = ()
    pool_target: int = 2
    spawn_time: str = "20ms-60ms"
    heartbeat: float = 0.5
    timeouts: Mapping[str, float] = field(default_factory=dict)
    journal_events: int = 200_000
    durability: Durability = "process"
    seed: int | None = None
    host_faults: Mapping[str, int] = field(default_factory=dict)
    relayed: bool = False
    restart_pause: float = 0.2

    @property
    def host_names(self) -> tuple[str, ...]:
        """The hosts' names."""
        return tuple(f"host-{number}" for number in range(1, self.hosts + 1))

    @property
    def observer_names(self) -> tuple[str, ...]:
        """The observing processes' names."""
        return tuple(f"observer-{number}" for number in range(1, self.observers + 1))
