"""What the reference model keeps of each child."""

from dataclasses import dataclass

from actors.supervision.child_spec import ChildSpec, ExitReason, Intensity
from actors.supervision.supervisor_child import ChildState

BILLION = 10**9
LIFE_STATES = {
    "starting": ChildState.STARTING,
    "up": ChildState.RUNNING,
    "told": ChildState.STOPPING,
}


@dataclass(eq=False)
class Row:
    """`life` is "", "starting", "up" or "told"; `asked` "", "first", "new" or "again"."""

    spec: ChildSpec
    place: int
    asked: str
    turn: int
    life: str = ""
    number: int = 0
    since: int = 0
    wanted: bool = True
    held: bool = False
    not_before: int | None = None
    deadline: int | None = None
    forced: bool = False
    dismissed: bool = False
    death: tuple[int, ExitReason] | None = None
    streak: int = 0
    crashes: tuple[int, ...] = ()


def overrun(times: tuple[int, ...], now: int, limit: Intensity) -> bool:
    return sum(now - time <= limit.period * BILLION for time in times) > limit.restarts


def state(row: Row) -> ChildState:
    if row.life:
        return LIFE_STATES[row.life]
    if row.death:
        return ChildState.ENDED
    if not row.wanted:
        return ChildState.STOPPED
    return ChildState.BACKOFF if row.held or row.not_before is not None else ChildState.QUEUED
