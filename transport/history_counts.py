"""What a history adds up to: `muxsaga run --json` from the history alone.

Nothing here asks a process: the counts can be made again by anybody who has the file. In a sound
history everything in `Counts` that says how often something was wrong is 0.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from msgspec import Struct

from transport.codec import Codec
from transport.history import recorded
from transport.history_lines import (
    BeginsLine,
    EventLine,
    HistoryLine,
    HostLine,
    ProcessLine,
    TruncatedLine,
)
from transport.messages import (
    PoolWindowAdded,
    PoolWindowPromoted,
    Recorded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    Terminal,
    WindowClosed,
    WindowOpened,
)
from transport.mirror import Mirror

RESPAWN = "pool_respawn_on_promote"
REFILL = "pool_refill"
CLEANUP = "window_cleanup_cascade"

PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "max": 100}

Promote = tuple[str, str]
"""Host and promote id."""


class PoolCount(Struct, frozen=True):
    """A host's pool. `target`: the one in force."""

    target: int
    size: int


class Counts(Struct, frozen=True):
    """What a history adds up to.

    Attributes:
        promotes: that hosts did or events tell of, cold ones included.
        completed, failed, open: the warm promotes' sagas.
        cold: promotes that found an empty pool.
        cleanups: completed cleanup sagas.
        failed_sagas, unclosed: sagas of any kind; of the unclosed, also those that were open where
            a history goes on with a log.
        duplicate_terminals: terminals of a bracket that an observer had seen closed.
        terminals_without_start: of a bracket that never opened.
        strays: events with the id of a saga whose bracket was not open.
        foreign_completions: fills that name a window which their host did not add for them.
        repeated_respawns: sagas beyond the one that a promote starts.
        version_gaps: times that an observer's next event was not the next version.
        divergences: versions under which two observers were told different things.
        pool: by host, when the last promote's bracket had closed.
        latency_ms: from a promote in its host to its completion in an observer, by percentile;
            empty when there is none.
    """

    promotes: int
    completed: int
    failed: int
    open: int
    cold: int
    cleanups: int
    failed_sagas: int
    unclosed: int
    duplicate_terminals: int
    terminals_without_start: int
    strays: int
    foreign_completions: int
    repeated_respawns: int
    version_gaps: int
    divergences: int
    pool: dict[str, PoolCount]
    latency_ms: dict[str, float]


def count(lines: Iterable[HistoryLine], codec: Codec | None = None) -> Counts:
    """Give what a history adds up to.

    Raises:
        HistoryError: an event line's map is no event.
    """
    told, sagas = _read(lines, codec or Codec())
    cold = sagas.cold | {each for each, (_, was_cold) in told.promotes.items() if was_cold}
    warm = (told.promotes.keys() | sagas.promotes.keys()) - cold
    completed = sagas.ended(SagaCompleted)
    failed = sagas.ended(SagaFailed)
    kinds = Counter(each.name for each in sagas.known.values() if not each.earlier)
    unseen = sagas.ended_unseen()
    settled = sum(each.name == RESPAWN for each in (*completed, *failed, *unseen))
    causes = Counter(each.cause for each in sagas.known.values() if each.name == RESPAWN)
    del causes[None]
    return Counts(
        promotes=len(warm) + len(cold),
        completed=sum(each.name == RESPAWN for each in completed),
        failed=sum(each.name == RESPAWN for each in failed),
        open=max(len(warm), kinds[RESPAWN]) - settled,
        cold=len(cold),
        cleanups=sum(each.name == CLEANUP for each in completed),
        failed_sagas=len(failed),
        unclosed=len(sagas.open()),
        duplicate_terminals=told.duplicate_terminals(),
        terminals_without_start=sagas.terminals_without_start,
        strays=sagas.strays,
        foreign_completions=sum(sagas.is_foreign(each) for each in completed),
        repeated_respawns=sum(number - 1 for number in causes.values()),
        version_gaps=sum(told.gaps.values()),
        divergences=told.divergences,
        pool=sagas.pool,
        latency_ms=_percentiles(_latencies(told, sagas)),
    )


def _read(lines: Iterable[HistoryLine], codec: Codec) -> "tuple[_Told, _Sagas]":
    told = _Told(codec)
    for line in lines:
        told.take(line)
    sagas = _Sagas(told)
    for version in sorted(told.events):
        sagas.take(told.events[version])
    return told, sagas


class _Told:
    """What the lines say, one after another."""

    def __init__(self, codec: Codec) -> None:
        self.events: dict[int, Recorded] = {}
        self.at_ns: dict[int, int] = {}
        self.promotes: dict[Promote, tuple[int, bool]] = {}
        self.made_for: dict[tuple[str, str], set[int | None]] = {}
        self.gaps: Counter[str] = Counter()
        self.divergences = 0
        self.open_brackets: dict[int, str] = {}
        self.earlier: dict[int, str] = {}
        self.ended_unseen: set[int] = set()
        self._codec = codec
        self._due: dict[str, int] = {}
        self._started: dict[str, set[int]] = {}
        self._terminals: Counter[tuple[str, int]] = Counter()

    def take(self, line: HistoryLine) -> None:
        match line:
            case EventLine():
                self._take_event(line, recorded(line, self._codec))
            case HostLine(did="promoted", promote_id=str(promote_id)):
                self.promotes[line.host, promote_id] = (line.at_ns, line.cold)
            case HostLine(did="ready", label=str(label)):
                made_for = line.identity.saga_id if line.identity is not None else None
                self.made_for.setdefault((line.host, label), set()).add(made_for)
            case TruncatedLine():
                self._truncate(line)
            case BeginsLine(observer=observer, after=after):
                self._due[observer] = after + 1
                self.earlier |= {each.saga_id: each.name for each in line.open}
            case HostLine() | ProcessLine():
                pass

    def _take_event(self, line: EventLine, event: Recorded) -> None:
        version, observer = event.version, line.observer
        due = self._due.get(observer, 1)
        self.gaps[observer] += version != due
        self._due[observer] = max(due, version + 1)
        if self.events.setdefault(version, event) != event:
            self.divergences += 1
        self.at_ns[version] = min(line.at_ns, self.at_ns.get(version, line.at_ns))
        if event.saga_id is None:
            return
        if isinstance(event, SagaStarted):
            self._started.setdefault(observer, set()).add(event.saga_id)
        elif isinstance(event, SagaCompleted | SagaFailed):
            self._terminals[observer, event.saga_id] += 1

    def _truncate(self, line: TruncatedLine) -> None:
        observer = line.observer
        self._due[observer] = max(line.before, self._due.get(observer, 1))
        still_open = {each.saga_id: each.name for each in line.open}
        self.open_brackets |= still_open
        started = self._started.setdefault(observer, set())
        self.ended_unseen |= started - still_open.keys()
        started |= still_open.keys()

    def duplicate_terminals(self) -> int:
        return sum(number - 1 for number in self._terminals.values())


@dataclass(slots=True)
class _KnownSaga:
    saga_id: int
    name: str
    earlier: bool = False
    cause: int | None = None
    terminal: Terminal | None = None
    added: list[tuple[str, str]] = field(default_factory=list)


class _Sagas:
    """What the events say, in the order of their versions."""

    def __init__(self, told: _Told) -> None:
        self.known = {each: _KnownSaga(each, name) for each, name in told.open_brackets.items()}
        for each, name in told.earlier.items():
            self.known[each] = _KnownSaga(each, name, earlier=True)
        self.promotes: dict[Promote, int] = {}
        self.cold: set[Promote] = set()
        self.terminals_without_start = 0
        self.strays = 0
        self._told = told
        self._mirror = Mirror()
        self._open_respawns = 0
        self._pool_at_first_close: dict[str, PoolCount] | None = None

    def take(self, event: Recorded) -> None:
        if isinstance(event, WindowClosed) and not event.crash_detected:
            self._judge_pools()
        self._mirror.apply(event)
        self._note_promote(event)
        saga_id = event.saga_id
        if saga_id is None:
            return
        if isinstance(event, SagaStarted):
            saga = self.known.setdefault(saga_id, _KnownSaga(saga_id, event.name))
            saga.cause = event.cause
            if event.name == RESPAWN:
                self._open_respawns += 1
                self._pool_at_first_close = None
        elif isinstance(event, SagaCompleted | SagaFailed):
            self._close(saga_id, event)
        elif saga_id not in self.known or self.known[saga_id].terminal is not None:
            self.strays += 1
        elif isinstance(event, PoolWindowAdded) and event.origin is not None:
            self.known[saga_id].added.append((event.origin.host, event.label))

    def _note_promote(self, event: Recorded) -> None:
        if event.origin is None:
            return
        if isinstance(event, PoolWindowPromoted):
            self.promotes[event.origin.host, event.promote_id] = event.version
        elif isinstance(event, WindowOpened) and event.cold and event.promote_id is not None:
            self.cold.add((event.origin.host, event.promote_id))

    def _close(self, saga_id: int, terminal: Terminal) -> None:
        saga = self.known.get(saga_id)
        if saga is None:
            self.terminals_without_start += 1
        elif saga.terminal is None:
            saga.terminal = terminal
            if saga.name == RESPAWN and not saga.earlier:
                self._open_respawns -= 1

    def open(self) -> list[_KnownSaga]:
        """Give the sagas that have no terminal, and none that nobody could see."""
        unseen = self._told.ended_unseen
        return [
            each
            for each in self.known.values()
            if each.terminal is None and each.saga_id not in unseen
        ]

    def ended(self, how: type[Terminal]) -> list[_KnownSaga]:
        """Give the sagas that began in this history and ended so."""
        return [
            each
            for each in self.known.values()
            if isinstance(each.terminal, how) and not each.earlier
        ]

    def ended_unseen(self) -> list[_KnownSaga]:
        """Give the sagas that closed where history is truncated."""
        unseen = (self.known.get(each) for each in self._told.ended_unseen)
        return [each for each in unseen if each is not None and each.terminal is None]

    def is_foreign(self, saga: _KnownSaga) -> bool:
        """Say whether a fill names a window that was not made for it."""
        if saga.name not in {RESPAWN, REFILL} or not isinstance(saga.terminal, SagaCompleted):
            return False
        label, own = saga.terminal.result, {saga.saga_id}
        trigger = self._told.events.get(saga.cause or 0)
        host = trigger.origin.host if trigger is not None and trigger.origin is not None else None
        return not any(
            added_label == label
            and host in {None, added_host}
            and self._told.made_for.get((added_host, label), own) == own
            for added_host, added_label in saga.added
        )

    @property
    def pool(self) -> dict[str, PoolCount]:
        """Every host's pool after the last promote's bracket closed, before users close windows."""
        return self._pool_at_first_close or self._pool_now()

    def _judge_pools(self) -> None:
        if self._open_respawns <= 0 and self._pool_at_first_close is None:
            self._pool_at_first_close = self._pool_now()

    def _pool_now(self) -> dict[str, PoolCount]:
        return {
            name: PoolCount(host.target, len(host.pool))
            for name, host in self._mirror.hosts.items()
        }


def _latencies(told: _Told, sagas: _Sagas) -> list[float]:
    completed_at = {
        saga.cause: told.at_ns[saga.terminal.version]
        for saga in sagas.known.values()
        if saga.name == RESPAWN
        and saga.cause is not None
        and isinstance(saga.terminal, SagaCompleted)
    }
    return [
        (completed_at[sagas.promotes[promote]] - promoted_at) / 1e6
        for promote, (promoted_at, _) in told.promotes.items()
        if sagas.promotes.get(promote) in completed_at
    ]


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    """Give exact percentiles, by nearest rank."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        name: round(ordered[ceil(percent * len(ordered) / 100) - 1], 3)
        for name, percent in PERCENTILES.items()
    }
