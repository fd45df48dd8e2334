"""Tells histories step by step, as a sound system would have made them, in the lines' own maps."""

from dataclasses import dataclass, field
from typing import Any

Line = dict[str, Any]

LOG = "5f0c8f6b2d9e4a17b3c6d8e9f0a1b2c3"
SECOND = 1_000_000_000
MILLISECOND = 1_000_000
RESPAWN = "pool_respawn_on_promote"
REFILL = "pool_refill"
CLEANUP = "window_cleanup_cascade"
DEADLINES = {RESPAWN: 5.0, REFILL: 5.0, CLEANUP: 30.0}
LAUNCHER = "launcher"


@dataclass
class ToldHost:
    """One epoch of a host, as its teller has it.

    Attributes:
        unheard: windows that were promoted, and of which the launcher has not heard: to it they
            are in the pool.
    """

    name: str
    epoch: str
    target: int
    made: int = 0
    sequence: int = 0
    pool: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)


@dataclass
class ToldSaga:
    """A saga; `command` is that of its newest step, `row` the log's line of it."""

    row: Line
    host: ToldHost
    label: str | None = None


class Telling:
    """A history that is being told; each call lets something happen at `now`.

    Args:
        observers: the second has everything a little later than the first, and so on.
    """

    def __init__(self, *observers: str) -> None:
        self.now = SECOND
        self.lines: list[Line] = [{"kind": "timeouts", "at_ns": self.now, "seconds": DEADLINES}]
        self._observers = observers or ("renderer",)
        self._version = 0
        self._sagas: list[ToldSaga] = []
        self._journal: list[tuple[int, int]] = []
        self._hosts: dict[str, ToldHost] = {}
        self._lives = 0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * SECOND)

    # --- what is done to processes and the log ------------------------------------------------

    def process(self, name: str, did: str) -> None:
        """Tell what became of a process."""
        self._line("process", name=name, pid=0, did=did)

    def outage(self, did: str) -> None:
        """Let an outage of the log begin or end."""
        self._line("outage", did=did, reason="no space left on device" if did == "began" else "")

    def fault(self, fault: str, target: str, did: str = "happened") -> None:
        """Tell of a fault."""
        self._line("fault", fault=fault, target=target, did=did)

    # --- hosts and users ----------------------------------------------------------------------

    def register(self, name: str, target: int = 2) -> ToldHost:
        """Let a new epoch of a host register; the one before is over, with all it had."""
        former = self._hosts.get(name)
        events: list[Line] = [] if former is None else self._end_of(former)
        self._lives += 1
        host = ToldHost(name, f"{self._lives:032x}", target)
        self._hosts[name] = host
        self.did(host, "registered")
        registered = _event("HostRegistered", self._origin(host), pool_target=target, drained=False)
        self.publish(*events, registered)
        return host

    def whole(self, name: str, target: int = 2) -> ToldHost:
        """Let a host register and its pool be filled."""
        host = self.register(name, target)
        for saga in [self.refill(host) for _ in range(target)]:
            self.settle(saga)
        return host

    def promote(self, host: ToldHost) -> ToldSaga:
        """Let a user take a window out of a pool, and the launcher open the bracket."""
        promote_id, label = self.promote_unheard(host)
        host.unheard.remove(label)
        start = self._version + 2
        removed, promoted, opened = self._promoted(host, label, promote_id)
        saga = self._begun(RESPAWN, host, cause=start)
        self.publish(removed, promoted, opened, self._started(saga))
        self._command(saga, "SpawnPoolWindow")
        return saga

    def promote_unheard(self, host: ToldHost) -> tuple[str, str]:
        """Let a user promote on a host that nobody hears; give promote id and label."""
        label = host.pool.pop(0)
        host.open.append(label)
        host.unheard.append(label)
        promote_id = f"promote-{host.epoch}-{label.rpartition('-')[2]}"
        self.did(host, "promoted", label=label, promote_id=promote_id)
        return promote_id, label

    def open_cold(self, host: ToldHost) -> str:
        """Let a user open a window while the pool is empty; give its label."""
        label = self._ready(host, None)
        host.open.append(label)
        promote_id = f"promote-{host.epoch}-{label.rpartition('-')[2]}"
        self.did(host, "promoted", label=label, promote_id=promote_id, cold=True)
        fields: Line = {"label": label, "promote_id": promote_id, "cold": True}
        origin = self.report(host, "WindowOpened", None, **fields)
        self.publish(_event("WindowOpened", origin, reconciled=False, **fields))
        return label

    def demote(self, host: ToldHost) -> None:
        """Let a user hand the oldest window back."""
        label = host.open.pop(0)
        host.pool.append(label)
        self.did(host, "demoted", label=label)
        origin = self.report(host, "PoolWindowAdded", None, label=label)
        self.publish(_event("PoolWindowAdded", origin, label=label, reconciled=False))

    def vanish(self, host: ToldHost) -> str:
        """Let the oldest window of a pool be gone, and nobody notice; give its label."""
        label = host.pool.pop(0)
        self.did(host, "vanished", label=label)
        return label

    def drift(self, host: ToldHost, *surplus: str) -> None:
        """Let a host find that the launcher believes in windows that it has not."""
        fields: Line = {"at_sequence": host.sequence, "missing": [], "surplus": list(surplus)}
        origin = self.report(host, "PoolDrift", None, **fields)
        self.publish(_event("PoolDriftReported", origin, **fields))

    def reconcile(self, host: ToldHost, *gone: str) -> None:
        """Let a host register again, and the launcher hear which windows are gone."""
        self.did(host, "registered")
        died: Line = {"reason": "died", "promote_id": None, "reconciled": True}
        origin = self._origin(host)
        self.publish(*(_event("PoolWindowRemoved", origin, label=each, **died) for each in gone))

    def close(self, host: ToldHost) -> ToldSaga:
        """Let a user close the oldest window, and the launcher begin to clean up."""
        label = host.open.pop(0)
        self.did(host, "closed", label=label)
        fields: Line = {"label": label, "crash_detected": False}
        origin = self.report(host, "WindowClosed", None, **fields)
        saga = self._begun(CLEANUP, host, cause=self._version + 1)
        saga.label = label
        closed = _event("WindowClosed", origin, reconciled=False, **fields)
        self.publish(closed, self._started(saga))
        self._command(saga, "ReapPanes")
        return saga

    # --- sagas ----------------------------------------------------------------------------------

    def refill(self, host: ToldHost) -> ToldSaga:
        """Let the launcher begin to refill a pool."""
        saga = self._begun(REFILL, host, cause=None)
        self.publish(self._started(saga))
        self._command(saga, "SpawnPoolWindow")
        return saga

    def settle(self, saga: ToldSaga) -> None:
        """Let a host have the window of a saga ready, and the saga be completed."""
        self.wait(0.2)
        host, label = saga.host, self._ready(saga.host, self.identity(saga))
        host.pool.append(label)
        origin = self.report(host, "PoolWindowAdded", self.identity(saga), label=label)
        saga_id = self._closed(saga, "completed", label)
        added = _event("PoolWindowAdded", origin, saga_id, label=label, reconciled=False)
        self.publish(added, _event("SagaCompleted", None, saga_id, result=label))

    def clean_up(self, saga: ToldSaga) -> None:
        """Let a host reap the panes of a closed window, and not drain."""
        saga_id, label, host = saga.row["saga_id"], saga.label, saga.host
        self.wait(0.05)
        origin = self.report(host, "PanesReaped", self.identity(saga), label=label)
        self.publish(_event("PanesReaped", origin, saga_id, label=label))
        self._command(saga, "DrainPoolIfLast")
        origin = self.report(host, "PoolNotLast", self.identity(saga), label=label)
        not_last = _event("PoolNotLast", origin, saga_id, label=label)
        self._closed(saga, "completed", "not_last")
        self.publish(not_last, _event("SagaCompleted", None, saga_id, result="not_last"))

    def fail(self, saga: ToldSaga, reason: str) -> None:
        """Let a host report that it cannot."""
        origin = self.report(saga.host, "ActionFailed", self.identity(saga), reason=reason)
        saga_id = self._closed(saga, "failed", reason)
        failed = _event("ActionFailed", origin, saga_id, reason=reason)
        self.publish(failed, _event("SagaFailed", None, saga_id, reason=reason))

    def give_up(self, saga: ToldSaga, reason: str) -> None:
        """Let the launcher fail a saga by itself."""
        saga_id = self._closed(saga, "failed", reason)
        self.publish(_event("SagaFailed", None, saga_id, reason=reason))

    def late(self, saga: ToldSaga) -> None:
        """Let a host have the window of a saga ready that is closed already."""
        host, label = saga.host, self._ready(saga.host, self.identity(saga))
        host.pool.append(label)
        origin = self.report(host, "PoolWindowAdded", self.identity(saga), label=label)
        self.publish(_event("PoolWindowAdded", origin, label=label, reconciled=False))

    # --- the end --------------------------------------------------------------------------------

    def end(self) -> list[Line]:
        """Give the whole history, with what hosts and the log have."""
        for host in self._hosts.values():
            held = {"pool": host.pool.copy(), "open": host.open.copy()}
            life = {"host": host.name, "epoch": host.epoch}
            self._line("host_end", **life, **held, pool_target=host.target, drained=False)
        for saga in self._sagas:
            self.lines.append({**saga.row, "at_ns": self.now})
        high_water = {"version": self._version, "next_saga_id": len(self._sagas) + 1}
        self._line("log", log=LOG, **high_water, journal=[list(each) for each in self._journal])
        return self.lines

    # --- parts ----------------------------------------------------------------------------------

    def publish(self, *events: Line) -> None:
        """Publish events as one blob."""
        first = self._version + 1
        self._version += len(events)
        self._journal.append((first, self._version))
        for delay, observer in enumerate(self._observers, 1):
            at = self.now + delay * MILLISECOND
            self.lines += [
                {
                    "kind": "event",
                    "at_ns": at,
                    "observer": observer,
                    "event": {**event, "version": version},
                }
                for version, event in enumerate(events, first)
            ]
        self.now += len(self._observers) * MILLISECOND

    def did(self, host: ToldHost, did: str, **fields: Any) -> None:
        """Tell what a host did."""
        self._line("host", host=host.name, epoch=host.epoch, did=did, **fields)

    def report(
        self, host: ToldHost, event: str, identity: list[Any] | None, **fields: Any
    ) -> list[Any]:
        """Let a host report; give the origin of what becomes of it."""
        host.sequence += 1
        self.did(
            host,
            "report",
            type=f"Report{event}",
            sequence=host.sequence,
            identity=identity,
            **fields,
        )
        return self._origin(host)

    def identity(self, saga: ToldSaga) -> list[Any]:
        """Give the identity of a saga's newest step."""
        return [LOG, saga.row["saga_id"], len(saga.row["steps"]) - 1]

    def _origin(self, host: ToldHost) -> list[Any]:
        return [host.name, host.epoch, host.sequence]

    def _promoted(self, host: ToldHost, label: str, promote_id: str) -> tuple[Line, Line, Line]:
        reason: Line = {"reason": "promoted"}
        fields: Line = {"label": label, "promote_id": promote_id}
        origin = self.report(host, "PoolWindowRemoved", None, **fields, **reason)
        removed = _event("PoolWindowRemoved", origin, **fields, **reason, reconciled=False)
        origin = self.report(host, "PoolWindowPromoted", None, **fields)
        promoted = _event("PoolWindowPromoted", origin, **fields)
        origin = self.report(host, "WindowOpened", None, **fields, cold=False)
        opened = _event("WindowOpened", origin, **fields, cold=False, reconciled=False)
        return removed, promoted, opened

    def _end_of(self, host: ToldHost) -> list[Line]:
        origin = self._origin(host)
        reconciled: Line = {"reconciled": True}
        died: Line = {"reason": "died", "promote_id": None}
        events = [
            _event("PoolWindowRemoved", origin, label=label, **died, **reconciled)
            for label in (*host.unheard, *host.pool)
        ]
        events += [
            _event("WindowClosed", origin, label=label, crash_detected=True, **reconciled)
            for label in host.open
            if label not in host.unheard
        ]
        for saga in self._sagas:
            if saga.host is host and saga.row["state"] == "open":
                saga_id = self._closed(saga, "failed", "host restarted")
                events.append(_event("SagaFailed", None, saga_id, reason="host restarted"))
        return [*events, _event("HostLeft", origin, reason="restarted")]

    def _ready(self, host: ToldHost, identity: list[Any] | None) -> str:
        host.made += 1
        label = f"window-{host.epoch}-{host.made}"
        self.did(host, "ready", label=label, identity=identity)
        return label

    def _begun(self, name: str, host: ToldHost, *, cause: int | None) -> ToldSaga:
        row = {
            "kind": "saga",
            "saga_id": len(self._sagas) + 1,
            "name": name,
            "state": "open",
            "host": host.name,
            "epoch": host.epoch,
            "cause": cause,
            "result": None,
            "failure": None,
            "steps": [],
        }
        self._sagas.append(ToldSaga(row, host))
        return self._sagas[-1]

    def _started(self, saga: ToldSaga) -> Line:
        row = saga.row
        return _event("SagaStarted", None, row["saga_id"], name=row["name"], cause=row["cause"])

    def _command(self, saga: ToldSaga, command: str) -> None:
        steps = saga.row["steps"]
        if steps:
            steps[-1]["state"] = "settled"
        target = {"step": len(steps), "target": "HOST"}
        steps.append({**target, "command": command, "state": "awaited", "failure": None})
        self.did(saga.host, "command", type=command, identity=self.identity(saga), repeated=False)

    def _closed(self, saga: ToldSaga, state: str, why: str) -> int:
        key, step = ("result", "settled") if state == "completed" else ("failure", "failed")
        saga.row.update({"state": state, key: why})
        saga.row["steps"][-1]["state"] = step
        saga_id: int = saga.row["saga_id"]
        return saga_id

    def _line(self, kind: str, **fields: Any) -> None:
        self.lines.append({"kind": kind, "at_ns": self.now, **fields})


def _event(
    type_name: str, origin: list[Any] | None, saga_id: int | None = None, **own: Any
) -> Line:
    return {"type": type_name, "saga_id": saga_id, "origin": origin, **own}
