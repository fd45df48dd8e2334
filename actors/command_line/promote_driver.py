"""What `muxsaga run` asks of the hosts, and when: observations in, requests out; no I/O, no clock.

A promote is open from the request until both are known: the host's answer, and the end of what it
began (the terminal of its saga, joined by host and promote id, version of the promote event, saga
id; or the opening of a cold window, which starts no saga). The two may come in either order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from actors.sagas import PoolRespawnOnPromote, WindowCleanupCascade
from transport.messages import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    HostState,
    InspectHost,
    Message,
    PoolWindowPromoted,
    PromoteWindow,
    Recorded,
    Refused,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)
from transport.mirror import HostMirror, Mirror

CLOSES_IN_FLIGHT = 16
"""How many windows of one host are closed at a time: far below what a launcher queues for it."""

POOL_GRACE = 40_000_000_000
"""How long short pools may heal once all brackets are closed, in nanoseconds: more than the
longest pause of `pool_refill`."""


class Stage(Enum):
    """How far a run is."""

    FILLING = "filling the pools"
    PROMOTING = "promoting"
    SETTLING = "waiting for full pools"
    CLOSING = "closing every window"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is to do.

    Attributes:
        hosts: their ids.
        promotes: how many in all.
        concurrency: how many may be open in all.
        rate: promotes a second, at fixed times, instead of a concurrency; None for that.
    """

    hosts: tuple[str, ...]
    promotes: int
    concurrency: int
    rate: float | None = None

    @property
    def concurrency_per_host(self) -> int:
        """How many promotes may be open in one host."""
        return -(-self.concurrency // len(self.hosts))


@dataclass(frozen=True, slots=True)
class Request:
    """A user action for a host's control socket."""

    host: str
    message: Message


PromoteKey = tuple[str, str]
"""Host and promote id: names one promote."""


class PromoteDriver:
    """Drives one run from the first full pool to the last closed window.

    Args:
        plan: what is to be done.

    Attributes:
        mirror: the hosts' windows, as observed.
        stage: how far it is.
        sent: promotes asked for.
        settled: promotes of which everything is known.
        refused: what hosts refused or could not read, but for closes; with the host.
        open_by_host: promotes that are open now.
    """

    def __init__(self, plan: RunPlan) -> None:
        self.mirror = Mirror()
        self.stage = Stage.FILLING
        self.sent = 0
        self.settled = 0
        self.refused: list[str] = []
        self.open_by_host: Counter[str] = Counter()
        self._plan = plan
        self._registered: set[str] = set()
        self._inspected: set[str] = set()
        self._number = 0
        self._asked: dict[int, Request] = {}
        self._answered: set[PromoteKey] = set()
        self._ended: set[PromoteKey] = set()
        self._trigger: dict[int, PromoteKey | str] = {}
        self._saga_of: dict[int, PromoteKey | str] = {}
        self._open_sagas: set[int] = set()
        self._closing: dict[str, str] = {}
        self._not_closable: dict[str, str] = {}
        self._began_at = 0
        self._settle_by = 0

    # --- what happened ------------------------------------------------------------------------

    def observed(self, events: Iterable[Recorded]) -> None:
        """Take events, in order."""
        for event in events:
            self.mirror.apply(event)
            host = event.origin.host if event.origin is not None else ""
            match event:
                case PoolWindowPromoted(promote_id=promote_id):
                    self._trigger[event.version] = (host, promote_id)
                case WindowOpened(cold=True, promote_id=str(promote_id)):
                    self._end_promote((host, promote_id))
                case WindowClosed(label=label):
                    self._note_close(event, label)
                case SagaStarted():
                    self._note_start(event)
                case SagaCompleted(saga_id=int(saga_id)) | SagaFailed(saga_id=int(saga_id)):
                    self._note_end(saga_id)
                case _:
                    pass

    def answered(self, host: str, message: Message) -> None:
        """Take what a host's control socket said."""
        match message:
            case ActionDone(number=number):
                request = self._asked.pop(number, None)
                if request is not None and message.promote_id is not None:
                    self._answer_promote((host, message.promote_id))
            case ActionRefused(number=number, reason=reason):
                self._note_refusal(self._asked.pop(number, None), reason)
            case HostState(state=state):
                self._inspected.discard(host)
                if state.get("registered"):
                    self._registered.add(host)
            case Refused(fault=fault, detail=detail):
                self.refused.append(f"{host}: {fault}: {detail}")
            case _:
                pass

    def _note_close(self, event: WindowClosed, label: str) -> None:
        if event.crash_detected or event.reconciled:
            self._closing.pop(label, None)
        else:
            self._trigger[event.version] = label

    def _note_start(self, event: SagaStarted) -> None:
        if event.saga_id is None:
            return
        self._open_sagas.add(event.saga_id)
        trigger = self._trigger.get(event.cause or 0)
        ours = {PoolRespawnOnPromote.name, WindowCleanupCascade.name}
        if trigger is not None and event.name in ours:
            self._saga_of[event.saga_id] = trigger
            del self._trigger[event.cause or 0]

    def _note_end(self, saga_id: int) -> None:
        self._open_sagas.discard(saga_id)
        match self._saga_of.pop(saga_id, None):
            case str(label):
                self._closing.pop(label, None)
            case (host, promote_id):
                self._end_promote((host, promote_id))
            case _:
                pass

    def _answer_promote(self, key: PromoteKey) -> None:
        if key in self._ended:
            self._ended.discard(key)
            self._settle(key[0])
        else:
            self._answered.add(key)

    def _end_promote(self, key: PromoteKey) -> None:
        if key in self._answered:
            self._answered.discard(key)
            self._settle(key[0])
        else:
            self._ended.add(key)

    def _note_refusal(self, request: Request | None, reason: str) -> None:
        if request is None:
            return
        text = f"{request.host}: {type(request.message).__name__}: {reason}"
        if isinstance(request.message, CloseWindow):
            self._closing.pop(request.message.label, None)
            self._not_closable[request.message.label] = text
        else:
            self.refused.append(text)
            self._settle(request.host)

    def _settle(self, host: str) -> None:
        self.settled += 1
        self.open_by_host[host] -= 1

    # --- what is to be done -------------------------------------------------------------------

    def requests(self, now: int) -> list[Request]:
        """Give what is to be sent now, and go on to the next stage where one is over."""
        requests: list[Request] = []
        if self.stage is Stage.FILLING and self.pools_are_full:
            requests.extend(self._inspections())
            if len(self._registered) == len(self._plan.hosts):
                self.stage, self._began_at = Stage.PROMOTING, now
        if self.stage is Stage.PROMOTING:
            requests.extend(self._promotes(now))
        if self.stage is Stage.PROMOTING and self.settled >= self._plan.promotes:
            self.stage, self._settle_by = Stage.SETTLING, now + POOL_GRACE
        if self.stage is Stage.SETTLING and (self.pools_are_full or now >= self._settle_by):
            self.stage = Stage.CLOSING
        if self.stage is Stage.CLOSING:
            requests.extend(self._closes())
            if not self._closing and not self._open_sagas:
                self.stage = Stage.FINISHED
        return requests

    @property
    def next_due(self) -> int | None:
        """When `requests` has something to do though nothing happened; None if never."""
        if self.stage is Stage.PROMOTING and self._plan.rate is not None:
            return self._due(self.sent) if self.sent < self._plan.promotes else None
        return self._settle_by if self.stage is Stage.SETTLING else None

    @property
    def pools_are_full(self) -> bool:
        """Whether every host is there, with its pool at its target."""
        hosts = [self.mirror.hosts.get(name) for name in self._plan.hosts]
        return all(
            host is not None and host.live and len(host.pool) >= host.target for host in hosts
        )

    @property
    def refusals(self) -> list[str]:
        """What was refused; a close only if its window is still there."""
        hosts = self._hosts_there()
        return self.refused + [
            text
            for label, text in self._not_closable.items()
            if any(label in host.opened for host in hosts)
        ]

    def _inspections(self) -> list[Request]:
        """Ask hosts whether they know that they are registered: events may be faster than that."""
        unknown = [
            host
            for host in self._plan.hosts
            if host not in self._registered and host not in self._inspected
        ]
        self._inspected.update(unknown)
        return [Request(host, InspectHost(number=self._next_number())) for host in unknown]

    def _promotes(self, now: int) -> list[Request]:
        requests = []
        while self.sent < self._plan.promotes and self._may_promote(now):
            host = min(self._plan.hosts, key=self.open_by_host.__getitem__)
            self.sent += 1
            self.open_by_host[host] += 1
            requests.append(self._request(host, PromoteWindow(number=self._next_number())))
        return requests

    def _may_promote(self, now: int) -> bool:
        if self._plan.rate is not None:
            return now >= self._due(self.sent)
        least = min(self.open_by_host[host] for host in self._plan.hosts)
        in_all = self.sent - self.settled
        return in_all < self._plan.concurrency and least < self._plan.concurrency_per_host

    def _due(self, index: int) -> int:
        rate = self._plan.rate
        assert rate is not None  # noqa: S101 - only asked with a rate
        return self._began_at + round(index * 1_000_000_000 / rate)

    def _closes(self) -> list[Request]:
        requests = []
        in_flight = Counter(self._closing.values())
        for host in self._hosts_there():
            free = CLOSES_IN_FLIGHT - in_flight[host.host]
            left = self._closing.keys() | self._not_closable
            for label in _first(host.opened, free, without=left):
                self._closing[label] = host.host
                close = CloseWindow(number=self._next_number(), label=label)
                requests.append(self._request(host.host, close))
        return requests

    def _hosts_there(self) -> Sequence[HostMirror]:
        hosts = (self.mirror.hosts.get(name) for name in self._plan.hosts)
        return [host for host in hosts if host is not None]

    def _request(self, host: str, message: PromoteWindow | CloseWindow) -> Request:
        request = Request(host, message)
        self._asked[message.number] = request
        return request

    def _next_number(self) -> int:
        self._number += 1
        return self._number


def _first(labels: Iterable[str], count: int, *, without: set[str]) -> list[str]:
    """Give the first `count` labels, without those."""
    found: list[str] = []
    for label in labels:
        if len(found) >= count:
            break
        if label not in without:
            found.append(label)
    return found
