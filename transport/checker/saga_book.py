"""What was told of every saga, by whomever it was told first."""

from dataclasses import dataclass

from transport.checker.brackets import STARTED, TERMINALS
from transport.checker.part import Part, Seen
from transport.checker.told import Told
from transport.history_lines import BeginsLine, HostLine, OpenBracket, TruncatedLine


@dataclass(slots=True)
class Story:
    """A saga as it was told.

    Attributes:
        name: empty until it is known.
        host: which host it concerns, as far as that is known.
        started, ended: lines; 0 where none is known.
        state: `open`, `completed` or `failed`.
        text: the result or the reason.
        earlier: it was open where a history begins, or goes on.
    """

    name: str = ""
    cause: int | None = None
    host: str = ""
    started: int = 0
    started_at: int = 0
    state: str = "open"
    text: str = ""
    ended: int = 0
    ended_at: int = 0
    earlier: bool = False


class SagaBook(Part):
    """The stories of all sagas, by id."""

    def __init__(self) -> None:
        self.stories: dict[int, Story] = {}
        self._origins: dict[int, str] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told():
                self._take_event(number, line)
            case HostLine(did="command", identity=identity) if identity is not None:
                story = self.stories.get(identity.saga_id)
                if story is not None and not story.host:
                    story.host = line.host
            case BeginsLine(open=brackets) | TruncatedLine(open=brackets):
                self._are_open(number, line.at_ns, brackets)
            case _:
                pass

    def _are_open(self, number: int, at_ns: int, brackets: tuple[OpenBracket, ...]) -> None:
        for each in brackets:
            story = Story(name=each.name, started=number, started_at=at_ns, earlier=True)
            self.stories.setdefault(each.saga_id, story)

    def _take_event(self, number: int, told: Told) -> None:
        if told.saga_id is None:
            if told.first and told.host:
                self._origins[told.version] = told.host
                if len(self._origins) > MOST_ORIGINS:
                    del self._origins[next(iter(self._origins))]
            return
        if told.type == STARTED:
            self._start(number, told, told.saga_id)
            return
        story = self.stories.get(told.saga_id)
        if story is None:
            story = self.stories[told.saga_id] = Story()
        if told.host and not story.host:
            story.host = told.host
        if told.type in TERMINALS and not story.ended:
            completed = told.type == "SagaCompleted"
            story.state = "completed" if completed else "failed"
            story.text = str(told.fields.get("result" if completed else "reason"))
            story.ended, story.ended_at = number, told.at_ns

    def _start(self, number: int, told: Told, saga_id: int) -> None:
        story = self.stories.setdefault(saga_id, Story())
        if story.started:
            return
        story.name = str(told.fields.get("name"))
        story.started, story.started_at = number, told.at_ns
        cause = told.fields.get("cause")
        if isinstance(cause, int):
            story.cause = cause
            story.host = story.host or self._origins.get(cause, "")


MOST_ORIGINS = 100_000
"""So many of the latest events are looked among for the host of a saga's trigger."""
