"""Sound histories to spoil: of a simulated system, with the lines that one has at its end.

A history is cut where its last promote's bracket has closed, all pools are full and users still
have windows; or it goes on until all are closed. What hosts have in the end is told from their own
record, never from events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from msgspec.structs import replace

from tests.simulated_histories import simulated
from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostEndLine,
    HostLine,
    LogLine,
    ProcessLine,
    SagaLine,
    StepRow,
    TimeoutsLine,
)

SECOND = 1_000_000_000
BEGIN = 1_000 * SECOND
"""When a history begins, so that there is time before it."""

HOSTS = ("host-1", "host-2")
POOL_TARGET = 3
TIMEOUTS = {"pool_respawn_on_promote": 5.0, "pool_refill": 5.0, "window_cleanup_cascade": 30.0}


@cache
def closed_history(seed: int = 1) -> tuple[HistoryLine, ...]:
    """Give a history in which users close every window."""
    return whole(_simulated(seed))


@cache
def open_history(seed: int = 1) -> tuple[HistoryLine, ...]:
    """Give a history at whose end users have windows, and every pool is full."""
    lines = _simulated(seed)
    first_close = next(
        index
        for index, line in enumerate(lines)
        if isinstance(line, HostLine) and line.did == "closed"
    )
    return whole(lines[:first_close])


def _simulated(seed: int) -> list[HistoryLine]:
    lines = simulated(seed, promotes=8, hosts=len(HOSTS), pool_target=POOL_TARGET, link_breaks=1)
    return [replace(line, at_ns=line.at_ns + BEGIN) for line in lines]


def whole(lines: Sequence[HistoryLine]) -> tuple[HistoryLine, ...]:
    """Give a history with what stands before it and what is known at its end."""
    before: list[HistoryLine] = [
        ProcessLine(BEGIN, name, 0, "started") for name in ("launcher", *HOSTS, "observer")
    ]
    before.append(TimeoutsLine(BEGIN, TIMEOUTS))
    end = lines[-1].at_ns + SECOND
    return (*before, *lines, *host_ends(lines, end), *rows(lines, end))


@dataclass
class _Windows:
    epoch: str
    pool: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    drained: bool = False


def host_ends(lines: Iterable[HistoryLine], at_ns: int) -> list[HistoryLine]:
    """Give what hosts have after what they say that they did."""
    hosts: dict[str, _Windows] = {}
    for line in lines:
        if not isinstance(line, HostLine):
            continue
        windows = hosts.setdefault(line.host, _Windows(line.epoch))
        match line:
            case HostLine(did="ready", label=str(label)):
                windows.pool.append(label)
            case HostLine(did="promoted", label=str(label)):
                windows.pool.remove(label)
                windows.open.append(label)
                windows.drained = False
            case HostLine(did="closed", label=str(label)):
                windows.open.remove(label)
            case HostLine(did="drained"):
                windows.pool.clear()
                windows.drained = True
            case _:
                pass
    return [
        HostEndLine(
            at_ns,
            host,
            windows.epoch,
            tuple(windows.pool),
            tuple(windows.open),
            POOL_TARGET,
            windows.drained,
        )
        for host, windows in hosts.items()
    ]


COMMANDS = {
    "pool_respawn_on_promote": ("SpawnPoolWindow",),
    "pool_refill": ("SpawnPoolWindow",),
    "window_cleanup_cascade": ("ReapPanes", "DrainPoolIfLast"),
}


def rows(lines: Iterable[HistoryLine], at_ns: int) -> list[HistoryLine]:
    """Give the log's rows after these events: as spoils change either, they are told apart."""
    sagas: dict[int, SagaLine] = {}
    version, log = 0, ""
    for line in lines:
        if isinstance(line, HostLine) and line.identity is not None:
            log = line.identity.log
        if not isinstance(line, EventLine):
            continue
        event = line.event
        version, saga_id = event["version"], event["saga_id"]
        if event["type"] == "SagaStarted":
            sagas[saga_id] = SagaLine(at_ns, saga_id, event["name"], "open", cause=event["cause"])
        elif event["type"] in {"SagaCompleted", "SagaFailed"}:
            steps = enumerate(COMMANDS[sagas[saga_id].name])
            sagas[saga_id] = replace(
                sagas[saga_id],
                state="completed",
                result=event["result"],
                steps=tuple(StepRow(step, "HOST", name, "settled") for step, name in steps),
            )
    half = version // 2
    journal = ((1, half), (half + 1, version))
    return [*sagas.values(), LogLine(at_ns, log, version, max(sagas) + 1, journal)]
