"""What is not yet as it should be where nothing goes on any more."""

from collections.abc import Iterator

from actors.simulation.host_node import HostNode
from actors.simulation.launcher_node import LauncherNode
from actors.simulation.observer_node import ObserverNode
from actors.simulation.peer_node import PeerNode
from transport.event_stream.observer_session import Phase
from transport.mirror import HostMirror


def launcher_unrest(launcher: LauncherNode) -> str | None:
    """Say what a launcher still has to do; None if nothing."""
    if not launcher.at_rest:
        return "the launcher does not go on"
    if launcher.engine.state.sagas:
        return f"sagas {list(launcher.engine.state.sagas)} are open"
    return None


def launcher_leftovers(launcher: LauncherNode) -> Iterator[str]:
    """Give what a launcher without open sagas keeps of those that are over."""
    due = launcher.engine.next_due
    if due is not None:
        yield f"no saga is open, and something is due in {due / 10**9:.3f} s"
    steps = sum(map(len, launcher.engine.state.queues.values()))
    if steps:
        yield f"no saga is open, and {steps} steps are pending"


def host_unrest(name: str, node: HostNode | None, mirror: HostMirror | None) -> str | None:
    """Say how a host and the launcher's mirror of it differ, or what it does; None if nothing."""
    if node is None or mirror is None or not node.host.registered:
        return f"{name} is not registered"
    own = node.host.state()
    if own["creating"] or own["opening"] or own["reaping"] or own["held"]:
        return f"{name} is at work"
    if set(own["pool"]) != set(mirror.pool) or set(own["open"]) != set(mirror.opened):
        return f"the mirror of {name} is not its pool"
    if len(mirror.pool) < mirror.target:
        return f"the pool of {name} has {len(mirror.pool)} of {mirror.target}"
    return None


def service_unrest(name: str, node: PeerNode | None) -> str | None:
    """Say what keeps a service from serving; None if nothing."""
    return None if node is not None and node.core.registered else f"{name} is not registered"


def observer_unrest(name: str, node: ObserverNode | None, version: int) -> str | None:
    """Say what an observer was not told yet; None if it has everything up to a version."""
    if node is None or node.session.phase is not Phase.LIVE:
        return f"{name} is not live"
    if node.session.next_version != version + 1:
        return f"{name} waits for {node.session.next_version} of {version}"
    return None
