"""Invariant 3: a saga is completed by its own events, those that its result stands for.

Invariant 5: what it was given is durable, so one that is made anew does what it did before.
"""

from transport.checker.course import Course
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import Rules
from transport.checker.saga_book import SagaBook
from transport.checker.told import Told

DISAGREES = "ReplayDisagreementError"
"""Names, in its reason, why a saga failed that is no function of what it is given anew."""


class Endings(Part):
    """The types of events that open sagas were given; it looks after `SagaBook` does."""

    def __init__(self, findings: Findings, course: Course, rules: Rules, book: SagaBook) -> None:
        self._findings = findings
        self._course = course
        self._book = book
        self._names = {each.saga for each in rules.ends}
        self._after = {(each.saga, each.result): each.after for each in rules.ends}
        self._given: dict[int, list[str]] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(type="SagaStarted", first=True, saga_id=int(saga_id)):
                if line.fields.get("name") in self._names:
                    self._given[saga_id] = []
            case Told(type="SagaCompleted", first=True, saga_id=int(saga_id)):
                self._completed(number, line, saga_id)
            case Told(type="SagaFailed", saga_id=int(saga_id)):
                self._given.pop(saga_id, None)
                if DISAGREES in str(line.fields.get("reason")):
                    message = f"saga {saga_id} was made anew, and did something else than before"
                    self._findings.violated(Invariant.WRITE_AHEAD, message, number)
            case Told(first=True, saga_id=int(saga_id)) if saga_id in self._given:
                self._given[saga_id].append(line.type)
            case _:
                pass

    def _completed(self, number: int, told: Told, saga_id: int) -> None:
        given = self._given.pop(saga_id, None)
        if given is None or self._course.truncated:
            return
        story = self._book.stories[saga_id]
        after = self._after.get((story.name, story.text), self._after.get((story.name, None)))
        if after is None:
            message = f"{told} completes saga {saga_id} ({story.name}) with {story.text!r}"
            self._findings.violated(Invariant.CORRELATION, message, story.started, number)
        elif (*given,) != after:
            message = (
                f"{told} completes saga {saga_id} ({story.name}) with {story.text!r}: it was given "
                f"{', '.join(given) or 'nothing'}, not {', '.join(after)}"
            )
            self._findings.violated(Invariant.CORRELATION, message, story.started, number)
