"""A plain story on the simulated world: promotes, perhaps broken links, and every window closed."""

from functools import partial

from msgspec.structs import replace

from actors.simulation.host_node import HostNode
from actors.simulation.profile import read_profile
from actors.simulation.world import World
from transport.codec import encode
from transport.history_lines import EventLine, HistoryLine, HostLine
from transport.messages import CloseWindow, PromoteWindow

MILLISECOND = 1_000_000


def simulated(
    seed: int, *, promotes: int, hosts: int = 2, pool_target: int = 3, link_breaks: int = 2
) -> list[HistoryLine]:
    """Give what an observer was told and what hosts did, and nothing of how it ended."""
    calm = read_profile("calm")
    shape = replace(calm.system, hosts=hosts, pool_target=pool_target)
    world = World(seed, replace(calm, system=shape))
    world.start()
    generator = world.generator("story")
    for _ in range(link_breaks):
        host = generator.choice(world.hosts)
        time = world.clock.now + generator.randrange(2000) * MILLISECOND
        world.network.at(time, partial(_break_link, host))
    for number in range(1, promotes + 1):
        world.wait(lambda: any(map(_takes_promotes, world.hosts)), "a ready host")
        ready = [host for host in world.hosts if _takes_promotes(host)]
        generator.choice(ready).control(encode(PromoteWindow(number=number)))
        world.pass_time(generator.randrange(100) * MILLISECOND)
    world.wait(lambda: world.unrest() is None, "pools and brackets")
    for host in world.hosts:
        for label in host.host.state()["open"]:
            host.control(encode(CloseWindow(number=promotes, label=label)))
            world.pass_time(generator.randrange(100) * MILLISECOND)
    world.wait(lambda: world.unrest() is None, "clean-ups")
    return [line for line in world.history if isinstance(line, EventLine | HostLine)]


def _takes_promotes(host: HostNode) -> bool:
    state = host.host.state()
    return bool(state["registered"] and state["pool"])


def _break_link(host: HostNode) -> None:
    if host.dealer is not None and host.dealer.connection is not None:
        host.dealer.lose_connection(seen_by_router=True)
