"""The users of a simulated world: they promote, close and demote, at times that the seed gives."""

from random import Random

from actors.simulation.world import World
from host_sim.spawn_time import parse_spawn_time
from transport.codec import encode
from transport.messages import CloseWindow, DemoteWindow, PromoteWindow


class Users:
    """Everybody who uses the hosts.

    Each action draws the same number of values from the generator, whatever it finds: so a world
    with one fault less has the same actions at the same times.

    Args:
        world: whose hosts they use.
        generator: decides what they do, and is used for nothing else.

    Attributes:
        at_work: they go on; else they do nothing more.
    """

    def __init__(self, world: World, generator: Random) -> None:
        self.at_work = True
        self._world = world
        self._generator = generator
        self._pause = parse_spawn_time(world.profile.workload.pause)
        self._number = 0
        self._plan_next()

    def _plan_next(self) -> None:
        pause = self._pause.draw(self._generator)
        self._world.network.at(self._world.clock.now + pause, self._act)

    def _act(self) -> None:
        if not self.at_work:
            return
        name = self._generator.choice(self._world.host_names)
        kind, which = self._generator.random(), self._generator.getrandbits(64)
        self._do(name, kind, which)
        self._plan_next()

    def _do(self, name: str, kind: float, which: int) -> None:
        workload = self._world.profile.workload
        if kind >= workload.close + workload.demote:
            self.promote(name)
            return
        node = self._world.live_hosts.get(name)
        opened = [] if node is None else node.host.state()["open"]
        if node is None or node.standing or not opened:
            return
        self._number += 1
        label = opened[which % len(opened)]
        wanted = CloseWindow if kind < workload.close else DemoteWindow
        node.control(encode(wanted(number=self._number, label=label)))

    def promote(self, name: str) -> None:
        """Promote a window of a host, if it lives and runs."""
        node = self._world.live_hosts.get(name)
        if node is not None and not node.standing:
            self._number += 1
            node.control(encode(PromoteWindow(number=self._number)))
