"""Fuzz: sessions that anybody may say anything to keep what they promise."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.event_stream_builders import MemoryJournal, SaidLauncher, added, registered
from tests.fuzz_messages import hostile_frames, one_of_types, spoiled_frames
from tests.fuzz_profiles import fuzzed
from tests.launcher_harness import PlayedLauncher
from transport.codec import Codec, as_map, decode, encode, family
from transport.event_stream import QuerySession
from transport.host_session import HostSession
from transport.message_types import ANSWERS, CORE, DOWN, OPERATOR, QUESTIONS, UP
from transport.messages import (
    Acknowledge,
    Message,
    NotRegistered,
    Register,
    Registered,
    ReportActionFailed,
    Reports,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

HEARTBEAT_MS = 1_000
LOG = "f" * 32
HELD_LIMIT = 8


class HostSessionMachine(RuleBasedStateMachine):
    """A host's session, and a launcher that says true things, late, twice or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.session = HostSession(
            host="desk", epoch="e" * 32, codec=Codec(), held_limit=HELD_LIMIT
        )
        self.made: dict[int, bytes] = {}
        self.taken = 0
        self.now = 0

    def tell(self, *messages: Message) -> None:
        self.session.receive([encode(each) for each in messages], self.now)

    @rule()
    def connect(self) -> None:
        self.session.connect(self.now)

    @rule(count=st.integers(1, 3))
    def report(self, count: int) -> None:
        first = self.session.last + 1
        frame = self.session.report([ReportActionFailed(reason=str(first))] * count)
        assert frame.first == first
        assert self.session.last == frame.last == first + count - 1
        self.made[first] = frame.frame

    @rule(lost=st.booleans())
    def speak(self, lost: bool) -> None:  # noqa: FBT001 - drawn
        frames = self.session.outgoing()
        messages = [decode(frame, family(UP)) for frame in frames]
        for message, frame in zip(messages, frames, strict=True):
            if isinstance(message, Register):
                assert messages == [message]
                assert message.as_of == self.session.last
                assert message.first_held <= self.taken + 1 or not self.made
            elif isinstance(message, Reports):
                assert frame == self.made[message.sequence]
                if not lost and message.sequence == self.taken + 1:
                    self.taken += len(message.reports)

    @rule()
    def not_sent(self) -> None:
        self.session.outgoing()
        self.session.not_sent()

    @rule(resend=st.booleans(), behind=st.integers(0, 3))
    def acknowledge(self, resend: bool, behind: int) -> None:  # noqa: FBT001 - drawn
        taken = max(0, self.taken - behind)
        self.tell(Acknowledge(taken=taken, low_water=1, resend=resend))

    @rule()
    def accept(self) -> None:
        answer = Registered(
            log=LOG, epoch="a" * 32, taken=self.taken, low_water=1, heartbeat_ms=HEARTBEAT_MS
        )
        self.tell(answer)

    @rule()
    def ask_to_register(self) -> None:
        self.tell(NotRegistered())

    @rule(frame=hostile_frames)
    def garbage(self, frame: bytes) -> None:
        before = self.session.held, self.session.last
        self.session.receive([frame], self.now)
        assert (self.session.held, self.session.last) == before

    @rule(milliseconds=st.integers(0, 4_000))
    def pass_time(self, milliseconds: int) -> None:
        self.now += milliseconds * 1_000_000
        self.session.tick(self.now)

    @invariant()
    def nothing_unacknowledged_is_dropped(self) -> None:
        unacknowledged = sum(first > self.taken for first in self.made)
        assert self.session.held >= unacknowledged
        assert self.session.full == (self.session.held >= HELD_LIMIT)
        assert self.session.last >= max(self.made, default=0)

    def teardown(self) -> None:
        """On a good connection everything arrives, in order."""
        self.connect()
        self.speak(lost=False)
        self.accept()
        while self.session.held:
            self.speak(lost=False)
            assert self.taken == self.session.last
            self.acknowledge(resend=False, behind=0)


TestHostSession = HostSessionMachine.TestCase
TestHostSession.settings = fuzzed(60, steps=30)


@fuzzed(150)
@given(
    frames=st.lists(
        st.one_of(
            hostile_frames, spoiled_frames(DOWN), one_of_types((*DOWN, *CORE.commands)).map(encode)
        ),
        max_size=8,
    )
)
def test_a_host_session_takes_whatever_a_launcher_says(frames: list[bytes]) -> None:
    session = HostSession(host="desk", epoch="e" * 32, codec=Codec())
    session.connect(0)
    for frame in frames:
        session.receive([frame], 0)
        session.outgoing()


@fuzzed(150)
@given(
    frame=st.one_of(hostile_frames, spoiled_frames(QUESTIONS), one_of_types(QUESTIONS).map(encode))
)
def test_every_question_has_one_answer(frame: bytes) -> None:
    journal = MemoryJournal()
    journal.record(registered(), added(1))
    session = QuerySession(journal, SaidLauncher())
    head, *_ = session.answer(frame)
    decode(head, family(ANSWERS))
    assert session.answered + session.faults.total() == 1


class LauncherMachine(RuleBasedStateMachine):
    """A launcher, one good host, and connections that say anything."""

    @initialize()
    def begin(self) -> None:
        self.launcher = PlayedLauncher()
        self.good = self.launcher.filled_host("good", "1" * 32)
        self.promotes = 0

    @rule(
        connection=st.sampled_from([b"one", b"two"]),
        frames=st.lists(
            st.one_of(
                hostile_frames,
                spoiled_frames((*UP, *OPERATOR)),
                one_of_types(UP).map(encode),
                st.builds(
                    Register,
                    host=st.sampled_from(["bad", "worse"]),
                    epoch=st.sampled_from(["2" * 32, "3" * 32]),
                    first_held=st.integers(1, 4),
                    as_of=st.integers(0, 4),
                    pool_target=st.integers(0, 2),
                    part=st.integers(1, 3),
                    parts=st.integers(1, 3),
                ).map(encode),
                st.builds(
                    Reports,
                    sequence=st.integers(1, 6),
                    reports=st.lists(
                        one_of_types(CORE.reports).map(as_map), min_size=1, max_size=3
                    ),
                ).map(encode),
            ),
            min_size=1,
            max_size=4,
        ),
    )
    def say(self, connection: bytes, frames: list[bytes]) -> None:
        self.launcher.engine.receive(connection, frames, self.launcher.now)
        self.launcher.end_pass()

    @rule()
    def promote(self) -> None:
        self.promotes += 1
        self.good.promote(self.launcher.pool_of(self.good)[0], f"promote-{self.promotes}")
        self.good.answer_all()

    @rule(seconds=st.floats(0.1, 3))
    def pass_time(self, seconds: float) -> None:
        self.launcher.advance(seconds)

    @invariant()
    def the_good_host_notices_nothing(self) -> None:
        assert self.good.refusals() == []
        assert self.launcher.engine.link.peers["good"].taken == self.good.sequence
        assert len(self.launcher.pool_of(self.good)) == 2
        assert [each.version for each in self.launcher.events] == list(
            range(1, len(self.launcher.events) + 1)
        )

    def teardown(self) -> None:
        """In the end every bracket is closed, once."""
        self.launcher.engine.stop_now(self.launcher.now)
        self.launcher.end_pass()
        ended = [
            each.saga_id
            for each in self.launcher.events
            if isinstance(each, SagaCompleted | SagaFailed)
        ]
        begun = [each.saga_id for each in self.launcher.of_type(SagaStarted)]
        assert sorted(filter(None, ended)) == sorted(begun)


TestLauncher = LauncherMachine.TestCase
TestLauncher.settings = fuzzed(60, steps=20)
