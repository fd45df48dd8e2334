"""One simulated run: promotes are driven, links break, windows close; one seed, one history."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from actors.engine import Engine, EngineSettings
from actors.memory_saga_log import MemorySagaLog
from actors.sagas import PoolRespawnOnPromote, WindowCleanupCascade
from actors.simulation.nodes import HostNode, LauncherNode, ObserverNode
from host_sim.host import Host
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from transport.codec import Codec, encode
from transport.event_stream.items import Batch, Item, Truncated
from transport.event_stream.observer_session import ObserverSession
from transport.history import host_line, lines_of
from transport.history_lines import HistoryLine
from transport.memory_network import MemoryNetwork
from transport.messages import CloseWindow, PromoteWindow, SagaCompleted, SagaFailed, SagaStarted
from transport.virtual_clock import VirtualClock

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
OBSERVER = "observer"


class SimulationStuckError(RuntimeError):
    """A simulated run did not come to its end in bounded virtual time; says what was missing."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """What a run is made of.

    Attributes:
        seed: everything follows from it.
        promotes: how many, over all hosts.
        hosts: how many.
        concurrency: how many promotes at most are open at once.
        pool_target: of every host.
        spawn_time: as `host_sim.spawn_time` reads it.
        link_breaks: how many times the link of some host breaks.
    """

    seed: int
    promotes: int = 50
    hosts: int = 2
    concurrency: int = 4
    pool_target: int = 3
    spawn_time: str = "normal:200ms,30ms"
    link_breaks: int = 2


def simulate(settings: SimulationSettings) -> list[HistoryLine]:
    """Run a whole system to its end, and give its history.

    Raises:
        SimulationStuckError: it did not come to its end.
    """
    return World(settings).run()


class World:
    """Launcher, hosts and one observer, on the memory network."""

    def __init__(self, settings: SimulationSettings) -> None:
        self._settings = settings
        generator = Random(settings.seed)  # noqa: S311 - a seed is the point
        self._generator = generator
        self._clock = VirtualClock()
        self._network = MemoryNetwork(
            self._clock, lambda: generator.randrange(50_000, 5 * MILLISECOND)
        )
        self.history: list[HistoryLine] = []
        log = MemorySagaLog(_random_id(generator))
        engine = Engine(
            EngineSettings(),
            contents=log.load(),
            epoch=_random_id(generator),
            now=0,
            choose=generator.randrange,
        )
        self.launcher = LauncherNode(self._network, engine, log, generator)
        self.hosts = [self._host(f"host-{number}") for number in range(1, settings.hosts + 1)]
        session = ObserverSession(Codec())
        self._observer = ObserverNode(self._network, OBSERVER, session, self.launcher, self._take)
        self._open: dict[int, str] = {}
        self._ended: Counter[str] = Counter()

    def _host(self, name: str) -> HostNode:
        settings = HostSettings(
            host=name,
            pool_target=self._settings.pool_target,
            spawn_time=parse_spawn_time(self._settings.spawn_time),
        )
        host = Host(
            settings,
            epoch=_random_id(self._generator),
            generator=Random(self._generator.getrandbits(64)),  # noqa: S311 - seeded
            codec=Codec(),
            record=self._record,
        )
        return HostNode(self._network, name, host, self.launcher)

    def _record(self, raw: dict[str, Any]) -> None:
        self.history.append(host_line(raw))

    def _take(self, item: Item) -> None:
        if isinstance(item, Batch | Truncated):
            self.history.extend(lines_of(item, OBSERVER))
        if not isinstance(item, Batch):
            return
        for event in item.events:
            match event:
                case SagaStarted(saga_id=int(saga_id), name=name):
                    self._open[saga_id] = name
                case SagaCompleted(saga_id=int(saga_id)) | SagaFailed(saga_id=int(saga_id)):
                    self._ended[self._open.pop(saga_id)] += 1
                case _:
                    pass

    # --- the run ------------------------------------------------------------------------------

    def run(self) -> list[HistoryLine]:
        """Drive everything to its end."""
        self.start()
        self._plan_link_breaks()
        self._promote_all()
        self.wait(self._promotes_ended, "brackets and pools")
        closed = self._close_all()
        self.wait(lambda: self._ended[WindowCleanupCascade.name] == closed, "clean-ups")
        self.launcher.engine.stop(self._clock.now)
        self.launcher.wake_at(self._clock.now)
        self.wait(lambda: self.launcher.engine.finished, "the launcher to finish")
        return self.history

    def start(self) -> None:
        """Let everything connect, and every pool become full."""
        self.launcher.wake_at(0)
        self._observer.run()
        for host in self.hosts:
            host.connect()
        self.wait(self.pools_full, "pools to be full")

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Let time pass until something holds.

        Raises:
            SimulationStuckError: it does not hold within two virtual minutes.
        """
        if not self._network.run(until, self._clock.now + 120 * SECOND):
            msg = f"seed {self._settings.seed}: waited 120 virtual seconds for {what}"
            raise SimulationStuckError(msg)

    def _promote_all(self) -> None:
        for number in range(1, self._settings.promotes + 1):
            self.wait(self._may_promote, "a slot")
            host = self._generator.choice(self._ready_hosts())
            host.control(encode(PromoteWindow(number=number)))
            self._pause()

    def _pause(self) -> None:
        time = self._clock.now + self._generator.randrange(100 * MILLISECOND)
        self._network.run(lambda: self._clock.now >= time, time)

    def _plan_link_breaks(self) -> None:
        for _ in range(self._settings.link_breaks):
            host = self._generator.choice(self.hosts)
            time = self._clock.now + self._generator.randrange(2 * SECOND)
            self._network.at(time, host.connect)

    def _close_all(self) -> int:
        """Close every window, and say how many there were."""
        number = self._settings.promotes
        for host in self.hosts:
            for label in host.host.state()["open"]:
                number += 1
                host.control(encode(CloseWindow(number=number, label=label)))
                self._pause()
        return number - self._settings.promotes

    # --- what is so ---------------------------------------------------------------------------

    def _may_promote(self) -> bool:
        return len(self._open) < self._settings.concurrency and bool(self._ready_hosts())

    def _ready_hosts(self) -> list[HostNode]:
        return [host for host in self.hosts if self._takes_promotes(host)]

    def _takes_promotes(self, host: HostNode) -> bool:
        state = host.host.state()
        return bool(state["registered"] and state["pool"])

    def pools_full(self) -> bool:
        """Say whether the launcher sees every pool at its target."""
        hosts = self.launcher.engine.state.mirror.hosts
        return len(hosts) == len(self.hosts) and all(
            len(host.pool) >= host.pool_target for host in hosts.values()
        )

    def _promotes_ended(self) -> bool:
        ended = self._ended[PoolRespawnOnPromote.name]
        return ended == self._settings.promotes and not self._open and self.pools_full()


def _random_id(generator: Random) -> str:
    return f"{generator.getrandbits(128):032x}"


def json_lines(lines: list[HistoryLine]) -> Iterator[bytes]:
    """Give a history as the bytes that a history file has."""
    for line in lines:
        yield msgspec.json.encode(line) + b"\n"
