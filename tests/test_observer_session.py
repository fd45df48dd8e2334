import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.event_stream_builders import (
    LOG,
    MemoryJournal,
    SaidLauncher,
    added,
    promote,
    registered,
    started,
)
from transport.codec import Codec, decode, encode, encode_blob, encode_map, family
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
from transport.event_stream.observer_session import REPEAT_NS, SILENCE_NS
from transport.frame_fault import FrameFault
from transport.message_types import QUESTIONS
from transport.messages import (
    Message,
    OpaqueEvent,
    Refused,
    ReplayQuestion,
    SnapshotQuestion,
    StatusAnswer,
    StreamHeartbeat,
)

OTHER_LOG = "b" * 32


def asked(session: ObserverSession) -> Message:
    (question,) = session.questions()
    return decode(question, family(QUESTIONS))


def answer_all(session: ObserverSession, journal: MemoryJournal, now: int = 0) -> None:
    """Answer every question until there is none."""
    query = QuerySession(journal, SaidLauncher())
    while questions := session.questions():
        for question in questions:
            session.receive_answer(query.answer(question), now)


def versions(items: list[Item]) -> list[int]:
    return [event.version for item in items if isinstance(item, Batch) for event in item.events]


def journal_of(blobs: int) -> MemoryJournal:
    journal = MemoryJournal()
    for number in range(1, blobs + 1):
        journal.record(added(2 * number), added(2 * number + 1))
    return journal


def live_session(journal: MemoryJournal) -> ObserverSession:
    session = ObserverSession(Codec())
    session.receive_stream(journal.heartbeat(), 0)
    answer_all(session, journal)
    session.items()
    return session


def test_the_first_heartbeat_asks_for_everything() -> None:
    session = ObserverSession(Codec())
    session.receive_stream(MemoryJournal().heartbeat(), 0)
    assert asked(session) == ReplayQuestion(number=1, log=LOG, first=1)


def test_an_empty_log_is_caught_up_with_at_once() -> None:
    session = ObserverSession(Codec())
    session.receive_stream(MemoryJournal().heartbeat(), 0)
    answer_all(session, MemoryJournal())
    assert session.items() == [CaughtUp(0)]
    assert session.phase is Phase.LIVE


def test_a_silent_stream_is_asked_about_after_a_while() -> None:
    session = ObserverSession(Codec())
    session.tick(5)
    assert session.questions() == []
    assert session.deadline == 5 + REPEAT_NS
    session.tick(5 + REPEAT_NS)
    assert asked(session) == ReplayQuestion(number=1, log=None, first=1)


def test_a_stream_that_falls_silent_is_asked_about() -> None:
    journal = journal_of(1)
    session = live_session(journal)
    journal.record(added(9))
    session.tick(SILENCE_NS - 1)
    assert session.questions() == []
    session.tick(SILENCE_NS)
    answer_all(session, journal, SILENCE_NS)
    assert versions(session.items()) == [3]


def test_the_past_and_the_live_blobs_that_came_meanwhile_are_merged() -> None:
    journal = journal_of(3)
    session = ObserverSession(Codec())
    session.receive_stream(journal.blobs[2][2], 7)
    answer_all(session, journal, 8)
    session.receive_stream(journal.record(added(20)), 9)
    items = session.items()
    assert versions(items) == [1, 2, 3, 4, 5, 6, 7]
    assert CaughtUp(6) in items
    assert [item.at_ns for item in items if isinstance(item, Batch)] == [8, 8, 7, 9]


def test_a_blob_that_was_had_gives_nothing() -> None:
    journal = journal_of(2)
    session = live_session(journal)
    session.receive_stream(journal.blobs[1][2], 0)
    assert session.items() == []
    assert session.statistics.duplicates == 1


def test_a_blob_of_which_a_part_was_had_gives_the_rest() -> None:
    journal = journal_of(2)
    session = ObserverSession(Codec(), first=4, log=LOG)
    session.receive_stream(journal.blobs[1][2], 0)
    assert versions(session.items()) == [4]


def test_a_hole_shown_by_a_blob_is_asked_for() -> None:
    journal = journal_of(1)
    session = live_session(journal)
    journal.record(added(9))
    session.receive_stream(journal.record(added(10)), 0)
    answer_all(session, journal)
    assert versions(session.items()) == [3, 4]


def test_a_hole_shown_by_a_heartbeat_is_asked_for() -> None:
    journal = journal_of(1)
    session = live_session(journal)
    journal.record(added(9))
    session.receive_stream(journal.heartbeat(), 0)
    answer_all(session, journal)
    assert versions(session.items()) == [3]


def test_an_unanswered_question_is_repeated_under_its_number_and_answered_once() -> None:
    journal = journal_of(1)
    session = ObserverSession(Codec())
    session.receive_stream(journal.heartbeat(), 0)
    (first,) = session.questions()
    session.tick(REPEAT_NS - 1)
    assert session.questions() == []
    session.tick(REPEAT_NS)
    assert session.questions() == [first]
    answer = QuerySession(journal, SaidLauncher()).answer(first)
    session.receive_answer(answer, REPEAT_NS)
    session.receive_answer(answer, REPEAT_NS)
    assert versions(session.items()) == [1, 2]
    assert session.statistics.stale_answers == 1


def test_an_answer_that_brings_nothing_is_not_asked_for_again_at_once() -> None:
    journal = journal_of(1)
    session = ObserverSession(Codec())
    session.receive_stream(journal.heartbeat(), 0)
    head, blob = QuerySession(journal, SaidLauncher()).answer(session.questions()[0])
    session.receive_answer([head, blob[:-1]], 10)
    session.receive_stream(journal.heartbeat(), 11)
    assert session.questions() == []
    session.tick(10 + REPEAT_NS)
    answer_all(session, journal, 10 + REPEAT_NS)
    assert versions(session.items()) == [1, 2]


def test_blobs_ahead_beyond_the_limit_are_dropped_and_asked_for_again() -> None:
    journal = journal_of(4)
    session = ObserverSession(Codec(), held_bytes=len(journal.blobs[1][2]))
    for _, _, blob in journal.blobs[1:]:
        session.receive_stream(blob, 0)
    assert session.statistics.dropped == 2
    answer_all(session, journal)
    assert versions(session.items()) == list(range(1, 9))


def test_what_is_older_than_the_journal_comes_as_a_snapshot() -> None:
    journal = MemoryJournal()
    journal.record(registered(), *(added(number) for number in range(1, 4002)))
    journal.record(*promote(1), started(7, cause=4004))
    journal.trim(2)
    journal.record(added(5000))
    session = ObserverSession(Codec())
    session.receive_stream(journal.heartbeat(), 0)
    answer_all(session, journal, 3)
    truncated, batch, caught_up = session.items()
    assert isinstance(truncated, Truncated)
    assert (truncated.before, truncated.at_ns) == (4007, 3)
    assert list(truncated.snapshot.rows()) == list(journal.snapshot.rows())
    assert [group.saga_id for group in truncated.snapshot.groups.groups()] == [7]
    assert (versions([batch]), caught_up) == ([4007], CaughtUp(4007))


def test_a_snapshot_that_changes_while_it_is_read_is_read_again() -> None:
    journal = MemoryJournal()
    journal.record(registered(), *(added(number) for number in range(1, 3000)))
    journal.record(added(3001))
    journal.trim(1)
    session = ObserverSession(Codec())
    session.receive_stream(journal.heartbeat(), 0)
    query = QuerySession(journal, SaidLauncher())
    session.receive_answer(query.answer(session.questions()[0]), 0)
    session.receive_answer(query.answer(session.questions()[0]), 0)
    (second_page,) = session.questions()
    question = decode(second_page, family(QUESTIONS))
    assert question == SnapshotQuestion(number=3, offset=2000, before=3001)
    journal.trim(1)
    session.receive_answer(query.answer(second_page), 0)
    answer_all(session, journal)
    (truncated, _) = session.items()
    assert isinstance(truncated, Truncated)
    assert truncated.before == 3002


def test_a_new_log_begins_a_new_history() -> None:
    session = live_session(journal_of(2))
    new = MemoryJournal(OTHER_LOG)
    session.receive_stream(new.record(registered()), 0)
    assert session.items() == []
    answer_all(session, new)
    history, batch, caught_up = session.items()
    assert history == NewHistory(OTHER_LOG)
    assert (versions([batch]), caught_up) == ([1], CaughtUp(1))


def test_a_late_frame_of_a_former_log_changes_nothing() -> None:
    old, new = journal_of(2), MemoryJournal(OTHER_LOG)
    session = live_session(old)
    session.receive_stream(new.heartbeat(), 0)
    answer_all(session, new)
    session.items()
    session.receive_stream(old.blobs[0][2], 0)
    answer_all(session, new)
    assert session.items() == []
    assert session.log == OTHER_LOG


def test_a_resuming_observer_is_told_of_another_log() -> None:
    journal = journal_of(1)
    session = ObserverSession(Codec(), first=80, log=OTHER_LOG)
    session.receive_stream(journal.heartbeat(), 0)
    answer_all(session, journal)
    assert session.items()[0] == NewHistory(LOG)


def test_an_observer_from_now_on_begins_after_the_heartbeats_last() -> None:
    journal = journal_of(3)
    session = ObserverSession(Codec(), from_now=True)
    session.receive_stream(journal.heartbeat(), 0)
    session.receive_stream(journal.record(added(9)), 0)
    assert session.questions() == []
    first, batch = session.items()
    assert (first, versions([batch])) == (CaughtUp(6), [7])


def test_an_observer_from_now_on_begins_with_the_first_blob_it_hears() -> None:
    session = ObserverSession(Codec(), from_now=True)
    session.receive_stream(journal_of(3).blobs[2][2], 0)
    assert versions(session.items()) == [5, 6]


def test_an_observer_from_now_on_begins_by_an_answer_where_the_stream_is_silent() -> None:
    journal = journal_of(3)
    session = ObserverSession(Codec(), from_now=True)
    session.tick(0)
    session.tick(REPEAT_NS)
    answer_all(session, journal, REPEAT_NS)
    session.receive_stream(journal.record(added(9)), REPEAT_NS)
    assert versions(session.items()) == [7]


def test_a_heartbeat_tells_how_the_launcher_is() -> None:
    session = ObserverSession(Codec())
    status = "log unavailable: disk full"
    session.receive_stream(encode(StreamHeartbeat(log=LOG, last=0, status=status)), 0)
    assert session.launcher_status == status


def test_an_unknown_event_is_handed_over_as_opaque() -> None:
    unknown = {"type": "New", "version": 1, "saga_id": None, "origin": None, "more": 2}
    session = ObserverSession(Codec())
    session.receive_stream(encode_blob(LOG, 1, [encode_map(unknown)]), 0)
    (batch,) = session.items()
    assert isinstance(batch, Batch)
    assert isinstance(batch.events[0], OpaqueEvent)


def test_a_blob_with_a_version_out_of_place_is_refused_whole() -> None:
    session = ObserverSession(Codec())
    events = [encode(replace(added(1), version=version)) for version in (1, 3)]
    session.receive_stream(encode_blob(LOG, 1, events), 0)
    assert session.items() == []
    assert session.faults == {FrameFault.OUT_OF_RANGE: 1}


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b""],
        [encode(StatusAnswer(number=1, status={}))],
        [encode(Refused(fault="too_large", detail=""))],
        [journal_of(1).blobs[0][2]],
    ],
)
def test_an_answer_that_answers_nothing_is_counted_and_the_question_repeated(
    frames: list[bytes],
) -> None:
    session = ObserverSession(Codec())
    session.receive_stream(MemoryJournal().heartbeat(), 0)
    (question,) = session.questions()
    session.receive_answer(frames, 1)
    assert session.faults.total() == 1
    session.tick(REPEAT_NS)
    assert session.questions() == [question]


@given(st.binary(max_size=100), st.lists(st.binary(max_size=100), max_size=3))
def test_no_frame_raises(frame: bytes, frames: list[bytes]) -> None:
    session = ObserverSession(Codec())
    session.receive_stream(frame, 0)
    session.receive_answer(frames, 0)
    assert session.faults.total() == 2
