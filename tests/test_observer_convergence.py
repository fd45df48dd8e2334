"""Whatever is lost, doubled or late, an observer ends with the true history or a mark."""

from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.event_stream_builders import (
    MemoryJournal,
    SaidLauncher,
    added,
    promote,
    registered,
    started,
)
from transport.codec import Codec
from transport.event_stream import (
    Batch,
    CaughtUp,
    Item,
    NewHistory,
    ObserverSession,
    Phase,
    QuerySession,
    Truncated,
)
from transport.messages import Event

Frame = TypeVar("Frame")

SMALL_PAGES = {"page_rows": 3, "page_bytes": 600}

LOGS = tuple(digit * 32 for digit in "abc")

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *["record", "stream", "stream", "question", "answer", "tick"] * 3,
                *["heartbeat", "trim", "trim", "garbage", "new_log"],
            ]
        ),
        st.integers(0, 50),
        st.booleans(),
    ),
    min_size=40,
    max_size=160,
)
"""What happens, to which of the frames that wait (or how much), and whether that frame stays."""


@dataclass
class World:
    session: ObserverSession
    journal: MemoryJournal = field(default_factory=lambda: MemoryJournal(LOGS[0], **SMALL_PAGES))
    truth: dict[str, MemoryJournal] = field(default_factory=dict)
    stream: list[bytes] = field(default_factory=list)
    questions: list[bytes] = field(default_factory=list)
    answers: list[list[bytes]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    now: int = 0
    saga_id: int = 0

    def __post_init__(self) -> None:
        self.truth[self.journal.log_id] = self.journal

    def act(self, action: str, number: int, *, stays: bool) -> None:
        match action:
            case "record":
                self.stream.append(self.journal.record(*self.some_events(number)))
            case "heartbeat":
                self.stream.append(self.journal.heartbeat())
            case "stream" if self.stream:
                self.session.receive_stream(taken(self.stream, number, stays=stays), self.now)
            case "question" if self.questions:
                question = taken(self.questions, number, stays=stays)
                self.answers.append(
                    list(QuerySession(self.journal, SaidLauncher()).answer(question))
                )
            case "answer" if self.answers:
                answer = taken(self.answers, number, stays=stays)
                self.session.receive_answer(answer, self.now)
            case "garbage":
                self.session.receive_stream(self.journal.heartbeat()[: number + 1], self.now)
                self.session.receive_answer([b"\xc1"] * number, self.now)
            case "tick":
                self.now += number * 100_000_000
                self.session.tick(self.now)
            case "trim":
                self.journal.trim(number % 4)
            case "new_log" if len(self.truth) < len(LOGS):
                self.journal = MemoryJournal(LOGS[len(self.truth)], **SMALL_PAGES)
                self.truth[self.journal.log_id] = self.journal
        self.collect()

    def collect(self) -> None:
        self.questions.extend(self.session.questions())
        self.items.extend(self.session.items())

    def some_events(self, number: int) -> tuple[Event, ...]:
        self.saga_id += 1
        version = self.journal.last
        bracket = (*promote(number, f"p{self.saga_id}"), started(self.saga_id, version + 2))
        return (bracket, (registered(),), tuple(map(added, range(1, number + 2))))[number % 3]

    def heal(self) -> None:
        self.stream.clear()
        self.questions.clear()
        self.answers.clear()
        for _ in range(200):
            self.now += 500_000_000
            self.session.receive_stream(self.journal.heartbeat(), self.now)
            self.session.tick(self.now)
            self.collect()
            while self.questions:
                self.act("question", 0, stays=False)
                self.act("answer", 0, stays=False)
            if self.is_caught_up():
                return

    def is_caught_up(self) -> bool:
        session = self.session
        return (
            session.phase is Phase.LIVE
            and session.log == self.journal.log_id
            and session.next_version == self.journal.last + 1
        )


def taken(waiting: list[Frame], number: int, *, stays: bool) -> Frame:
    index = number % len(waiting)
    return waiting[index] if stays else waiting.pop(index)


def follows_truth(items: list[Item], journal: MemoryJournal, due: int | None) -> int | None:
    """Give the version due after these items, or None if they are not this log's history."""
    for item in items:
        match item:
            case Batch(events=events):
                due = events[0].version if due is None else due
                if list(events) != journal.truth[due - 1 : due - 1 + len(events)]:
                    return None
                due += len(events)
            case Truncated(before=before, snapshot=snapshot):
                assert due is None or before > due
                if before > journal.last + 1:
                    return None
                if list(snapshot.rows()) != list(journal.snapshot_before(before).rows()):
                    return None
                due = before
            case CaughtUp(version=version):
                assert due is None or version == due - 1
                due = version + 1
            case NewHistory():
                raise AssertionError(item)
    return due


def check(world: World, due: int | None) -> None:
    parts: list[tuple[str | None, list[Item]]] = [(None, [])]
    for item in world.items:
        if isinstance(item, NewHistory):
            parts.append((item.log, []))
        else:
            parts[-1][1].append(item)
    last_log, last_items = parts[-1]
    for log, items in parts:
        possible = [log] if log is not None else LOGS[: len(world.truth)]
        start = due if log is None else 1
        assert any(
            not items or follows_truth(items, world.truth[each], start) is not None
            for each in possible
        )
    assert last_log in {None, world.journal.log_id}
    end = follows_truth(last_items, world.journal, due if last_log is None else 1)
    assert end == world.journal.last + 1


@settings(max_examples=250, deadline=None)
@given(ACTIONS, st.sampled_from([100, 2_000, 2**24]))
def test_an_observer_ends_with_the_true_history(
    actions: list[tuple[str, int, bool]], held_bytes: int
) -> None:
    world = World(ObserverSession(Codec(), held_bytes=held_bytes))
    for action, number, stays in actions:
        world.act(action, number, stays=stays)
    world.heal()
    assert world.is_caught_up()
    check(world, 1)


@settings(max_examples=100, deadline=None)
@given(ACTIONS)
def test_an_observer_from_now_on_misses_nothing_after_its_beginning(
    actions: list[tuple[str, int, bool]],
) -> None:
    world = World(ObserverSession(Codec(), from_now=True))
    for action, number, stays in actions:
        world.act(action, number, stays=stays)
    world.heal()
    assert world.is_caught_up()
    check(world, None)
