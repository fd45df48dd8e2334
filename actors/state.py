"""What is true in the launcher: the mirror, the open sagas, who serves what.

Only `Recorder.record` (events) and the coordinator (its sagas' steps) change it; the reducer reads.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from actors.mailbox import Mailbox
from actors.saga import Saga, SagaContext, SnapshotValue
from actors.step_queue import PendingStep, StepQueue
from transport.messages import Event
from transport.mirror import Mirror


class OpenIds:
    """Saga ids that are open; ids come in rising order."""

    __slots__ = ("_ids", "_order")

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}
        self._order: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._ids))

    def add(self, saga_id: int) -> None:
        """Note an open saga; its id is higher than any before."""
        self._ids[saga_id] = None
        self._order.append(saga_id)

    def discard(self, saga_id: int) -> None:
        """Note that a saga is closed."""
        self._ids.pop(saga_id, None)

    def lowest(self) -> int | None:
        """Give the lowest open id."""
        order = self._order
        while order and order[0] not in self._ids:
            order.popleft()
        return order[0] if order else None


class OpenSaga:
    """A saga whose bracket is open.

    Not a dataclass: the constructor of one is not compiled, and there are many sagas.

    Attributes:
        kind: its class.
        mailbox: of the actor that runs it.
        host, epoch: of its trigger; None for a trigger without a host.
        context: what it may know.
        input: what it was made with.
        delivered: every event that it was fed.
        issued: the frames of its commands; the next step has the index `len(issued)`.
        step: the step that no report has settled yet.
        queue: where that step waits.
        destination: who has to settle the step: a host's id and epoch, or a service's command type.
        since: when it was last handed something, in nanoseconds of the loop's clock.
        recovered: it was made anew from the log.
    """

    __slots__ = (
        "context",
        "delivered",
        "destination",
        "epoch",
        "host",
        "input",
        "issued",
        "kind",
        "mailbox",
        "queue",
        "recovered",
        "saga_id",
        "since",
        "step",
    )

    def __init__(
        self,
        kind: type[Saga],
        context: SagaContext,
        mailbox: Mailbox,
        *,
        epoch: str | None,
        made_with: dict[str, SnapshotValue],
        now: int,
    ) -> None:
        self.saga_id = context.saga_id
        self.kind = kind
        self.mailbox = mailbox
        self.host = context.host
        self.epoch = epoch
        self.context = context
        self.input = made_with
        self.delivered: list[Event] = []
        self.issued: list[bytes] = []
        self.step: PendingStep | None = None
        self.queue: StepQueue | None = None
        self.destination: tuple[str, ...] = ()
        self.since = now
        self.recovered = False


@dataclass(slots=True)
class State:
    """Everything that decisions are made from.

    Attributes:
        version: of the last event recorded.
        next_saga_id: the id that the next saga gets.
        sagas: the open ones, by id.
        open_ids: the same ids, lowest first.
        by_host: the ids of each (host, epoch)'s open sagas.
        filling: how many open sagas are filling each (host, epoch)'s pool.
        services: which (service, epoch) serves each command type.
        queues: pending steps, by destination: (host, epoch), or (command type,) for a service.
        waiting: destinations that got a step in this pass.
    """

    log_id: str
    version: int = 0
    next_saga_id: int = 1
    mirror: Mirror = field(default_factory=Mirror)
    sagas: dict[int, OpenSaga] = field(default_factory=dict)
    open_ids: OpenIds = field(default_factory=OpenIds)
    by_host: dict[tuple[str, str], OpenIds] = field(default_factory=dict)
    filling: dict[tuple[str, str], int] = field(default_factory=dict)
    services: dict[str, tuple[str, str]] = field(default_factory=dict)
    queues: dict[tuple[str, ...], StepQueue] = field(default_factory=dict)
    waiting: dict[tuple[str, ...], None] = field(default_factory=dict)

    def queue_of(self, destination: tuple[str, ...]) -> StepQueue:
        """Give the pending steps of a destination."""
        queue = self.queues.get(destination)
        if queue is None:
            queue = self.queues[destination] = StepQueue()
        return queue

    def open(self, saga: OpenSaga) -> None:
        """Take in a saga whose bracket is open; its id is higher than any before."""
        self.sagas[saga.saga_id] = saga
        self.open_ids.add(saga.saga_id)
        if saga.host is not None and saga.epoch is not None:
            key = (saga.host, saga.epoch)
            self.by_host.setdefault(key, OpenIds()).add(saga.saga_id)
            self.filling[key] = self.filling.get(key, 0) + saga.kind.fills_pool

    def close(self, saga: OpenSaga) -> None:
        """Forget a saga."""
        del self.sagas[saga.saga_id]
        self.open_ids.discard(saga.saga_id)
        if saga.host is not None and saga.epoch is not None:
            key = (saga.host, saga.epoch)
            self.by_host[key].discard(saga.saga_id)
            self.filling[key] -= saga.kind.fills_pool

    def take_waiting(self) -> list[tuple[str, ...]]:
        """Take out the destinations that got a step since the last time."""
        waiting = list(self.waiting)
        self.waiting.clear()
        return waiting

    def addressee(self, destination: tuple[str, ...]) -> str | None:
        """Give the host or service that a destination's steps go to, or None if none is there."""
        if len(destination) > 1:
            return destination[0]
        service = self.services.get(destination[0])
        return service[0] if service is not None else None

    def low_water(self, host: str, epoch: str) -> int:
        """Give the lowest saga id still open for a host or service."""
        own = self.by_host.get((host, epoch))
        lowest = own.lowest() if own is not None else None
        if (host, epoch) in self.services.values():
            lowest = self.open_ids.lowest()
        return self.next_saga_id if lowest is None else lowest

    def deficit(self, host: str) -> int:
        """Give how many windows a host's pool lacks that no open saga brings."""
        mirror = self.mirror.hosts.get(host)
        if mirror is None:
            return 0
        return mirror.target - len(mirror.pool) - self.filling.get((host, mirror.epoch), 0)
