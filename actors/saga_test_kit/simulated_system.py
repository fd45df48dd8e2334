"""A simulated system for tests: whole, in this thread, under virtual time, from a seed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

from msgspec.structs import replace

from actors.saga_rules import rules_of
from actors.saga_test_kit.simulated_cuts import Cuts
from actors.saga_test_kit.system import LINK_BREAK, RefusedError, System, Way
from actors.saga_test_kit.verdict import Verdict, judged
from actors.simulation.fault_plan import LAUNCHER
from actors.simulation.node import Node
from actors.simulation.peer_node import PeerNode
from actors.simulation.profile import Profile, read_profile
from actors.simulation.step_watch import StepWatch
from actors.simulation.unrest import observer_unrest, service_unrest
from actors.simulation.world import SECOND, SUPERVISOR_PAUSE, World
from host_sim.faults import Fault
from transport.checker import Ending
from transport.codec import decode, encode, family
from transport.history import recorded
from transport.history_lines import EventLine, FaultLine
from transport.message_types import USER_ANSWERS
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    InjectFault,
    Message,
    PromoteWindow,
)

OBSERVER = "observer-1"
REST_SECONDS = 60.0
"""How long it may take, beyond the longest deadline, until nothing goes on any more."""

ANSWERS = family(USER_ANSWERS)


def calm_profile(hosts: int, pool_target: int) -> Profile:
    """Give a profile of a system in which nothing goes wrong by itself."""
    calm = read_profile("calm")
    return replace(calm, system=replace(calm.system, hosts=hosts, pool_target=pool_target))


class SimulatedSystem(System):
    """Runs the same core code as production; the same seed gives the same course.

    Time passes only while a test waits, or has a user do something.

    Args:
        extensions: names of extension modules.
        hosts: how many; they are `host-1` and so on.
        pool_target: how many ready windows each host wants.
        seed: everything that chance decides follows from it.
        endings: what a saga must have been given before it may be completed.
        watch: is told of every step.

    Attributes:
        seed: as given.
        world: the simulated world itself.
    """

    unit: ClassVar[str] = "virtual seconds"

    def __init__(
        self,
        *,
        extensions: Sequence[str] = (),
        hosts: int = 1,
        pool_target: int = 2,
        seed: int = 0,
        endings: Sequence[Ending] = (),
        watch: StepWatch | None = None,
    ) -> None:
        self.seed = seed
        self.world = World(seed, calm_profile(hosts, pool_target), extensions)
        super().__init__(self.world.extensions.timeouts)
        loaded = self.world.extensions
        self._rules = rules_of(loaded.kinds, loaded.codec, endings)
        self._looked = 0
        self._questions = 0
        self._cuts = Cuts(self.world)
        if watch is not None:
            self.world.watch = watch
        self.world.start()
        self.world.wait(self._all_is_there, "every service and observer")

    # --- what users do ---------------------------------------------------------------------------

    def promote(self, host: str = "host-1") -> str:
        """Show a window of a host to its user; see `System.promote`."""
        return self._ask(host, PromoteWindow(number=self._next_number()))

    def close(self, label: str, host: str = "host-1") -> None:
        """Close a window that a user sees; see `System.close`."""
        self._ask(host, CloseWindow(number=self._next_number(), label=label))

    def demote(self, label: str, host: str = "host-1") -> None:
        """Hand a window back to its pool; see `System.demote`."""
        self._ask(host, DemoteWindow(number=self._next_number(), label=label))

    def inject(self, host: str, fault: str, count: int = 1) -> None:
        """Let a host misbehave; see `System.inject`."""
        self._ask(host, InjectFault(number=self._next_number(), fault=fault, count=count))
        self.world.chronicle.note_fault(FaultLine(self.world.clock.now, fault, host))

    def _next_number(self) -> int:
        self._questions += 1
        return self._questions

    def _ask(self, name: str, question: Message) -> str:
        __tracebackhide__ = True
        if name not in self.world.host_names:
            msg = f"{name!r} is no host; there are {', '.join(self.world.host_names)}"
            raise ValueError(msg)
        if name not in self.world.live_hosts:
            self.wait_until_ready(name)
        node, asked = self.world.live_hosts[name], type(question).__name__
        node.control(encode(question))
        answers: list[ActionDone | ActionRefused] = []

        def answered() -> bool:
            for frame in node.control_answers:
                match decode(frame, ANSWERS):
                    case (ActionDone() | ActionRefused()) as answer:
                        if answer.number == self._questions:
                            answers.append(answer)
            return bool(answers)

        self.wait_for(answered, f"{name} to answer {asked}")
        answer = answers[0]
        if isinstance(answer, ActionRefused):
            msg = f"{name} refused {asked}: {answer.reason}"
            raise RefusedError(msg)
        return answer.label

    # --- what goes wrong -------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """End a process at once; see `System.kill`."""
        _, kill = self._life(name)
        kill()
        self.start_again_later(name)

    def start_again_later(self, name: str) -> None:
        """Have the supervisor start a process that dies now, as `kill` does."""
        start, _ = self._life(name)
        self.world.network.at(self.world.clock.now + SUPERVISOR_PAUSE, start)

    def _life(self, name: str) -> tuple[Callable[[], None], Callable[[], None]]:
        """Give what starts a process and what kills it."""
        world = self.world
        if name == LAUNCHER:
            return world.start_launcher, world.kill_launcher
        for names, start, kill in (
            (world.host_names, world.start_host, world.kill_host),
            (world.service_names, world.start_service, world.kill_service),
            (world.observer_names, world.start_observer, world.kill_observer),
        ):
            if name in names:
                return partial(start, name), partial(kill, name)
        raise ValueError(self._unknown(name))

    def wait_until_ready(self, name: str) -> None:
        """Wait until a process is at work; see `System.wait_until_ready`."""
        self._life(name)

        def ready() -> bool:
            node = self._node(name)
            at_work = node is not None and not node.standing
            return at_work and (not isinstance(node, PeerNode) or node.core.registered)

        self.wait_for(ready, f"{name} to be ready")

    def suspend(self, name: str) -> None:
        """Let a process stand still; see `System.suspend`."""
        node = self._node(name)
        if node is not None and not node.standing:
            node.stand()
            self.world.chronicle.note_process(name, "stopped")

    def resume(self, name: str) -> None:
        """Let a process go on; see `System.resume`."""
        node = self._node(name)
        if node is not None and node.standing:
            node.go_on()
            self.world.chronicle.note_process(name, "continued")

    def cut(self, name: str, way: Way = "both") -> None:
        """Let nothing through on a link; see `System.cut`."""
        if name not in self._peer_names():
            raise ValueError(self._no_peer(name))
        self._cuts.begin(name, way)

    def deliver(self, name: str) -> None:
        """Let what a host or service sent since its link was `cut` arrive.

        Waits until there is a report, and then until the launcher has taken it.

        Raises:
            NotInTimeError: it reported nothing.
            ValueError: its link is not cut.
        """
        __tracebackhide__ = True
        self.wait_for(lambda: self._cuts.reported(name), f"{name} to report")
        self.heal(name)
        peer = self._peer(name)
        connection = peer.dealer.connection if peer.dealer is not None else None
        if connection is not None:
            self.wait_for(lambda: connection.up.empty, f"the launcher to read what {name} sent")

    def break_link(self, name: str) -> None:
        """End a connection; see `System.break_link`."""
        dealer = self._peer(name).dealer
        if dealer is not None and dealer.connection is not None:
            line = FaultLine(self.world.clock.now, LINK_BREAK, name)
            self.world.chronicle.note_fault(line)
            dealer.lose_connection(seen_by_router=True)

    def heal(self, name: str | None = None) -> None:
        """End what was begun; see `System.heal`."""
        if name is None:
            self.world.log.outage = None
        for each in self._names() if name is None else [name]:
            self.resume(each)
            self._cuts.end(each)

    @contextmanager
    def log_outage(self) -> Iterator[None]:
        """Keep the log from being written; see `System.log_outage`."""
        self.world.log.outage = "database or disk is full"
        try:
            yield
        finally:
            self.world.log.outage = None

    # --- the end ---------------------------------------------------------------------------------

    def end(self) -> Verdict:
        """Heal everything, wait for rest, and judge; see `System.end`."""
        world = self.world
        self.heal()
        for host in world.hosts:
            for fault in Fault:
                host.control(encode(InjectFault(number=0, fault=fault.value, count=0)))
        seconds = REST_SECONDS + max(self._timeouts.values())
        troubles = []
        if not world.holds_within(lambda: world.unrest() is None, round(seconds * SECOND)):
            troubles.append(f"not at rest after {seconds:g} {self.unit}: {world.unrest()}")
        lines = [*world.history, *world.end_lines()]
        return judged(lines, self._rules, [*world.complaints, *troubles])

    def _all_is_there(self) -> bool:
        world, launcher = self.world, self.world.launcher
        version = launcher.engine.state.version if launcher is not None else 0
        missing = (
            *(service_unrest(name, world.live_services.get(name)) for name in world.service_names),
            *(
                observer_unrest(name, world.observers.get(name), version)
                for name in world.observer_names
            ),
        )
        return not any(missing)

    # --- nodes -----------------------------------------------------------------------------------

    def _peer_names(self) -> list[str]:
        return [*self.world.host_names, *self.world.service_names]

    def _names(self) -> list[str]:
        return [LAUNCHER, *self._peer_names(), *self.world.observer_names]

    def _peer(self, name: str) -> PeerNode:
        """Give a host or service that lives, in this life or the next."""
        if name not in self._peer_names():
            raise ValueError(self._no_peer(name))
        world = self.world
        if name not in world.live_hosts and name not in world.live_services:
            self.wait_until_ready(name)
        return world.live_hosts.get(name) or world.live_services[name]

    def _no_peer(self, name: str) -> str:
        return f"{name!r} is no host or service; there are {', '.join(self._peer_names())}"

    def _unknown(self, name: str) -> str:
        return f"there is no process {name!r}; there are {', '.join(self._names())}"

    def _node(self, name: str) -> Node | None:
        world = self.world
        if name not in self._names():
            raise ValueError(self._unknown(name))
        if name == LAUNCHER:
            return world.launcher
        return (
            world.live_hosts.get(name) or world.live_services.get(name) or world.observers.get(name)
        )

    # --- time and events -------------------------------------------------------------------------

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        def looked() -> bool:
            self._look()
            return holds()

        return self.world.network.run(looked, self.world.clock.now + round(seconds * SECOND))

    def _look(self) -> None:
        history, codec = self.world.history, self.world.extensions.codec
        while self._looked < len(history):
            line = history[self._looked]
            self._looked += 1
            if isinstance(line, EventLine) and line.observer == OBSERVER:
                self._book.take(recorded(line, codec))

    def _why(self, saga_id: int) -> str:
        launcher = self.world.launcher
        if launcher is None:
            return "the launcher does not live"
        return self._told_why(launcher.engine.view.saga(saga_id))
