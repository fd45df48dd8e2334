"""Does to a simulated world what its plan of faults says.

A fault that finds nothing to be done to (a killed process cannot be killed) waits until it does, so
that a plan is carried out whole.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Literal

from actors.simulation.fault_plan import (
    LAUNCHER,
    OF_OBSERVERS,
    OF_SUBSCRIBERS,
    WORLD,
    FaultKind,
    PlannedFault,
)
from actors.simulation.host_node import HostNode
from actors.simulation.launcher_port import Moment
from actors.simulation.node import Node
from actors.simulation.sockets import Dealer
from actors.simulation.world import SECOND, World
from host_sim.faults import Fault
from transport.codec import encode
from transport.history_lines import FaultLine
from transport.memory_network import WireFault
from transport.messages import InjectFault

TRY_AGAIN = 50_000_000
"""After how many nanoseconds a fault that found nothing to be done to is tried again."""

LATEST_FRAME = 3 * SECOND
"""By how much at most a dead connection's frames are late, in nanoseconds."""

LATEST_SUBSCRIPTION = 2 * SECOND
WALL_STEP = 3600 * SECOND
SLOW_LINK = 2
OVERFLOW = 1
"""How many messages a full connection and a full subscription hold."""

MOMENTS = {
    FaultKind.LAUNCHER_KILL_BEFORE_COMMIT: Moment.BEFORE_COMMIT,
    FaultKind.LAUNCHER_KILL_AFTER_COMMIT: Moment.AFTER_COMMIT,
    FaultKind.LAUNCHER_KILL_AFTER_PUBLISHING: Moment.AFTER_PUBLISHING,
    FaultKind.LAUNCHER_KILL_WHILE_SENDING: Moment.WHILE_SENDING,
}
WIRES = {
    FaultKind.PARTITION: ("up", "down"),
    FaultKind.PARTITION_UP: ("up",),
    FaultKind.PARTITION_DOWN: ("down",),
    FaultKind.SLOW_LINK: ("down",),
}
"""Which directions of a link let nothing through."""

REASONS = {
    FaultKind.LOG_BUSY: "database is locked",
    FaultKind.LOG_FULL: "database or disk is full",
}

Undo = Callable[[], None]


class Injector:
    """Carries a plan of faults out.

    Args:
        world: to which they are done.
        faults: the plan, or those of it that are wanted; their times count from now.
    """

    def __init__(self, world: World, faults: Sequence[PlannedFault]) -> None:
        self._world = world
        self._undo: dict[int, tuple[PlannedFault, Undo]] = {}
        self._to_come = {fault.number for fault in faults}
        self._stopped = False
        begin = world.clock.now
        for fault in faults:
            world.network.at(begin + fault.at, partial(self._try, fault))

    @property
    def done(self) -> bool:
        """Whether every fault of the plan happened."""
        return not self._to_come

    def stop(self) -> None:
        """End everything that lasts, bring back what is dead, and do nothing more."""
        self._stopped = True
        world = self._world
        for number in list(self._undo):
            self._end(number)
        world.saga_crashes = 0
        world.start_launcher()
        if world.launcher is not None:
            world.launcher.doom.at = None
        for name in world.host_names:
            world.start_host(name)
        for node in world.hosts:
            for fault in Fault:
                node.control(encode(InjectFault(number=1, fault=fault.value, count=0)))
        for name in world.observer_names:
            world.start_observer(name)
            world.links[name].questions = 0

    def do_in_quiet(self, fault: PlannedFault) -> None:
        """Let a ready window of a host vanish unseen."""
        node = self._world.live_hosts[fault.target]
        node.control(encode(InjectFault(number=1, fault=Fault.WINDOW_VANISHES.value, count=1)))
        self._note(fault)

    def _try(self, fault: PlannedFault) -> None:
        if self._stopped:
            return
        if not self._begin(fault):
            time = self._world.clock.now + TRY_AGAIN
            self._world.network.at(time, lambda: self._try(fault))

    def _note(
        self, fault: PlannedFault, did: Literal["happened", "began", "ended"] = "happened"
    ) -> None:
        self._to_come.discard(fault.number)
        line = FaultLine(self._world.clock.now, fault.kind.value, fault.target, did)
        self._world.chronicle.note_fault(line)

    def _last(self, fault: PlannedFault, undo: Undo) -> bool:
        """Let a fault end after its time."""
        self._note(fault, "began")
        self._undo[fault.number] = (fault, undo)
        end = self._world.clock.now + fault.duration
        self._world.network.at(end, lambda: self._end(fault.number))
        return True

    def _end(self, number: int) -> None:
        fault, undo = self._undo.pop(number, (None, None))
        if fault is not None and undo is not None:
            undo()
            self._note(fault, "ended")

    def _later(self, fault: PlannedFault, action: Callable[[], None]) -> None:
        self._world.network.at(self._world.clock.now + fault.duration, action)

    def _later_than(self, node: Node, fault: PlannedFault, action: Callable[[], None]) -> None:
        """Do something a while after a process ended."""
        if node.alive:
            time = self._world.clock.now + TRY_AGAIN
            self._world.network.at(time, lambda: self._later_than(node, fault, action))
        else:
            self._later(fault, action)

    # --- what each is -------------------------------------------------------------------------

    def _begin(self, fault: PlannedFault) -> bool:
        """Do a fault; say whether there was something to do it to."""
        if fault.kind in OF_OBSERVERS:
            return self._observer_fault(fault)
        if fault.kind in OF_SUBSCRIBERS:
            return self._stream_fault(fault)
        if fault.target == LAUNCHER:
            return self._launcher_fault(fault)
        if fault.target == WORLD:
            return self._world_fault(fault)
        node = self._world.live_hosts.get(fault.target)
        return node is not None and not node.standing and self._host_fault(fault, node)

    def _world_fault(self, fault: PlannedFault) -> bool:
        if fault.kind is FaultKind.POWER_CUT:
            return self._cut_power(fault)
        return self._delay(fault)

    def _cut_power(self, fault: PlannedFault) -> bool:
        world = self._world
        if world.launcher is None or len(world.hosts) < len(world.host_names):
            return False
        self._note(fault)
        world.kill_launcher()
        self._later(fault, world.start_launcher)
        for node in world.replaced_hosts:
            node.die()
        world.replaced_hosts.clear()
        for name in world.host_names:
            world.kill_host(name)
            self._later(fault, partial(world.start_host, name))
        return True

    def _delay(self, fault: PlannedFault) -> bool:
        extra = Random(fault.chance).randrange(SECOND // 2)  # noqa: S311 - seeded
        self._world.extra_delay += extra

        def undo() -> None:
            self._world.extra_delay -= extra

        return self._last(fault, undo)

    # --- the launcher -------------------------------------------------------------------------

    def _launcher_fault(self, fault: PlannedFault) -> bool:
        world, launcher = self._world, self._world.launcher
        if launcher is None or launcher.standing:
            return False
        match fault.kind:
            case FaultKind.LAUNCHER_KILL:
                world.kill_launcher()
                self._later(fault, world.start_launcher)
            case FaultKind.LAUNCHER_STOP:
                launcher.stop()
            case FaultKind.LAUNCHER_PAUSE:
                return self._stand(fault, launcher)
            case FaultKind.COORDINATOR_CRASH:
                launcher.crash_coordinator()
            case FaultKind.WALL_CLOCK_STEP:
                world.wall_step += Random(fault.chance).randint(-WALL_STEP, WALL_STEP)  # noqa: S311 - seeded
            case FaultKind.SAGA_CRASH:
                world.saga_crashes += 1 + Random(fault.chance).randrange(4)  # noqa: S311 - seeded
            case FaultKind.LOG_BUSY | FaultKind.LOG_FULL:
                return self._fail_log(fault)
            case _:
                return self._kill_at_moment(fault)
        self._note(fault)
        return True

    def _fail_log(self, fault: PlannedFault) -> bool:
        log = self._world.log
        if log.outage is not None:
            return False
        log.outage = REASONS[fault.kind]

        def undo() -> None:
            log.outage = None

        return self._last(fault, undo)

    def _kill_at_moment(self, fault: PlannedFault) -> bool:
        """Arm the moment; the fault has happened once the launcher died of it."""
        world, launcher = self._world, self._world.launcher
        if launcher is None or launcher.doom.at is not None:
            return False
        launcher.doom.at = MOMENTS[fault.kind]

        def killed() -> None:
            self._note(fault)
            self._later(fault, world.start_launcher)

        def look() -> None:
            if launcher.alive:
                world.network.at(world.clock.now + TRY_AGAIN, look)
            elif fault.number in self._to_come:
                # Something else killed it first: the next launcher is to die of this.
                self._try(fault)

        launcher.when_killed = killed
        look()
        return True

    def _stand(self, fault: PlannedFault, node: Node) -> bool:
        node.stand()
        self._world.chronicle.note_process(fault.target, "stopped")

        def undo() -> None:
            if node.alive:
                node.go_on()
                self._world.chronicle.note_process(fault.target, "continued")

        return self._last(fault, undo)

    # --- hosts --------------------------------------------------------------------------------

    def _host_fault(self, fault: PlannedFault, node: HostNode) -> bool:
        match fault.kind:
            case FaultKind.HOST_KILL | FaultKind.HOST_STOP:
                return self._end_host(fault, node)
            case FaultKind.HOST_PAUSE:
                return self._stand(fault, node)
            case FaultKind.HOST_REPLACED:
                return self._replace_host(fault, node)
            case FaultKind.LINK_BREAK | FaultKind.LINK_HALF_OPEN:
                return self._break_link(fault, node.dealer)
            case kind if kind in WIRES:
                wires = [getattr(node.faults, way) for way in WIRES[kind]]
                limit = SLOW_LINK if kind is FaultKind.SLOW_LINK else None
                return self._wire_fault(fault, wires, limit)
            case _:
                count = 1 + Random(fault.chance).randrange(2)  # noqa: S311 - seeded
                message = InjectFault(number=1, fault=fault.kind.value, count=count)
                node.control(encode(message))
                self._note(fault)
                return True

    def _end_host(self, fault: PlannedFault, node: HostNode) -> bool:
        self._note(fault)
        if fault.kind is FaultKind.HOST_STOP:
            node.stop()
        else:
            self._world.kill_host(fault.target, late=_lateness(fault))
        self._later_than(node, fault, lambda: self._world.start_host(fault.target))
        return True

    def _replace_host(self, fault: PlannedFault, node: HostNode) -> bool:
        """Let a host hang, cut off, until another life of it was started; then let it go on.

        It is one that had registered: of two that had not, whichever registers later is the later.
        """
        if not node.host.registered:
            return False
        node.stand()
        if node.dealer is not None:
            node.dealer.lose_connection(seen_by_router=True)
        self._world.replace_host(fault.target)

        def undo() -> None:
            if node.alive:
                node.go_on()

        return self._last(fault, undo)

    def _break_link(self, fault: PlannedFault, dealer: Dealer | None) -> bool:
        if dealer is None or dealer.connection is None:
            return False
        self._note(fault)
        if fault.kind is FaultKind.LINK_BREAK:
            dealer.lose_connection(seen_by_router=True)
            return True
        connection = dealer.connection
        dealer.lose_connection(seen_by_router=False, late=_lateness(fault) or 0)

        def seen() -> None:
            connection.known = False

        self._later(fault, seen)
        return True

    def _wire_fault(
        self, fault: PlannedFault, wires: Sequence[WireFault], limit: int | None
    ) -> bool:
        """Let nothing through for a while; with a limit, a sender sees that it is full."""
        if any(wire.held or wire.limit is not None for wire in wires):
            return False
        for wire in wires:
            wire.held, wire.limit = True, limit

        def undo() -> None:
            for wire in wires:
                wire.held, wire.limit = False, None
            self._look_at_links()

        return self._last(fault, undo)

    def _look_at_links(self) -> None:
        """Let everybody read what was held."""
        world = self._world
        nodes = [*world.peers, *world.observers.values()]
        for node in (*nodes, *([world.launcher] if world.launcher is not None else [])):
            node.wake()

    # --- observers and subscriptions ----------------------------------------------------------

    def _observer_fault(self, fault: PlannedFault) -> bool:
        world, node = self._world, self._world.observers.get(fault.target)
        if node is None or node.standing:
            return False
        match fault.kind:
            case FaultKind.OBSERVER_KILL:
                world.kill_observer(fault.target)
                self._later(fault, lambda: world.start_observer(fault.target))
            case FaultKind.OBSERVER_PAUSE:
                return self._stand(fault, node)
            case _:
                node.faults.questions += 1 + Random(fault.chance).randrange(4)  # noqa: S311 - seeded
        self._note(fault)
        return True

    def _stream_fault(self, fault: PlannedFault) -> bool:
        world, target = self._world, fault.target
        node = world.live_hosts.get(target) or world.observers.get(target)
        if node is None:
            return False
        faults = world.links[target]
        if faults.stream.held:
            return False
        match fault.kind:
            case FaultKind.STREAM_BREAK:
                node.subscriber.lose_connection()
                self._note(fault)
                return True
            case FaultKind.LATE_SUBSCRIPTION:
                faults.late_stream = Random(fault.chance).randrange(LATEST_SUBSCRIPTION)  # noqa: S311 - seeded
                node.subscriber.lose_connection()
                return self._last(fault, lambda: setattr(faults, "late_stream", 0))
            case _:
                faults.stream.held = True
                full = fault.kind is FaultKind.STREAM_OVERFLOW
                faults.stream.limit = OVERFLOW if full else None

        def undo() -> None:
            faults.stream.held, faults.stream.limit = False, None
            self._look_at_links()

        return self._last(fault, undo)


def _lateness(fault: PlannedFault) -> int | None:
    """Give by how much a dead connection's frames are late; None if they are lost."""
    generator = Random(fault.chance)  # noqa: S311 - seeded
    return generator.randrange(LATEST_FRAME) if generator.randrange(2) else None
