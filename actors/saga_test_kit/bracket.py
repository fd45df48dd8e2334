"""The brackets that a test was told of: which are open, which closed, which it had already."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from transport.messages import Recorded, SagaCompleted, SagaFailed, SagaStarted


@dataclass(frozen=True, slots=True)
class Bracket:
    """One saga from its start to its end, as observers were told of it.

    Attributes:
        saga_id: its number.
        name: of its kind.
        cause: the event that triggered it; None for a saga that no event triggers.
        events: its own, in order, without the two that open and close the bracket.
        end: what closed it.
    """

    saga_id: int
    name: str
    cause: Recorded | None
    events: tuple[Recorded, ...]
    end: SagaCompleted | SagaFailed

    @property
    def completed(self) -> bool:
        """Whether it closed well."""
        return isinstance(self.end, SagaCompleted)

    @property
    def failed(self) -> bool:
        """Whether it closed badly."""
        return isinstance(self.end, SagaFailed)

    @property
    def result(self) -> str | None:
        """What it was completed with; None if it failed."""
        return self.end.result if isinstance(self.end, SagaCompleted) else None

    @property
    def reason(self) -> str | None:
        """Why it failed; None if it was completed."""
        return self.end.reason if isinstance(self.end, SagaFailed) else None

    def __str__(self) -> str:
        how = f"completed, result {self.result!r}" if self.completed else f"failed, {self.reason!r}"
        return f"{self.name} {self.saga_id} {how}{caused_by(self.cause)}"


@dataclass(slots=True)
class OpenBracket:
    """A bracket that did not close yet."""

    saga_id: int
    name: str
    cause: Recorded | None
    events: list[Recorded] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name} {self.saga_id}{caused_by(self.cause)}"


class BracketBook:
    """Keeps the brackets of one stream of events.

    Attributes:
        open: those that did not close yet, by id.
        closed: the others, in the order in which they closed.
        handed_over: ids of those that a test was given.
    """

    def __init__(self) -> None:
        self.open: dict[int, OpenBracket] = {}
        self.closed: list[Bracket] = []
        self.handed_over: dict[int, None] = {}
        self._events: list[Recorded] = []

    @property
    def events(self) -> Sequence[Recorded]:
        """Every event that was taken, in order."""
        return self._events

    def take(self, event: Recorded) -> None:
        """Take the next event."""
        self._events.append(event)
        match event:
            case SagaStarted(saga_id=int(saga_id), name=name, cause=cause):
                self.open[saga_id] = OpenBracket(saga_id, name, self._event(cause))
            case SagaCompleted(saga_id=int(saga_id)) | SagaFailed(saga_id=int(saga_id)):
                begun = self.open.pop(saga_id, None)
                if begun is not None:
                    events = tuple(begun.events)
                    closed = Bracket(saga_id, begun.name, begun.cause, events, event)
                    self.closed.append(closed)
            case _ if event.saga_id in self.open:
                self.open[event.saga_id].events.append(event)
            case _:
                pass

    def new(self) -> list[Bracket]:
        """Give the closed ones that no test was given yet."""
        return [each for each in self.closed if each.saga_id not in self.handed_over]

    def hand_over(self, bracket: Bracket) -> Bracket:
        """Give a bracket to a test, which will not be given it again."""
        self.handed_over[bracket.saga_id] = None
        return bracket

    def names(self) -> str:
        """Say which sagas there were, and how many of each."""
        counts = Counter(each.name for each in self.open.values())
        counts.update(each.name for each in self.closed)
        return ", ".join(f"{name} ({counts[name]})" for name in sorted(counts)) or "none"

    def _event(self, version: int | None) -> Recorded | None:
        if version is None:
            return None
        return next((each for each in reversed(self._events) if each.version == version), None)


def caused_by(cause: Recorded | None) -> str:
    """Say what event triggered a saga, to go on a sentence with."""
    if cause is None:
        return ""
    label = getattr(cause, "label", None)
    of = f" of {label}" if label else ""
    return f", by version {cause.version}, {type(cause).__name__}{of}"
