from typing import Any, TypeVar

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.event_stream_builders import LOG, MemoryJournal, SaidLauncher, added, registered, started
from transport.codec import MESSAGE_LIMIT, decode, encode, family
from transport.event_stream import JournalView, QuerySession
from transport.event_stream.query_session import PageLimits
from transport.frame_fault import FrameFault
from transport.message_types import ANSWERS
from transport.messages import (
    ActionFailed,
    Message,
    Ping,
    Refused,
    ReplayAnswer,
    ReplayQuestion,
    SagaAnswer,
    SagaQuestion,
    SnapshotAnswer,
    SnapshotQuestion,
    StateAnswer,
    StateQuestion,
    StatusAnswer,
    StatusQuestion,
)

OTHER_LOG = "b" * 32
AnswerT = TypeVar("AnswerT", bound=Message)


def session_over(journal: MemoryJournal, status: dict[str, Any] | None = None) -> QuerySession:
    return QuerySession(journal, SaidLauncher(status))


def ask(
    session: QuerySession, question: Message, kind: type[AnswerT]
) -> tuple[AnswerT, list[bytes]]:
    head, *blobs = session.answer(encode(question))
    answer = decode(head, family(ANSWERS))
    assert isinstance(answer, kind)
    return answer, blobs


def journal_of(blobs: int) -> MemoryJournal:
    journal = MemoryJournal()
    for number in range(1, blobs + 1):
        journal.record(added(2 * number), added(2 * number + 1))
    return journal


def test_a_replay_has_every_blob_from_the_one_with_the_first_version() -> None:
    journal = journal_of(4)
    question = ReplayQuestion(number=9, log=LOG, first=4)
    answer, blobs = ask(session_over(journal), question, ReplayAnswer)
    assert answer == ReplayAnswer(number=9, log=LOG, first=1, last=8)
    assert blobs == [blob for _, _, blob in journal.blobs[1:]]


def test_an_asker_without_a_log_gets_the_events() -> None:
    question = ReplayQuestion(number=1, log=None, first=1)
    assert len(ask(session_over(journal_of(2)), question, ReplayAnswer)[1]) == 2


def test_an_asker_of_another_log_gets_the_head_alone() -> None:
    question = ReplayQuestion(number=1, log=OTHER_LOG, first=1)
    answer, blobs = ask(session_over(journal_of(2)), question, ReplayAnswer)
    assert (answer.log, answer.truncated_before, blobs) == (LOG, None, [])


@pytest.mark.parametrize("first", [5, 6, 2**62])
def test_a_replay_beyond_the_last_version_is_a_head_alone(first: int) -> None:
    question = ReplayQuestion(number=1, log=LOG, first=first)
    answer, blobs = ask(session_over(journal_of(2)), question, ReplayAnswer)
    assert (answer.last, answer.truncated_before, blobs) == (4, None, [])


def test_a_replay_from_before_the_journal_says_where_it_is_truncated() -> None:
    journal = journal_of(4)
    journal.trim(2)
    question = ReplayQuestion(number=1, log=LOG, first=4)
    answer, blobs = ask(session_over(journal), question, ReplayAnswer)
    assert (answer.first, answer.truncated_before, blobs) == (5, 5, [])


def test_a_journal_trimmed_during_the_question_is_noticed() -> None:
    class TrimmedBetween(MemoryJournal):
        def view(self) -> JournalView:
            view = super().view()
            self.trim(1)
            return view

    journal = TrimmedBetween()
    journal.record(added(1))
    journal.record(added(2))
    question = ReplayQuestion(number=1, log=LOG, first=1)
    answer, blobs = ask(session_over(journal), question, ReplayAnswer)
    assert (answer.truncated_before, blobs) == (2, [])


def test_a_page_is_bounded_and_has_at_least_one_blob() -> None:
    journal = MemoryJournal()
    for _ in range(3):
        journal.record(*[ActionFailed(reason="x" * 1000)] * 300)
    session = session_over(journal)
    _, blobs = ask(session, ReplayQuestion(number=1, log=LOG, first=1), ReplayAnswer)
    assert len(blobs) == 1
    _, blobs = ask(session, ReplayQuestion(number=1, log=LOG, first=301), ReplayAnswer)
    assert blobs == [journal.blobs[1][2]]


def test_a_snapshot_comes_in_pages_of_bounded_rows() -> None:
    journal = MemoryJournal()
    journal.record(registered(), *(added(number) for number in range(1, 4501)))
    journal.trim(1)
    session = session_over(journal)
    rows, before = 0, None
    sizes: list[int] = []
    while not sizes or rows < 4501:
        question = SnapshotQuestion(number=1, offset=rows, before=before)
        answer, _ = ask(session, question, SnapshotAnswer)
        assert (answer.offset, answer.total, answer.restart) == (rows, 4501, False)
        before = answer.truncated_before
        sizes.append(len(answer.rows))
        rows += len(answer.rows)
    assert sizes == [PageLimits().rows, PageLimits().rows, 501]
    assert before == 4502


def test_a_snapshot_page_is_below_the_message_limit_whatever_its_rows_are() -> None:
    journal = MemoryJournal()
    for saga_id in range(1, 5):
        reports = [ActionFailed(saga_id=saga_id, reason="x" * 1000)] * 400
        journal.record(started(saga_id, None), *reports)
    journal.trim(4)
    (frame,) = session_over(journal).answer(encode(SnapshotQuestion(number=1)))
    assert len(frame) < MESSAGE_LIMIT
    answer = decode(frame, family(ANSWERS))
    assert isinstance(answer, SnapshotAnswer)
    assert (len(answer.rows), answer.total) == (1, 4)


def test_a_snapshot_that_changed_since_the_first_page_is_begun_again() -> None:
    journal = journal_of(3)
    journal.trim(1)
    question = SnapshotQuestion(number=1, offset=1, before=3)
    journal.trim(1)
    answer, _ = ask(session_over(journal), question, SnapshotAnswer)
    assert (answer.restart, answer.rows, answer.truncated_before) == (True, [], 5)


def test_the_status_is_what_the_launcher_says() -> None:
    session = session_over(MemoryJournal(), {"sagas": {"open": 3}})
    answer, _ = ask(session, StatusQuestion(number=4), StatusAnswer)
    queries = {"answered": 0, "faults": {}}
    assert answer == StatusAnswer(number=4, status={"sagas": {"open": 3}, "queries": queries})
    assert session.answered == 1


def test_the_state_has_as_many_sagas_as_were_asked_for_and_what_was_asked_so_far() -> None:
    session = session_over(MemoryJournal(), {"version": 3})
    session.answer(b"nonsense")
    answer, _ = ask(session, StateQuestion(number=4, sagas=7), StateAnswer)
    queries = {"answered": 0, "faults": {"not_messagepack": 1}}
    assert answer.state == {"version": 3, "shown": 7, "queries": queries}


def test_a_saga_is_what_the_log_has_and_while_it_is_open_what_the_launcher_says() -> None:
    journal = MemoryJournal()
    journal.sagas = {1: {"state": "completed"}, 2: {"state": "open"}}
    session = session_over(journal, {"why": ["nothing"]})
    answers = {
        saga_id: ask(session, SagaQuestion(number=saga_id, saga_id=saga_id), SagaAnswer)[0]
        for saga_id in (1, 2, 3)
    }
    assert answers[1] == SagaAnswer(
        number=1, log=LOG, next_saga_id=3, saga={"state": "completed"}, live=None
    )
    assert answers[2].live == {"why": ["nothing"], "saga_id": 2}
    assert (answers[3].saga, answers[3].live, answers[3].next_saga_id) == (None, None, 3)


def test_a_status_too_large_for_a_message_is_refused() -> None:
    session = session_over(MemoryJournal(), {"text": "x" * MESSAGE_LIMIT})
    answer, _ = ask(session, StatusQuestion(number=1), Refused)
    assert answer.fault == FrameFault.TOO_LARGE


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", FrameFault.NOT_MESSAGEPACK),
        (b"\xc1", FrameFault.NOT_MESSAGEPACK),
        (msgpack.packb([1]), FrameFault.NOT_A_MAP),
        (encode(Ping(last=1)), FrameFault.UNKNOWN_TYPE),
        (b"\x00" * (MESSAGE_LIMIT + 1), FrameFault.TOO_LARGE),
        (msgpack.packb({"type": "StatusQuestion"}), FrameFault.MISSING_FIELD),
        (msgpack.packb({"type": "StatusQuestion", "number": "1"}), FrameFault.WRONG_TYPE),
    ],
)
def test_a_bad_question_is_refused_and_counted(frame: bytes, fault: FrameFault) -> None:
    session = session_over(journal_of(1))
    (answer,) = session.answer(frame)
    refused = decode(answer, family(ANSWERS))
    assert isinstance(refused, Refused)
    assert refused.fault == fault
    assert session.faults == {fault: 1}


@given(st.binary(max_size=200))
def test_no_question_raises(frame: bytes) -> None:
    assert session_over(journal_of(1)).answer(frame)
