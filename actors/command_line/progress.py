"""What a run's observer has seen so far, as a view shows it."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from actors.sagas import PoolRespawnOnPromote
from transport.messages import Recorded, SagaCompleted, SagaFailed, SagaStarted

CLOSED_SHOWN = 200
"""How many of the last closed brackets are kept for the view."""

CAUSES_KEPT = 4_096
"""How many of the last events are kept to find the host of a saga by its cause."""


@dataclass(frozen=True, slots=True)
class OpenBracket:
    """A saga in flight. `since_ns`: when its start was observed."""

    saga_id: int
    name: str
    host: str
    since_ns: int


@dataclass(frozen=True, slots=True)
class ClosedBracket:
    """A bracket that closed. `took_ms`: from its start to its terminal, as observed."""

    saga_id: int
    name: str
    host: str
    took_ms: float
    outcome: str
    failed: bool


class Progress:
    """Open and closed brackets, and how long promotes' sagas took.

    Attributes:
        open: sagas in flight, oldest first.
        closed: the last closed brackets, oldest first.
        closed_count, failed_count: how many closed and failed in all.
    """

    def __init__(self) -> None:
        self.open: dict[int, OpenBracket] = {}
        self.closed: deque[ClosedBracket] = deque(maxlen=CLOSED_SHOWN)
        self.closed_count = 0
        self.failed_count = 0
        self._respawns_ms: list[float] = []
        self._sorted = True
        self._hosts: dict[int, str] = {}

    def observed(self, events: Iterable[Recorded], at_ns: int) -> list[ClosedBracket]:
        """Take events, in order; give the brackets that they closed."""
        closed: list[ClosedBracket] = []
        for event in events:
            match event:
                case SagaStarted(saga_id=int(saga_id)):
                    host = self._hosts.get(event.cause or 0, "")
                    self.open[saga_id] = OpenBracket(saga_id, event.name, host, at_ns)
                case SagaCompleted(saga_id=int(saga_id), result=result):
                    closed.extend(self._close(saga_id, at_ns, result, failed=False))
                case SagaFailed(saga_id=int(saga_id), reason=reason):
                    closed.extend(self._close(saga_id, at_ns, reason, failed=True))
                case _ if event.origin is not None:
                    self._note_host(event, event.origin.host)
        return closed

    def in_flight(self, host: str) -> int:
        """Give how many sagas of a host are in flight."""
        return sum(each.host == host for each in self.open.values())

    @property
    def latencies_ms(self) -> dict[str, float]:
        """Percentiles of how long the promotes' sagas took so far; empty before the first."""
        if not self._respawns_ms:
            return {}
        if not self._sorted:
            self._respawns_ms.sort()
            self._sorted = True
        values = self._respawns_ms
        return {f"p{each}": values[ceil(each * len(values) / 100) - 1] for each in (50, 90, 99)}

    def _note_host(self, event: Recorded, host: str) -> None:
        if event.saga_id is None:
            self._hosts[event.version] = host
            if len(self._hosts) > CAUSES_KEPT:
                del self._hosts[next(iter(self._hosts))]
        elif not (opened := self.open.get(event.saga_id)) or opened.host:
            return
        else:
            self.open[event.saga_id] = OpenBracket(
                opened.saga_id, opened.name, host, opened.since_ns
            )

    def _close(
        self, saga_id: int, at_ns: int, outcome: str, *, failed: bool
    ) -> Iterable[ClosedBracket]:
        opened = self.open.pop(saga_id, None)
        if opened is None:
            return
        took_ms = (at_ns - opened.since_ns) / 1e6
        self.closed_count += 1
        self.failed_count += failed
        if opened.name == PoolRespawnOnPromote.name and not failed:
            self._respawns_ms.append(took_ms)
            self._sorted = False
        bracket = ClosedBracket(saga_id, opened.name, opened.host, took_ms, outcome, failed)
        self.closed.append(bracket)
        yield bracket
