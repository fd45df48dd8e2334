"""Fuzz: what an observer is handed is the journal's own history, or is said to be truncated."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.event_stream_builders import (
    MemoryJournal,
    SaidLauncher,
    added,
    closed,
    registered,
    reread,
)
from tests.fuzz_messages import hostile_frames, spoiled_frames
from tests.fuzz_profiles import fuzzed
from transport.codec import Codec
from transport.event_stream import (
    Batch,
    NewHistory,
    ObserverSession,
    Phase,
    QuerySession,
    Truncated,
)
from transport.message_types import QUESTIONS

SECOND = 1_000_000_000


class ObserverMachine(RuleBasedStateMachine):
    """An observer of a journal that grows, is trimmed, and begins anew under another id."""

    @initialize(first=st.integers(1, 9))
    def begin(self, first: int) -> None:
        """An observer may begin anywhere: within a blob, or after everything there is yet."""
        self.logs = 0
        self.windows = 0
        self.now = 0
        self.journal = MemoryJournal("0" * 32, page_rows=3, page_bytes=400)
        self.journals = {self.journal.log_id: self.journal}
        self.session = ObserverSession(Codec(), held_bytes=2_000, first=first)
        self.published: list[bytes] = [self.journal.heartbeat()]
        self.answers: list[list[bytes]] = []
        self.log: str | None = None
        self.due = self.first_due = first

    @rule(count=st.integers(1, 4))
    def record(self, count: int) -> None:
        first = self.windows + 1
        self.windows += count
        events = [each for at in range(first, first + count) for each in (added(at), closed(at))]
        self.published.append(self.journal.record(registered(), *events))

    @rule(blobs=st.integers(1, 3))
    def trim(self, blobs: int) -> None:
        self.journal.trim(blobs)

    @rule()
    def begin_another_log(self) -> None:
        self.logs += 1
        log_id = f"{self.logs:032x}"
        self.journal = MemoryJournal(log_id, page_rows=3, page_bytes=400)
        self.journals[log_id] = self.journal

    @rule(at=st.integers(0, 1_000))
    def stream(self, at: int) -> None:
        """Any frame that was published comes: late, twice, out of order, or never."""
        self.session.receive_stream(self.published[at % len(self.published)], self.now)
        self.ask()

    @rule()
    def heartbeat(self) -> None:
        self.session.receive_stream(self.journal.heartbeat(), self.now)
        self.ask()

    def ask(self) -> None:
        query = QuerySession(self.journal, SaidLauncher())
        self.answers.extend(query.answer(question) for question in self.session.questions())

    @rule(at=st.integers(0, 1_000))
    def answer(self, at: int) -> None:
        if self.answers:
            self.session.receive_answer(self.answers[at % len(self.answers)], self.now)
            self.ask()

    @rule(frame=st.one_of(hostile_frames, spoiled_frames(QUESTIONS)))
    def garbage(self, frame: bytes) -> None:
        self.session.receive_stream(frame, self.now)
        self.session.receive_answer([frame, frame], self.now)
        self.session.receive_answer([], self.now)

    @rule(seconds=st.integers(0, 4))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.session.tick(self.now)
        self.ask()

    @invariant()
    def what_is_handed_over_is_true_and_gapless(self) -> None:
        self.log = self.log or self.session.log
        for item in self.session.items():
            match item:
                case NewHistory(log=log):
                    self.log, self.due, self.first_due = log, 1, 1
                case Truncated(before=before, snapshot=snapshot):
                    assert before > self.due
                    expected = self.truth().snapshot_before(before)
                    assert list(snapshot.rows()) == list(reread(expected).rows())
                    self.due = before
                case Batch(events=events):
                    truth = self.truth().truth[self.due - 1 : self.due - 1 + len(events)]
                    assert list(events) == truth
                    self.due += len(events)

    def truth(self) -> MemoryJournal:
        return self.journals[self.log or self.journal.log_id]

    def teardown(self) -> None:
        """With nothing lost any more, the observer has everything."""
        for _ in range(200):
            self.now += SECOND
            self.session.receive_stream(self.journal.heartbeat(), self.now)
            self.session.tick(self.now)
            self.answers.clear()
            self.ask()
            while self.answers:
                self.session.receive_answer(self.answers.pop(0), self.now)
                self.ask()
        self.what_is_handed_over_is_true_and_gapless()
        assert self.session.phase is Phase.LIVE
        assert self.session.log == self.journal.log_id
        assert self.due == max(self.first_due, self.journal.last + 1)


TestObserver = ObserverMachine.TestCase
TestObserver.settings = fuzzed(60, steps=30)
