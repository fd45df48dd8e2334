"""Judges a history: the one place that says what is wrong with a simulated run."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from transport.codec import Codec
from transport.history import recorded
from transport.history_counts import Counts, count
from transport.history_lines import EventLine, HistoryLine, HostEndLine, LogLine, SagaLine
from transport.messages import SagaStarted
from transport.mirror import Mirror

COUNTED = {
    "unclosed": 1,
    "duplicate_terminals": 1,
    "terminals_without_start": 1,
    "repeated_respawns": 1,
    "strays": 2,
    "foreign_completions": 4,
    "version_gaps": 7,
    "divergences": 7,
}
"""What `transport.history_counts` counts of what must never be, and which invariant that breaks."""


class Violation(Struct, frozen=True):
    """Something that must not be.

    Attributes:
        invariant: its number; 0 for what is wrong with the run and not with its history.
        message: what is wrong, in a sentence.
        lines: the lines of the history that prove it.
    """

    invariant: int
    message: str
    lines: tuple[HistoryLine, ...] = ()


def judge(lines: Sequence[HistoryLine]) -> list[Violation]:
    """Give everything that is wrong with a history."""
    return [*_counted(count(lines)), *_ids(lines), *_ends(lines)]


def _counted(counts: Counts) -> Iterator[Violation]:
    for name, invariant in COUNTED.items():
        number = getattr(counts, name)
        if number:
            yield Violation(invariant, f"{name.replace('_', ' ')}: {number}")


def _ids(lines: Sequence[HistoryLine]) -> Iterator[Violation]:
    codec, highest = Codec(), dict[str, int]()
    for line in lines:
        if not isinstance(line, EventLine) or line.event["type"] != SagaStarted.__name__:
            continue
        saga_id = recorded(line, codec).saga_id or 0
        if saga_id <= highest.get(line.observer, 0):
            yield Violation(6, f"saga {saga_id} started after a higher one", (line,))
        highest[line.observer] = max(saga_id, highest.get(line.observer, 0))


def _ends(lines: Sequence[HistoryLine]) -> Iterator[Violation]:
    for saga in lines:
        if isinstance(saga, SagaLine) and saga.state == "open":
            yield Violation(1, f"saga {saga.saga_id} is open at the end", (saga,))
    mirror, version = _told(lines)
    log = next((line for line in lines if isinstance(line, LogLine)), None)
    if log is not None and log.version != version:
        yield Violation(7, f"the log has {log.version} events, observers {version}", (log,))
    for host in (line for line in lines if isinstance(line, HostEndLine)):
        seen = mirror.hosts.get(host.host)
        if seen is None or (set(seen.pool), set(seen.opened)) != (set(host.pool), set(host.open)):
            yield Violation(8, f"the mirror of {host.host} is not what it has", (host,))
        if len(host.pool) < (0 if host.drained else host.pool_target):
            yield Violation(8, f"the pool of {host.host} has {len(host.pool)} windows", (host,))


def _told(lines: Sequence[HistoryLine]) -> tuple[Mirror, int]:
    """Give what all events together say, and the last version."""
    codec, events = Codec(), dict[int, EventLine]()
    for line in lines:
        if isinstance(line, EventLine):
            events.setdefault(line.event["version"], line)
    mirror = Mirror()
    for version in sorted(events):
        mirror.apply(recorded(events[version], codec))
    return mirror, max(events, default=0)
