"""The times in invariants 1 and 9: how long a bracket may stay open.

A bracket closes within its deadline and ten seconds. That time counts anew whenever the launcher is
started or continued, whenever an outage of its log ends, and at every fault of its own: then it has
made sagas anew, whose deadlines it extends. While it is down, or its log is out, no time counts. A
bracket that was overdue before such a moment stays overdue. Both ends are taken from the observer
that was told first, so one that is cut off does not matter while another is not.

A saga of a host that nothing was done to, with a launcher and an observer that nothing was done to,
ends within its deadline and the two seconds that firing and delivery may take. Nor does it fail for
want of time, unless its host was sent the command and is slow to answer of itself. That holds for
every saga once there was peace for a while: whatever was lost before has been sent again. A saga
that has a step for a service is not its host's alone, and not judged so.
"""

from transport.checker.brackets import TERMINALS
from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import MOST_VIOLATIONS, Findings, Invariant
from transport.checker.rules import CLOSES_WITHIN, ON_TIME_WITHIN, PEACE, SECOND, Rules
from transport.checker.saga_book import SagaBook, Story
from transport.checker.told import Told
from transport.history_lines import (
    BeginsLine,
    FaultLine,
    HostLine,
    OutageLine,
    ProcessLine,
    SagaLine,
    TimeoutsLine,
)
from transport.messages import CommandIdentity

SERVICE_TARGET = "srv"
"""The target of a service's step, as a saga's row has it."""

_TURNS = ProcessLine | FaultLine | OutageLine


class Deadlines(Part):
    """Which brackets are open, and since when their time counts. It looks before `Course` does."""

    def __init__(self, findings: Findings, course: Course, rules: Rules, book: SagaBook) -> None:
        self._findings = findings
        self._course = course
        self._out_of_time = rules.out_of_time
        self._book = book
        self._timeouts: dict[str, int] = {}
        self._has_timeouts = False
        self._open: dict[int, int] = {}
        self._slow: list[tuple[int, str]] = []
        self._observers: set[str] = set()
        self._timed_out: list[int] = []
        self._unanswered: set[int] = set()
        self._of_services: set[int] = set()
        self._in_peace: list[int] = []
        self._has_commands = False

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(type="SagaStarted", saga_id=int(saga_id)):
                self._observers.add(line.observer)
                if self._book.stories[saga_id].started == number:
                    self._open[saga_id] = number
            case Told(saga_id=int(saga_id)) if line.type in TERMINALS:
                self._observers.add(line.observer)
                if self._open.pop(saga_id, None) is not None:
                    self._closed(saga_id, line)
            case HostLine(did="command", repeated=False, identity=CommandIdentity(saga_id=saga_id)):
                self._unanswered.add(saga_id)
                self._has_commands = True
            case HostLine(did="unanswered", identity=CommandIdentity(saga_id=saga_id)):
                self._unanswered.add(saga_id)
            case HostLine(did="report", identity=CommandIdentity(saga_id=saga_id)):
                self._unanswered.discard(saga_id)
            case TimeoutsLine(seconds=seconds):
                self._has_timeouts = True
                self._timeouts |= {name: round(each * SECOND) for name, each in seconds.items()}
            case SagaLine(saga_id=saga_id, steps=steps):
                if any(step.target == SERVICE_TARGET for step in steps):
                    self._of_services.add(saga_id)
            case BeginsLine(open=brackets):
                self._open |= {each.saga_id: number for each in brackets}
            case _:
                pass

    def before_a_turn(self, line: _TURNS) -> None:
        """Judge what is open, before what this line tells of changes how time counts."""
        if not self._course.paused and self._open:
            self._judge_open(line.at_ns)

    def _judge_open(self, now: int) -> None:
        for saga_id in list(self._open):
            story = self._book.stories[saga_id]
            if self._is_overdue(story, now):
                del self._open[saga_id]
                self._overdue(saga_id, story, None)

    def _closed(self, saga_id: int, told: Told) -> None:
        story = self._book.stories[saga_id]
        unanswered = saga_id in self._unanswered
        self._unanswered.discard(saga_id)
        if self._course.paused:
            return
        timed_out = story.state == "failed" and story.text in self._out_of_time
        if timed_out and not unanswered:
            is_peace = self._course.peace_until(told.at_ns) >= PEACE
            if is_peace and len(self._in_peace) < MOST_VIOLATIONS:
                self._in_peace.append(saga_id)
            if len(self._timed_out) < MOST_VIOLATIONS:
                self._timed_out.append(saga_id)
        if self._is_overdue(story, told.at_ns):
            self._overdue(saga_id, story, story.ended)
        timeout = self._timeouts.get(story.name)
        if timeout is not None and not story.earlier and len(self._slow) < MOST_VIOLATIONS:
            taken = story.ended_at - story.started_at
            if taken > timeout + ON_TIME_WITHIN:
                self._slow.append((saga_id, told.observer))

    def _is_overdue(self, story: Story, now: int) -> bool:
        timeout = self._timeouts.get(story.name)
        if timeout is None:
            return False
        since = max(story.started_at, self._course.anew_at)
        latest = timeout + CLOSES_WITHIN
        return now - since > latest and now - self._observers_fault() > latest

    def _observers_fault(self) -> int:
        """Give the last fault of the observer that had the fewest: it was told first."""
        if any(not self._course.has_lasting_fault(each) for each in self._observers):
            return min(self._course.last_fault_of(each) or 0 for each in self._observers)
        return self._course.now

    def _overdue(self, saga_id: int, story: Story, ended: int | None) -> None:
        message = f"saga {saga_id} ({story.name}) was not closed within its deadline and 10 s"
        self._findings.violated(Invariant.BRACKETS, message, story.started, ended)

    def finish(self) -> None:
        """Judge what is open still, and what hosts without a fault were kept from."""
        if not self._course.paused:
            self._judge_open(self._course.now)
        if self._has_commands:
            for saga_id in self._in_peace:
                self._judge_in_peace(saga_id)
        if not self._has_timeouts:
            reason = "no line tells of deadlines: brackets only have to be closed at the end"
            self._findings.unjudged(Invariant.BRACKETS, reason)
            self._findings.unjudged(Invariant.LIVENESS, "no line tells of deadlines")
        elif not self._course.launcher_was_spared:
            reason = "the launcher or its log had faults: no host keeps its deadlines through that"
            self._findings.unjudged(Invariant.LIVENESS, reason)
        else:
            for saga_id, observer in self._slow:
                if saga_id not in self._of_services:
                    self._judge_slow(saga_id, observer)
            for saga_id in self._timed_out:
                if saga_id not in self._of_services:
                    self._judge_timed_out(saga_id)

    def _judge_in_peace(self, saga_id: int) -> None:
        story = self._book.stories[saga_id]
        if saga_id not in self._of_services:
            message = (
                f"saga {saga_id} ({story.name}) failed with {story.text!r} after 4 s of peace, "
                "though no host was working on a step of it"
            )
            self._findings.violated(Invariant.LIVENESS, message, story.started, story.ended)

    def _judge_timed_out(self, saga_id: int) -> None:
        story = self._book.stories[saga_id]
        if story.host and self._course.last_fault_of(story.host) is None:
            message = (
                f"saga {saga_id} ({story.name}) of {story.host}, to which nothing was done, failed "
                f"with {story.text!r}"
            )
            self._findings.violated(Invariant.LIVENESS, message, story.started, story.ended)

    def _judge_slow(self, saga_id: int, observer: str) -> None:
        story = self._book.stories[saga_id]
        names = (story.host, observer)
        if story.host and all(self._course.last_fault_of(name) is None for name in names):
            message = (
                f"saga {saga_id} ({story.name}) of {story.host}, to which nothing was done, was "
                "not closed within its deadline"
            )
            self._findings.violated(Invariant.LIVENESS, message, story.started, story.ended)
