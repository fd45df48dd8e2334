"""Where a promote's time goes, by the launcher's own time stamps. Pure.

A promote passes through the launcher twice: with its host's reports, which start its saga, and with
the report of the new window, which ends it. Each time it is one unit of work in a pass. From its
beginning to its end every nanosecond belongs to exactly one segment:

* `trigger`: from when an open loop's promote was due until its window left the pool;
* `spawn`: the host made the window; where that takes no time, it is not told apart from `wire`;
* `wire`: under way between processes, or at work in the host, while the launcher waited;
* `queue`: the launcher was busy with others, before this one's turn or in the rest of its pass;
* `reducer`: its reports were decoded, made events, and applied;
* `saga`: coordinator and saga acted on them;
* `commit`: the pass was made durable;
* `send`: events were published and commands sent, up to the end of the first pass;
* `fan_out`: from the last commit until the observer had the terminal event, decoded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from actors.pass_times import Moment, Note
from bench.measured import MeasuredPromote
from bench.promote_ledger import VoidRunError
from bench.scene import PromoteEvents
from bench.spawn_times import Spawn

SEGMENTS = ("trigger", "spawn", "wire", "queue", "reducer", "saga", "commit", "send", "fan_out")
MICROSECOND = 1_000


@dataclass(slots=True)
class Pass:
    """A launcher's pass; 0 where it had no such moment."""

    commits: int = 0
    committed: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """What one command gave.

    Attributes:
        last: version of its last event.
        read: when the message that brought it was read.
        began, reduced, done: when its turn came, when its events were there, when all had acted.
    """

    last: int
    read: int
    began: int
    reduced: int
    done: int
    of: Pass


class Course:
    """A launcher's course: its units of work in order, and when it had nothing to do."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self.units: list[Unit] = []
        self._idle: list[tuple[int, int]] = []
        current, before, read, began, reduced, waits = Pass(), 0, 0, 0, 0, 0
        for moment, at, version in notes:
            match moment:
                case Moment.WAITS:
                    current.ended = waits = at
                    current = Pass()
                case Moment.AWAKE:
                    self._idle.append((waits, at))
                case Moment.READ:
                    read = at
                case Moment.DISPATCHES:
                    began, reduced = before, at
                case Moment.DISPATCHED:
                    self.units.append(Unit(version, read, began, reduced, at, current))
                case Moment.COMMITS:
                    current.commits = at
                case Moment.COMMITTED:
                    current.committed = at
            before = at
        self._lasts = [unit.last for unit in self.units]
        self._idle_ends = [end for _, end in self._idle]
        self._idle_sums = [0, *accumulate(end - begin for begin, end in self._idle)]

    def unit_of(self, version: int) -> Unit:
        """Give the unit of work that an event came of.

        Raises:
            VoidRunError: none was noted, or its pass was not.
        """
        index = bisect_left(self._lasts, version)
        if index == len(self.units) or not self.units[index].of.ended:
            msg = f"the launcher's times do not have version {version}"
            raise VoidRunError(msg)
        return self.units[index]

    def idle(self, begin: int, end: int) -> int:
        """Give how long the launcher had nothing to do from one time to another."""
        return self._idle_until(end) - self._idle_until(begin)

    def _idle_until(self, at: int) -> int:
        whole = bisect_right(self._idle_ends, at)
        part = max(0, at - self._idle[whole][0]) if whole < len(self._idle) else 0
        return self._idle_sums[whole] + part


def breakdown(
    promotes: Sequence[tuple[MeasuredPromote, PromoteEvents]],
    notes: Iterable[Note],
    spawns: Mapping[int, Spawn],
) -> dict[str, float]:
    """Give the mean of each segment over some promotes, in microseconds.

    Args:
        promotes: one or more, with their events.
        notes: of the launcher, of its whole life.
        spawns: when windows were made, by saga, as far as that is known.

    Raises:
        VoidRunError: the notes do not have these promotes.
    """
    course, sums = Course(notes), dict.fromkeys(SEGMENTS, 0)
    for promote, events in promotes:
        spawn = spawns.get(events.saga_id)
        for segment, nanoseconds in _segments(promote, events, spawn, course):
            sums[segment] += nanoseconds
    return {segment: sums[segment] / len(promotes) / MICROSECOND for segment in SEGMENTS}


def _segments(
    promote: MeasuredPromote, events: PromoteEvents, spawn: Spawn | None, course: Course
) -> Iterable[tuple[str, int]]:
    start, end = course.unit_of(events.trigger), course.unit_of(events.terminal)
    yield "trigger", promote.taken - promote.began
    yield from _under_way(promote.taken, start.read, course)
    yield from _in_pass(start)
    yield "send", start.of.ended - start.of.committed
    sent = start.of.ended
    began, ready = spawn or (sent, sent)
    began = max(began, sent)  # a host may be at work before the launcher's pass has ended
    ready = max(ready, began)
    yield "spawn", ready - began
    yield from _under_way(sent, began, course)
    yield from _under_way(ready, end.read, course)
    yield from _in_pass(end)
    yield "fan_out", promote.completed - end.of.committed


def _under_way(left: int, read: int, course: Course) -> Iterable[tuple[str, int]]:
    idle = course.idle(left, read)
    yield "wire", idle
    yield "queue", read - left - idle


def _in_pass(unit: Unit) -> Iterable[tuple[str, int]]:
    yield "queue", unit.began - unit.read + unit.of.commits - unit.done
    yield "reducer", unit.reduced - unit.began
    yield "saga", unit.done - unit.reduced
    yield "commit", unit.of.committed - unit.of.commits
