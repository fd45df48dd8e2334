"""What a running engine says of itself, as plain values; safe to ask from another thread.

The loop's thread goes on changing what is read here. So a table is copied by one call that no other
thread can interrupt (`list` of a dict gives its keys), each entry is asked for again and may be
gone by then, and nothing is iterated that the loop's thread changes. Every answer is bounded,
whatever the number of hosts and sagas, and says how much it left out.
"""

from collections import Counter
from typing import Any

from actors.core import Core
from actors.launcher_link import LauncherLink, Peer
from actors.link_state import TROUBLED_FIRST, LinkState, link_state
from actors.open_saga_view import LoopHealth, OpenSagaView, seconds
from transport.frame_fault import FrameFault

PEERS_SHOWN = 100
LABELS_SHOWN = 8
COMMAND_TYPES_SHOWN = 50
QUEUES_SHOWN = 50
LABEL_LIMIT = 64
"""How many characters of a label are shown."""

HEALTHY = LoopHealth()


class EngineView:
    """Looks at an engine.

    Args:
        core: the engine's.
        link: the engine's.

    Attributes:
        stopping: the launcher shuts down.
        version: of the last event that is durable and published.
    """

    def __init__(self, core: Core, link: LauncherLink) -> None:
        self.stopping = False
        self.version = core.state.version
        self._core = core
        self._state = core.state
        self._link = link

    def status(self) -> dict[str, Any]:
        """Give what the launcher is doing, in short."""
        statistics, turns = self._core.statistics, self._core.dispatcher.statistics
        return {
            "log": self._state.log_id,
            "version": self.version,
            "stopping": self.stopping,
            "sagas": {
                "open": len(self._state.sagas),
                "started": statistics.started,
                "completed": statistics.completed,
                "failed": statistics.failed,
                "events": statistics.events,
                "look_ups": statistics.look_ups,
                "late_actions": statistics.late_actions,
            },
            "actors": {
                "turns": turns.turns,
                "started": turns.started,
                "stopped": turns.stopped,
                "crashed": turns.crashed,
                "dead_letters": turns.dead_letters,
            },
            "tree": self._core.tree(),
            "hosts": {name: self._short(name) for name in list(self._link.peers)},
            "faults": {str(fault): self._link.faults[fault] for fault in list(self._link.faults)},
            "duplicate_reports": self._link.duplicates,
            "report_gaps": self._link.gaps,
        }

    def state(self, sagas: int, health: LoopHealth = HEALTHY) -> dict[str, Any]:
        """Give everything, with at most so many open sagas one by one, the oldest first."""
        return {
            "log": self._state.log_id,
            "version": self.version,
            "stopping": self.stopping,
            "log_outage": health.outage,
            "log_outage_s": health.outage_s if health.outage is not None else None,
            "loop_quiet_s": health.quiet_s,
            "peers": self._peers(),
            "services": self._services(),
            "sagas": self._sagas(sagas, health),
            "queues": self._queues(),
            "counters": self._counters(),
        }

    def saga(self, saga_id: int, health: LoopHealth = HEALTHY) -> dict[str, Any]:
        """Give what a saga waits for and why, for one that the log has open."""
        view = self._open_sagas(health)
        saga = self._state.sagas.get(saga_id)
        return view.values(saga) if saga is not None else view.absent()

    def _open_sagas(self, health: LoopHealth) -> OpenSagaView:
        return OpenSagaView(self._core, self._link, stopping=self.stopping, health=health)

    # --- peers --------------------------------------------------------------------------------

    def _short(self, name: str) -> dict[str, Any]:
        peer = self._link.peers[name]
        mirror = self._state.mirror.hosts.get(name)
        return {
            "epoch": peer.epoch,
            "role": peer.role,
            "registered": peer.registered and not peer.gone,
            "reports_taken": peer.taken,
            "pending_steps": sum(len(queue) for queue in peer.queues),
            "unsent_steps": sum(queue.never_handed for queue in peer.queues),
            "target": mirror.target if mirror is not None else 0,
            "pool": list(mirror.pool) if mirror is not None else [],
            "open": len(mirror.opened) if mirror is not None else 0,
        }

    def _peers(self) -> dict[str, Any]:
        names = dict.fromkeys([*list(self._state.mirror.hosts), *list(self._link.peers)])
        links = {name: self._link_of(name) for name in names}
        order = sorted(names, key=lambda name: (TROUBLED_FIRST.index(links[name]), name))
        by_link = Counter(str(link) for link in links.values())
        return {
            "count": len(names),
            "by_link": dict(by_link),
            "registering": self._link.registering,
            "shown": [self._peer(name, links[name]) for name in order[:PEERS_SHOWN]],
        }

    def _link_of(self, name: str) -> LinkState:
        peer, mirror = self._link.peers.get(name), self._state.mirror.hosts.get(name)
        now = self._core.clock.time
        return link_state(peer, mirror, now=now, heartbeat=self._link.heartbeat)

    def _peer(self, name: str, link: LinkState) -> dict[str, Any]:
        peer, mirror = self._link.peers.get(name), self._state.mirror.hosts.get(name)
        known: dict[str, Any] = {
            "name": name,
            "role": peer.role if peer is not None else "host",
            "epoch": peer.epoch if peer is not None else mirror.epoch if mirror else None,
            "link": str(link),
        }
        if peer is not None:
            known |= self._session(peer)
        if mirror is not None:
            pool = list(mirror.pool)
            known |= {
                "target": mirror.target,
                "pool_target": mirror.pool_target,
                "drained": mirror.drained,
                "pool_size": len(pool),
                "pool": _shown(pool),
                "open": len(mirror.opened),
            }
        return known

    def _session(self, peer: Peer) -> dict[str, Any]:
        now, compared = self._core.clock.time, peer.compared
        return {
            "heard_s": seconds(now - peer.heard),
            "reports_taken": peer.taken,
            "serves": _shown(peer.serves),
            "pending_steps": sum(len(queue) for queue in peer.queues),
            "unsent_steps": sum(queue.never_handed for queue in peer.queues),
            "answers_waiting": len(peer.replies),
            "inventory_awaited": peer.inventory is not None or peer.inventory_asked,
            "inventory": None
            if compared is None
            else {
                "as_of": compared.as_of,
                "compared_s": seconds(now - compared.at),
                "differences": compared.differences,
                "labels": _shown(compared.labels),
            },
        }

    def _services(self) -> dict[str, Any]:
        command_types = list(self._state.services)
        shown = []
        for command_type in command_types[:COMMAND_TYPES_SHOWN]:
            service = self._state.services.get(command_type)
            if service is not None:
                link = str(self._link_of(service[0]))
                shown.append({"command": command_type, "service": service[0], "link": link})
        return {"count": len(command_types), "shown": shown}

    # --- sagas and queues ---------------------------------------------------------------------

    def _sagas(self, most: int, health: LoopHealth) -> dict[str, Any]:
        view, table = self._open_sagas(health), self._state.sagas
        by_name: Counter[str] = Counter()
        oldest: list[dict[str, Any]] = []
        open_ids = list(table)
        for saga_id in open_ids:
            saga = table.get(saga_id)
            if saga is None:
                continue
            by_name[saga.kind.name] += 1
            if len(oldest) < most:
                oldest.append(view.values(saga))
        statistics = self._core.statistics
        return {
            "open": len(open_ids),
            "started": statistics.started,
            "completed": statistics.completed,
            "failed": statistics.failed,
            "by_name": dict(by_name),
            "oldest": oldest,
        }

    def _queues(self) -> dict[str, Any]:
        found = []
        for destination in list(self._state.queues):
            queue = self._state.queues.get(destination)
            if queue is not None and len(queue):
                found.append((len(queue), destination, queue.never_handed, queue.flowing))
        found.sort(key=lambda each: (-each[0], each[1]))
        return {
            "pending_steps": sum(pending for pending, _, _, _ in found),
            "unsent_steps": sum(unsent for _, _, unsent, _ in found),
            "timers": len(self._core.timers),
            "count": len(found),
            "longest": [
                {
                    "to": f"host {to[0]}" if len(to) > 1 else f"the service of {to[0]}",
                    "pending_steps": pending,
                    "unsent_steps": unsent,
                    "flowing": flowing,
                }
                for pending, to, unsent, flowing in found[:QUEUES_SHOWN]
            ],
        }

    def _counters(self) -> dict[str, Any]:
        turns = self._core.dispatcher.statistics
        return {
            "faults": {str(fault): self._link.faults[fault] for fault in FrameFault},
            "duplicate_reports": self._link.duplicates,
            "report_gaps": self._link.gaps,
            "dead_letters": turns.dead_letters,
            "late_actions": self._core.statistics.late_actions,
            "actor_crashes": turns.crashed,
        }


def _shown(labels: list[str] | tuple[str, ...]) -> list[str]:
    return [label[:LABEL_LIMIT] for label in labels[:LABELS_SHOWN]]
