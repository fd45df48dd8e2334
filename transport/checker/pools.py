"""Invariant 8: what observers are told of windows is what hosts have, and every pool gets whole."""

from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import WHOLE_WITHIN
from transport.checker.told import Told
from transport.checker.versions import VersionOrder
from transport.checker.window_mirror import WindowMirror
from transport.history_lines import BeginsLine, HostEndLine, ProcessLine, TruncatedLine

WINDOW_EVENTS = frozenset(
    {
        "PoolWindowAdded",
        "PoolWindowRemoved",
        "PoolWindowPromoted",
        "WindowOpened",
        "WindowClosed",
        "PoolDrained",
        "HostLeft",
    }
)


class Pools(Part):
    """Every observer's mirror of every host, and what the hosts had in the end."""

    def __init__(self, findings: Findings, course: Course, versions: VersionOrder) -> None:
        self._findings = findings
        self._course = course
        self._versions = versions
        self._mirrors: dict[str, dict[str, WindowMirror]] = {}
        self._partial: set[str] = set()
        self._ends: dict[str, tuple[int, HostEndLine]] = {}
        self._registered: dict[tuple[str, str], int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(type="HostRegistered"):
                self._register(number, line)
            case Told() if line.type in WINDOW_EVENTS:
                self._apply(number, line)
            case TruncatedLine(observer=observer) | BeginsLine(observer=observer):
                self._mirrors.pop(observer, None)
                self._partial.add(observer)
            case HostEndLine():
                self._ends[line.host] = number, line
            case ProcessLine(name=name) if name == self._course.restarted:
                self._mirrors.pop(name, None)
            case _:
                pass

    def _register(self, number: int, told: Told) -> None:
        before = self._registered.setdefault((told.host, told.epoch), number)
        if told.first and before != number:
            message = f"{told} registers epoch {told.epoch} of {told.host} a second time"
            self._violated(message, before, number)
        target = told.fields.get("pool_target")
        mirror = WindowMirror(
            told.epoch,
            target if isinstance(target, int) else 0,
            number,
            drained=bool(told.fields.get("drained")),
        )
        self._mirrors.setdefault(told.observer, {})[told.host] = mirror
        self._watch(mirror, told)

    def _apply(self, number: int, told: Told) -> None:
        mirror = self._mirrors.get(told.observer, {}).get(told.host)
        if mirror is None and told.observer in self._partial:
            return
        if mirror is None or mirror.epoch != told.epoch:
            message = f"{told} is of {told.host} in an epoch that is not registered"
            self._violated(message, mirror.number if mirror is not None else None, number)
            return
        before = mirror.pool.get(told.label) or mirror.open.get(told.label)
        wrong = mirror.apply(told, number)
        if wrong is not None:
            self._violated(f"{told} {wrong}", before, number)
        self._watch(mirror, told)

    def _watch(self, mirror: WindowMirror, told: Told) -> None:
        if mirror.is_short:
            if mirror.short_since is None:
                mirror.short_since = told.at_ns
        elif mirror.short_since is not None:
            self._judge_time(mirror, told.host, told.at_ns)
            mirror.short_since = None

    def _judge_time(self, mirror: WindowMirror, host: str, now: int) -> None:
        if mirror.short_since is None or not self._course.leaves_in_peace(host):
            return
        since = max(mirror.short_since, self._course.disturbed_at)
        if now - since > WHOLE_WITHIN:
            message = f"the pool of {host}, epoch {mirror.epoch}, was short for more than 60 s"
            self._violated(message, mirror.number)

    def finish(self) -> None:
        """Compare what observers were told with what hosts have."""
        for host, (number, end) in self._ends.items():
            self._judge_end(number, end)
            complete = [
                mirrors.get(host)
                for observer, mirrors in self._mirrors.items()
                if observer not in self._course.down and self._versions.is_at_the_end(observer)
            ]
            for mirror in complete:
                self._compare(number, end, mirror)
        for mirrors in self._mirrors.values():
            for host, mirror in mirrors.items():
                self._judge_time(mirror, host, self._course.now)
        if not self._ends:
            reason = "no line tells what hosts had in the end: nothing is compared with it"
            self._findings.unjudged(Invariant.POOL, reason)

    def _judge_end(self, number: int, end: HostEndLine) -> None:
        labels = (*end.pool, *end.open)
        if not all(labels):
            self._violated(f"{end.host} has a window without a label", number)
        if len(set(labels)) != len(labels):
            self._violated(f"{end.host} has one label twice", number)
        target = 0 if end.drained else end.pool_target
        if self._course.fault_lasts:
            reason = "a fault lasted to the end: pools may be short"
            self._findings.unjudged(Invariant.POOL, reason)
        elif len(end.pool) < target:
            message = f"the pool of {end.host} has {len(end.pool)} windows, its target is {target}"
            self._violated(message, number)

    def _compare(self, number: int, end: HostEndLine, mirror: WindowMirror | None) -> None:
        if mirror is None:
            if not self._partial:
                self._violated(f"nobody was told of {end.host}", number)
            return
        if mirror.epoch != end.epoch or not mirror.live:
            message = f"{end.host} is in epoch {end.epoch}, told was the end of it, or another"
            self._violated(message, mirror.number, number)
            return
        for what, told, has in (
            ("pool", mirror.pool, set(end.pool)),
            ("open", mirror.open, set(end.open)),
        ):
            for label in sorted(told.keys() - has):
                message = f"{label!r} is told as {what}, {end.host} does not have it there"
                self._violated(message, told[label], number)
            for label in sorted(has - told.keys()):
                message = f"{end.host} has {label!r} as {what}, which is not told"
                self._violated(message, number)

    def _violated(self, message: str, *numbers: int | None) -> None:
        self._findings.violated(Invariant.POOL, message, *numbers)
