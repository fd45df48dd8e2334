"""Invariant 1: what users did is told, and every event that starts a saga starts exactly one.

A promote or close whose report was not taken before its host died needs no event and no bracket.
Nor does one that was done before a history begins.
"""

from dataclasses import dataclass, field

from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import Rules, Trigger
from transport.checker.told import Ledger, Told
from transport.history_lines import (
    BeginsLine,
    HostEndLine,
    HostLine,
    ProcessLine,
    TruncatedLine,
)


@dataclass(slots=True)
class _Waiting:
    """The triggers whose saga an observer was not told of yet: version and saga name to line.

    Attributes:
        known_from: what is caused by an earlier version cannot be judged.
    """

    triggers: dict[tuple[int, str], int] = field(default_factory=dict)
    known_from: int = 1


class Triggers(Part):
    """Every observer's triggers."""

    def __init__(self, findings: Findings, course: Course, rules: Rules) -> None:
        self._findings = findings
        self._course = course
        self._by_type: dict[str, list[Trigger]] = {}
        for trigger in rules.triggers:
            self._by_type.setdefault(trigger.event_type, []).append(trigger)
        self._names = {trigger.saga for trigger in rules.triggers}
        self._observers: dict[str, _Waiting] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(type="SagaStarted"):
                self._started(number, line)
            case Told() if line.type in self._by_type:
                mine = self._observers.setdefault(line.observer, _Waiting())
                for trigger in self._by_type[line.type]:
                    if trigger.starts(line):
                        mine.triggers[line.version, trigger.saga] = number
            case TruncatedLine(observer=observer, before=before):
                self._observers[observer] = _Waiting(known_from=before)
            case BeginsLine(observer=observer, after=after):
                self._observers[observer] = _Waiting(known_from=after + 1)
            case ProcessLine(name=name) if name == self._course.restarted:
                self._observers.pop(name, None)
            case _:
                pass

    def _started(self, number: int, told: Told) -> None:
        name, cause = told.fields.get("name"), told.fields.get("cause")
        if name not in self._names:
            return
        mine = self._observers.setdefault(told.observer, _Waiting())
        version = cause if isinstance(cause, int) else None
        if mine.triggers.pop((version or 0, name), None) is not None:
            return
        if version is None or version >= mine.known_from:
            message = f"{told} starts {name}, but version {cause} starts none, or has started one"
            self._findings.violated(Invariant.BRACKETS, message, number)

    def finish(self) -> None:
        """Judge which triggers started nothing."""
        for observer, mine in self._observers.items():
            if observer in self._course.down:
                continue
            for (version, name), number in mine.triggers.items():
                message = f"version {version} started no {name}"
                self._findings.violated(Invariant.BRACKETS, message, number)


@dataclass(frozen=True, slots=True)
class _Action:
    """A user action as its host did it."""

    host: str
    epoch: str
    what: str
    subject: str
    number: int


Key = tuple[str, str, str]
"""Host, what was done, promote id or label."""


class UserActions(Part):
    """What users did in hosts, against what observers were told of it."""

    def __init__(self, findings: Findings, course: Course, ledger: Ledger) -> None:
        self._findings = findings
        self._course = course
        self._ledger = ledger
        self._untold: dict[Key, _Action] = {}
        self._told_early: set[Key] = set()
        self._alive: dict[str, tuple[str, int]] = {}
        self._died: dict[str, int] = {}
        self._has_hosts = False
        self._begins = 1

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case HostLine(did="promoted", promote_id=str(promote_id)):
                self._did(number, line, "promote", promote_id)
            case HostLine(did="closed", label=str(label)):
                self._did(number, line, "close", label)
            case HostLine(did="fenced", host=host):
                self._died[host] = number
            case Told(type="PoolWindowPromoted"):
                self._told(line, "promote", str(line.fields.get("promote_id")))
            case Told(type="WindowOpened") if line.fields.get("cold"):
                self._told(line, "promote", str(line.fields.get("promote_id")))
            case Told(type="WindowClosed"):
                self._told(line, "close", line.label)
            case HostEndLine():
                self._alive[line.host] = line.epoch, number
            case ProcessLine(did="killed" | "ended"):
                self._died[line.name] = number
            case BeginsLine(after=after):
                self._begins = after + 1
                if self._ledger.highest < after:
                    self._untold.clear()
            case _:
                pass
        self._has_hosts = self._has_hosts or isinstance(line, HostLine)

    def _did(self, number: int, line: HostLine, what: str, subject: str) -> None:
        key = (line.host, what, subject)
        if key in self._told_early:
            self._told_early.discard(key)
        else:
            self._untold[key] = _Action(line.host, line.epoch, what, subject, number)

    def _told(self, told: Told, what: str, subject: str) -> None:
        key = (told.host, what, subject)
        if told.first and self._untold.pop(key, None) is None:
            self._told_early.add(key)

    def finish(self) -> None:
        """Judge what was never told."""
        if not self._has_hosts:
            reason = "there are no lines of hosts: lost promotes and closes do not show"
            self._findings.unjudged(Invariant.BRACKETS, reason)
        if self._course.truncated and not self._ledger.is_whole_from(self._begins):
            reason = "history is truncated: promotes and closes may have been told before"
            self._findings.unjudged(Invariant.BRACKETS, reason)
            return
        for action in self._untold.values():
            if self._had_to_be_told(action):
                message = f"the {action.what} of {action.subject} in {action.host} was never told"
                self._findings.violated(Invariant.BRACKETS, message, action.number)

    def _had_to_be_told(self, action: _Action) -> bool:
        alive = self._alive.get(action.host)
        if alive is not None:
            epoch, number = alive
            return epoch == action.epoch and action.number < number
        return self._died.get(action.host, 0) < action.number
