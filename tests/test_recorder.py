"""A pass's events go into as few blobs as hold them, and are in them as their own frames say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actors.recorder import Recorder
from actors.saga_log import BlobAppended
from actors.state import State
from transport.codec import Codec, encode
from transport.messages import Event, SagaCompleted, SagaStarted

LOG = "e" * 32


class Untyped(Event, frozen=True, kw_only=True):
    """An event with several forms in MessagePack."""

    value: Any


def recorded(groups: list[list[Event]], blob_limit: int) -> tuple[list[Event], list[BlobAppended]]:
    """Record groups of events in one pass; give them numbered, and the blobs."""
    recorder = Recorder(State(LOG), blob_limit)
    numbered: list[Event] = []
    for group in groups:
        numbered.extend(map(recorder.record, group))
        recorder.end_group()
        recorder.end_group()
    rows, blobs = recorder.take_pass()
    assert recorder.take_pass() == ([], [])
    appended = [row for row in rows if isinstance(row, BlobAppended)]
    assert [row.blob for row in appended] == blobs
    return numbered, appended


def sagas(count: int) -> list[Event]:
    return [SagaStarted(name="saga", cause=None, saga_id=1 + number) for number in range(count)]


def frames(events: list[Event]) -> bytes:
    return b"".join(map(encode, events))


DATED = Untyped(value=datetime(2026, 11, 27, tzinfo=UTC))
"""Packed at once its date would be an extension type; in its own frame it is text."""


@pytest.mark.parametrize("more", [[], [DATED]])
def test_events_are_in_the_blob_as_in_their_own_frames(more: list[Event]) -> None:
    end = SagaCompleted(saga_id=1, result="done")
    numbered, [row] = recorded([sagas(2), more, [end]], 1000)
    assert (row.first, row.last) == (1, len(numbered))
    assert row.blob.endswith(frames(numbered))


def test_the_blob_of_plain_events_is_read_at_once() -> None:
    numbered, [row] = recorded([sagas(3)], 1000)
    assert Codec().decode_blob(row.blob) == numbered


def test_events_that_are_too_many_for_one_blob_end_it_where_a_group_ends() -> None:
    one = len(encode(sagas(1)[0]))
    numbered, rows = recorded([sagas(2), sagas(1), sagas(2), sagas(1)], 3 * one + 9)
    assert [(row.first, row.last) for row in rows] == [(1, 3), (4, 6)]
    assert all(row.blob.endswith(frames(numbered[row.first - 1 : row.last])) for row in rows)


def test_a_group_is_never_parted() -> None:
    _, rows = recorded([sagas(5), sagas(1)], 10)
    assert [(row.first, row.last) for row in rows] == [(1, 5), (6, 6)]


def test_a_pass_without_events_has_no_blob() -> None:
    assert recorded([], 1000) == ([], [])
