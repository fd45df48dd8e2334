"""Invariant 4: a completed fill names the one window that its host made for it, which was ready."""

from dataclasses import dataclass

from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import Rules
from transport.checker.saga_book import SagaBook, Story
from transport.checker.told import Told
from transport.history_lines import HostLine
from transport.messages import CommandIdentity

Step = tuple[int, int]
"""Saga id and step."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A window that was made, or told of."""

    host: str
    label: str
    at_ns: int
    number: int


class Completion(Part):
    """The windows that were made for sagas, and those that observers were told of."""

    def __init__(self, findings: Findings, rules: Rules, book: SagaBook) -> None:
        self._findings = findings
        self._rules = rules
        self._book = book
        self._made: dict[Step, _Window] = {}
        self._made_for: dict[int, _Window] = {}
        self._added: dict[int, _Window] = {}
        self._executed: dict[Step, tuple[str, str, int]] = {}
        self._settled: dict[tuple[str, Step], tuple[int | None, int]] = {}
        self._labels: dict[tuple[str, str], int] = {}
        self._unmade: dict[tuple[str, str], int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case HostLine(did="ready"):
                self._ready(number, line)
            case HostLine(did="command", repeated=False):
                self._command(number, line)
            case HostLine(did="report", identity=CommandIdentity() as identity):
                self._report(number, line, (identity.saga_id, identity.step))
            case Told(type="PoolWindowAdded", first=True):
                if (line.host, line.label) not in self._labels:
                    self._unmade[line.host, line.label] = number
                if line.saga_id is not None:
                    self._add(number, line, line.saga_id)
            case _:
                pass

    def _ready(self, number: int, line: HostLine) -> None:
        label = line.label or ""
        window = _Window(line.host, label, line.at_ns, number)
        before = self._labels.setdefault((line.host, label), number)
        if before != number:
            self._violated(f"{line.host} made two windows {label!r}", before, number)
        self._unmade.pop((line.host, label), None)
        if not label:
            message = f"{line.host} made a window without a label"
            self._findings.violated(Invariant.POOL, message, number)
        if line.identity is None:
            return
        step = (line.identity.saga_id, line.identity.step)
        first = self._made.setdefault(step, window)
        if first is not window:
            message = f"two windows were made for step {step[1]} of saga {step[0]}"
            self._violated(message, first.number, number)
        self._made_for[step[0]] = window

    def _command(self, number: int, line: HostLine) -> None:
        if line.identity is None:
            return
        step = (line.identity.saga_id, line.identity.step)
        host, epoch, before = self._executed.setdefault(step, (line.host, line.epoch, number))
        again = before != number and (line.type == "SpawnPoolWindow" or epoch == line.epoch)
        if again:
            message = f"step {step[1]} of saga {step[0]} was executed twice, by {host}"
            self._violated(message, before, number)

    def _report(self, number: int, line: HostLine, step: Step) -> None:
        report = (line.sequence, number)
        first, before = self._settled.setdefault((line.epoch, step), report)
        if first != line.sequence:
            message = f"{line.host} settled step {step[1]} of saga {step[0]} with two reports"
            self._violated(message, before, number)

    def _add(self, number: int, told: Told, saga_id: int) -> None:
        window = _Window(told.host, told.label, told.at_ns, number)
        before = self._added.setdefault(saga_id, window)
        if before is not window:
            message = f"two windows were added for saga {saga_id}"
            self._violated(message, before.number, number)

    @property
    def executed(self) -> dict[Step, tuple[str, str, int]]:
        """Every step that was executed: host, epoch and line."""
        return self._executed

    def finish(self) -> None:
        """Judge every completed fill."""
        if not self._made:
            reason = "no line tells of a window that a host made: only events are compared"
            self._findings.unjudged(Invariant.COMPLETED_MEANS_DONE, reason)
        makers = {host for host, _ in self._labels}
        for (host, label), number in self._unmade.items():
            if host in makers:
                message = f"{label!r} was added to the pool of {host}, which never made it"
                self._findings.violated(Invariant.POOL, message, number)
        named: dict[str, int] = {}
        for saga_id, story in self._book.stories.items():
            if story.name in self._rules.fills and story.state == "completed":
                other = named.setdefault(story.text, story.ended)
                if other != story.ended:
                    message = f"two sagas are completed with window {story.text!r}"
                    self._violated(message, other, story.ended)
                self._judge_fill(saga_id, story, makers)

    def _judge_fill(self, saga_id: int, story: Story, makers: set[str]) -> None:
        added, made = self._added.get(saga_id), self._made_for.get(saga_id)
        who = f"saga {saga_id} is completed with window {story.text!r}"
        if added is not None and added.label != story.text:
            self._violated(f"{who}, {added.label!r} was added for it", added.number, story.ended)
        elif added is None and not story.earlier:
            self._violated(f"{who}, none was added for it", story.ended)
        if added is not None and made is None and added.host in makers:
            self._violated(f"{who}, {added.host} made none for it", added.number, story.ended)
        if made is None:
            return
        if made.label != story.text:
            message = f"{who}, {made.host} made {made.label!r} for it"
            self._violated(message, made.number, story.ended)
        elif made.at_ns > story.ended_at:
            self._violated(f"{who}, which was not ready yet", made.number, story.ended)
        if added is not None and added.host != made.host:
            message = f"{who} of {added.host}, but {made.host} made it"
            self._violated(message, made.number, added.number)

    def _violated(self, message: str, *numbers: int) -> None:
        self._findings.violated(Invariant.COMPLETED_MEANS_DONE, message, *numbers)
