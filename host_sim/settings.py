"""What a host is told when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from host_sim.spawn_time import DEFAULT_SPAWN_TIME, SpawnTime, parse_spawn_time
from transport.host_session import HELD_LIMIT, WINDOWS_IN_PART

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HostSettings:
    """A host's settings; times are nanoseconds.

    Attributes:
        host: its id.
        pool_target: how many ready windows it wants.
        spawn_time: how long a window takes to be made.
        creation_timeout: after which a window that is not ready is given up.
        pane_reap_time: how long it takes to reap a window's panes.
        heartbeat: see `HostSession`.
        held_limit, part_limit: see `HostSession`.
        opening_limit: how many windows may be opening cold at once.
        faults: how often each fault is to happen, by name.
    """

    host: str
    pool_target: int = 2
    spawn_time: SpawnTime = field(default_factory=lambda: parse_spawn_time(DEFAULT_SPAWN_TIME))
    creation_timeout: int = 3 * SECOND
    pane_reap_time: int = 0
    heartbeat: int = SECOND
    held_limit: int = HELD_LIMIT
    part_limit: int = WINDOWS_IN_PART
    opening_limit: int = 64
    faults: Mapping[str, int] = field(default_factory=dict)
