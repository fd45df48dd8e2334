"""A whole system in one thread, under virtual time: processes that die and come back.

The world starts and ends processes, and records what happens; it decides nothing. Faults are
`actors.simulation.injector`'s business, user actions `actors.simulation.workload`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec

from actors.engine import Engine, EngineSettings
from actors.injected_crash import InjectedCrashError
from actors.intake import ReportKey
from actors.saga import Saga
from actors.saga_actor import Turn
from actors.simulation.chronicle import Chronicle
from actors.simulation.fault_plan import LAUNCHER
from actors.simulation.host_node import HostNode
from actors.simulation.launcher_node import LauncherHooks, LauncherNode
from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Laziness
from actors.simulation.observer_node import ObserverNode
from actors.simulation.peer_node import PeerNode
from actors.simulation.profile import Profile
from actors.simulation.simulated_saga_log import SimulatedSagaLog
from actors.simulation.sizes import draw_sizes
from actors.simulation.sockets import LinkFaults, Sockets
from actors.simulation.step_watch import StepWatch
from actors.simulation.unrest import (
    host_unrest,
    launcher_unrest,
    observer_unrest,
    service_unrest,
)
from actors.simulation.world_extensions import load_extensions
from host_sim.host import Host
from host_sim.service import Service, ServiceSettings
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from transport.event_stream.observer_session import ObserverSession
from transport.history_lines import (
    HistoryLine,
    HostEndLine,
    TimeoutsLine,
)
from transport.memory_network import MemoryNetwork
from transport.virtual_clock import VirtualClock

SECOND = 1_000_000_000
ENGINE_BUDGET = 3
WALL_AT_START = 1_700_000_000 * SECOND
SUPERVISOR_PAUSE = 500_000_000
"""After how many nanoseconds a process that ended by itself is started again."""

SERVICE = "service"
"""The one service, which has the handlers of every extension."""

LOOK = 50_000_000
"""How often the world looks whether something holds, in nanoseconds."""


class SimulationStuckError(RuntimeError):
    """Something did not happen in bounded virtual time; says what."""


class World:
    """Launcher, hosts, observers, and a service if an extension has one.

    Args:
        seed: all that chance decides follows from it.
        profile: how large and how hostile the world is.
        extensions: names of extension modules, which every process loads.

    Raises:
        ValueError: an extension cannot be used; names it.

    Attributes:
        chronicle: writes down what happens.
        history, complaints, promoted: what it has; see `Chronicle`.
        saga_crashes: how many of the next turns of sagas are to crash.
        replaced_hosts: the lives of hosts that go on though another one was started.
        wall_step: what was added to the launcher's wall clock, in nanoseconds.
        sizes: how much fits into blobs, pages, parts and buffers.
        watch: is told of every step; to be set before the world is started.
    """

    def __init__(self, seed: int, profile: Profile, extensions: Sequence[str] = ()) -> None:
        self.profile = profile
        self.extensions = load_extensions(extensions)
        self.saga_crashes = 0
        self.wall_step = 0
        self.watch = StepWatch()
        self.extra_delay = 0
        self._seed = seed
        self._ids = self.generator("ids")
        self.scheduling = self.generator("scheduling")
        self.sizes = draw_sizes(self.generator("sizes"), profile.loop.tiny_sizes)
        self._laziness = Laziness(profile.loop.late_round, self.scheduling)
        self.clock = VirtualClock()
        self.chronicle = Chronicle(self.clock)
        self.history = self.chronicle.lines
        self.complaints = self.chronicle.complaints
        self.promoted = self.chronicle.promoted
        self.network = MemoryNetwork(self.clock, self._delay_by(self.generator("network")))
        self.sockets = Sockets(self.network, self.generator("reconnects"))
        self.log = SimulatedSagaLog(
            self._random_id(), profile.system.journal_events, self.extensions.codec
        )
        self.launcher: LauncherNode | None = None
        self.host_names = [f"host-{number}" for number in range(1, profile.system.hosts + 1)]
        self.observer_names = [
            f"observer-{number}" for number in range(1, profile.system.observers + 1)
        ]
        self.service_names = [SERVICE] if self.extensions.service.handlers else []
        self.live_hosts: dict[str, HostNode] = {}
        self.replaced_hosts: list[HostNode] = []
        self.live_services: dict[str, PeerNode] = {}
        self.observers: dict[str, ObserverNode] = {}
        self.links: dict[str, LinkFaults] = {}
        self._sessions: dict[str, ObserverSession] = {}
        self._clocks: dict[str, MachineClock] = {}
        self._published = 0

    def generator(self, purpose: str) -> Random:
        """Give the generator for one purpose: what others draw changes nothing of it."""
        return Random(f"{self._seed} {purpose}")  # noqa: S311 - a seed is the point

    def _delay_by(self, generator: Random) -> Callable[[], int]:
        distribution = parse_spawn_time(self.profile.delay)
        return lambda: distribution.draw(generator) + self.extra_delay

    def _random_id(self) -> str:
        return f"{self._ids.getrandbits(128):032x}"

    # --- processes ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start every process, and let every pool become full."""
        self.history.append(TimeoutsLine(0, self.extensions.timeouts))
        for name in self.host_names:
            self.start_host(name)
        for name in self.service_names:
            self.start_service(name)
        self.start_launcher()
        for name in self.observer_names:
            self.start_observer(name)
        self.wait(self.pools_full, "pools to be full")

    def start_launcher(self) -> None:
        """Start the launcher from what the log has; nothing happens while one lives."""
        if self.launcher is not None:
            return
        clock, epoch = self._clock_of(LAUNCHER), self._random_id()
        wall_offset = WALL_AT_START + self.wall_step
        settings = EngineSettings(
            extensions=self.extensions.launcher,
            before_saga_turn=self._before_saga_turn,
            blob_limit=self.sizes.blob_limit,
        )

        def make(poisonous: frozenset[ReportKey]) -> Engine:
            return Engine(
                settings,
                contents=self.log.load(),
                epoch=epoch,
                now=clock.shown(self.clock.now),
                wall_offset=wall_offset,
                choose=self.scheduling.randrange,
                poisonous=poisonous,
            )

        self.launcher = LauncherNode(
            sockets=self.sockets,
            clock=clock,
            make=make,
            budget=ENGINE_BUDGET,
            log=self.log,
            generator=self.scheduling,
            laziness=self._laziness,
            short_pass=self.profile.loop.short_pass,
            pages=self.sizes.pages,
            hooks=LauncherHooks(
                self.chronicle.note_outage, self._launcher_ended, self.chronicle.engine_crashed
            ),
        )
        self.launcher.doom.watch = self.watch.launcher_moment
        version = self.launcher.engine.state.version
        if version < self._published:
            self.complaints.append(
                f"version {self._published} was published, and the log has less: {version}"
            )
        self.chronicle.note_process(LAUNCHER, "started")

    def kill_launcher(self, did: str = "killed") -> None:
        """Let the launcher's process be gone at once."""
        launcher, self.launcher = self.launcher, None
        if launcher is None:
            return
        self._published = max(self._published, launcher.published)
        launcher.die()
        if launcher.outage is not None:
            self.chronicle.note_outage("")
        self.chronicle.note_process(LAUNCHER, did)
        for peer in self.peers:
            peer.launcher_died()
        for observer in self.observers.values():
            observer.launcher_died()

    def start_host(self, name: str) -> None:
        """Start a host as a new epoch; nothing happens while one of that name lives."""
        if name in self.live_hosts:
            return
        system = self.profile.system
        settings = HostSettings(
            host=name,
            pool_target=system.pool_target,
            spawn_time=parse_spawn_time(system.spawn_time),
            part_limit=self.sizes.part_limit,
        )
        host = Host(
            settings,
            epoch=self._random_id(),
            generator=Random(self._ids.getrandbits(64)),  # noqa: S311 - seeded
            codec=self.extensions.codec,
            record=self._record,
            extension=self.extensions.host,
        )
        node = self.live_hosts[name] = HostNode(
            sockets=self.sockets,
            name=name,
            clock=self._clock_of(name),
            host=host,
            generator=self.scheduling,
            laziness=self._laziness,
            faults=self.links.setdefault(name, LinkFaults()),
            ended=lambda did: self._host_ended(node, did),
        )
        self.chronicle.note_process(name, "started")

    def replace_host(self, name: str) -> HostNode:
        """Start a host anew though it lives, as who takes it for dead does; give the earlier."""
        earlier = self.live_hosts.pop(name)
        self.replaced_hosts.append(earlier)
        self.start_host(name)
        return earlier

    def _host_ended(self, node: HostNode, did: str) -> None:
        if node in self.replaced_hosts:
            self.replaced_hosts.remove(node)
            node.die(late=_lateness(did))
        else:
            self.kill_host(node.name, did, _lateness(did))

    def kill_host(self, name: str, did: str = "killed", late: int | None = None) -> None:
        """Let a host's process be gone at once; see `Dealer.close` for `late`."""
        self._end_peer(self.live_hosts.pop(name, None), did, late)

    def start_service(self, name: str) -> None:
        """Start a service as a new epoch; nothing happens while one of that name lives."""
        if name in self.live_services:
            return
        service = Service(
            ServiceSettings(name),
            epoch=self._random_id(),
            codec=self.extensions.codec,
            extension=self.extensions.service,
            record=self._record,
        )
        self.live_services[name] = PeerNode(
            sockets=self.sockets,
            name=name,
            clock=self._clock_of(name),
            core=service,
            generator=self.scheduling,
            laziness=self._laziness,
            faults=self.links.setdefault(name, LinkFaults()),
            ended=lambda did: self.kill_service(name, did, _lateness(did)),
        )
        self.chronicle.note_process(name, "started")

    def kill_service(self, name: str, did: str = "killed", late: int | None = None) -> None:
        """Let a service's process be gone at once; see `Dealer.close` for `late`."""
        self._end_peer(self.live_services.pop(name, None), did, late)

    def _end_peer(self, node: PeerNode | None, did: str, late: int | None) -> None:
        if node is not None:
            node.die(late=late)
            self.chronicle.note_process(node.name, did)

    def start_observer(self, name: str) -> None:
        """Start an observer: anew, or where one of its name was killed."""
        if name in self.observers:
            return
        before = self._sessions.get(name)
        first = 1 if before is None else before.next_version or 1
        session = ObserverSession(
            self.extensions.codec,
            first=first,
            log=None if before is None else before.log,
            held_bytes=self.sizes.held_bytes,
        )
        self._sessions[name] = session
        clock = self._clock_of(name)
        self.observers[name] = ObserverNode(
            sockets=self.sockets,
            name=name,
            clock=clock,
            session=session,
            launcher=lambda: self.launcher,
            take=lambda item: self.chronicle.note_told(name, clock, item),
            laziness=self._laziness,
            faults=self.links.setdefault(name, LinkFaults()),
        )
        self.chronicle.note_process(name, "started")

    def kill_observer(self, name: str) -> None:
        """Let an observer's process be gone at once."""
        node = self.observers.pop(name, None)
        if node is not None:
            node.die()
            self.chronicle.note_process(name, "killed")

    def _clock_of(self, name: str) -> MachineClock:
        clock = self._clocks.get(name)
        if clock is None:
            drift = self.profile.system.clock_drift
            generator = self.generator(f"clock of {name}")
            offset = generator.randrange(1000 * SECOND)
            clock = self._clocks[name] = MachineClock(offset, generator.randint(-drift, drift))
        return clock

    # --- what processes tell ------------------------------------------------------------------

    def _before_saga_turn(self, saga: Saga, turn: Turn) -> None:
        self.watch.saga_turn(saga, turn)
        if self.saga_crashes > 0:
            self.saga_crashes -= 1
            msg = "a crash that was asked for"
            raise InjectedCrashError(msg)

    def _launcher_ended(self, did: str) -> None:
        self.kill_launcher(did)
        if did == "ended":
            self.network.at(self.clock.now + SUPERVISOR_PAUSE, self.start_launcher)

    def _record(self, raw: dict[str, Any]) -> None:
        self.watch.peer_step(self.chronicle.note_peer(raw))

    # --- time ---------------------------------------------------------------------------------

    def pass_time(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.network.run(lambda: False, self.clock.now + nanoseconds)

    def holds_within(self, holds: Callable[[], bool], nanoseconds: int) -> bool:
        """Let time pass until something holds; say whether it did within so many nanoseconds."""
        deadline = self.clock.now + nanoseconds
        while not holds():
            if self.clock.now >= deadline:
                return False
            self.pass_time(LOOK)
        return True

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Let time pass until something holds.

        Raises:
            SimulationStuckError: it does not hold within two virtual minutes.
        """
        if not self.holds_within(until, 120 * SECOND):
            msg = f"seed {self._seed}: waited 120 virtual seconds for {what}"
            raise SimulationStuckError(msg)

    # --- what is so ---------------------------------------------------------------------------

    @property
    def hosts(self) -> list[HostNode]:
        """The hosts that live, in the order of their names."""
        return [self.live_hosts[name] for name in self.host_names if name in self.live_hosts]

    @property
    def peers(self) -> list[PeerNode]:
        """The hosts and services that live, also those that were replaced."""
        return [*self.hosts, *self.replaced_hosts, *self.live_services.values()]

    def pools_full(self) -> bool:
        """Say whether the launcher sees every pool at its target."""
        if self.launcher is None:
            return False
        hosts = self.launcher.engine.state.mirror.hosts
        return len(hosts) == len(self.host_names) and all(
            host.live and len(host.pool) >= host.target for host in hosts.values()
        )

    def unrest(self) -> str | None:
        """Say what is not yet as it should be where nothing goes on any more; None if all is."""
        launcher = self.launcher
        if launcher is None:
            return "the launcher does not go on"
        state = launcher.engine.state
        mirrors = state.mirror.hosts
        found = [
            launcher_unrest(launcher),
            *(f"an earlier life of {node.name} goes on" for node in self.replaced_hosts),
            *(
                host_unrest(name, self.live_hosts.get(name), mirrors.get(name))
                for name in self.host_names
            ),
            *(service_unrest(name, self.live_services.get(name)) for name in self.service_names),
            *(
                observer_unrest(name, self.observers.get(name), state.version)
                for name in self.observer_names
            ),
        ]
        return next((each for each in found if each is not None), None)

    def end_lines(self) -> list[HistoryLine]:
        """Give what hosts and log have at the end."""
        now = self.clock.now
        hosts: list[HistoryLine] = []
        for node in self.hosts:
            own = node.host.state()
            pool, opened = tuple(own["pool"]), tuple(own["open"])
            target, drained = own["pool_target"], own["drained"]
            hosts.append(HostEndLine(now, node.name, own["epoch"], pool, opened, target, drained))
        return [*hosts, *self.log.lines(now)]


def _lateness(did: str) -> int | None:
    """Give by how much what an ended process sent last is late; None if it is lost."""
    return 0 if did == "ended" else None


def json_lines(lines: list[HistoryLine]) -> Iterator[bytes]:
    """Give a history as the bytes that a history file has."""
    for line in lines:
        yield msgspec.json.encode(line) + b"\n"
