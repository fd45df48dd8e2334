import pytest
from msgspec.structs import replace

from tests.event_stream_builders import (
    MemoryJournal,
    added,
    closed,
    failed,
    label,
    numbered,
    promote,
    registered,
    reread,
    started,
)
from transport.codec import Codec
from transport.event_stream import Snapshot
from transport.event_stream.snapshot import ROW_LIMIT
from transport.frame_fault import FrameError
from transport.messages import (
    ActionFailed,
    OpaqueEvent,
    SnapshotBracket,
    SnapshotClosed,
    SnapshotHost,
    SnapshotWindow,
)

EVENTS = numbered(registered(), added(1), added(2), *promote(1), started(7, cause=5))


def folded() -> Snapshot:
    snapshot = Snapshot()
    snapshot.fold(EVENTS)
    return snapshot


def test_rows_are_the_hosts_their_windows_and_the_open_brackets() -> None:
    host, pooled, opened, bracket = folded().rows()
    assert isinstance(host, SnapshotHost)
    assert (host.host, host.pool_target, host.live) == ("desk", 2, True)
    assert pooled == SnapshotWindow(host="desk", label=label(2), place="pool")
    assert opened == SnapshotWindow(host="desk", label=label(1), place="open")
    assert isinstance(bracket, SnapshotBracket)
    assert (bracket.saga_id, bracket.cause, bracket.origin) == (7, 5, EVENTS[4].origin)
    assert [each["version"] for each in bracket.events] == [4, 5, 6, 7]


def test_a_snapshot_made_from_rows_gives_the_same_rows_and_goes_on_alike() -> None:
    original, copy = folded(), reread(folded())
    assert list(copy.rows()) == list(original.rows())
    for snapshot in (original, copy):
        snapshot.fold(numbered(failed(7), added(3), first=8))
    assert list(copy.rows()) == list(original.rows())
    assert copy.before == original.before == 10


def test_a_window_that_is_gone_for_ever_is_so_after_reading_the_rows_too() -> None:
    snapshot = Snapshot()
    snapshot.fold(
        numbered(registered(), added(1), added(2), added(4), closed(1), closed(2), closed(4))
    )
    assert list(snapshot.rows())[1:] == [
        SnapshotClosed(host="desk", first=1, last=2),
        SnapshotClosed(host="desk", first=4, last=4),
    ]
    copy = reread(snapshot).mirror.hosts["desk"]
    assert [copy.was_closed(label(number)) for number in (1, 2, 3, 4)] == [True, True, False, True]


def test_a_closed_bracket_leaves_no_row() -> None:
    snapshot = folded()
    snapshot.fold(numbered(failed(7), first=8))
    assert not any(isinstance(row, SnapshotBracket) for row in snapshot.rows())


def test_events_that_do_not_follow_are_refused_with_both_versions() -> None:
    with pytest.raises(ValueError, match="version 3 into a snapshot before 8"):
        folded().fold(EVENTS[2:])


def test_nothing_to_fold_changes_nothing() -> None:
    snapshot = folded()
    snapshot.fold([])
    assert snapshot.before == 8


def test_a_large_bracket_is_several_rows_of_bounded_size_and_reads_back_as_one() -> None:
    snapshot = Snapshot()
    reports = [ActionFailed(saga_id=7, reason="x" * 1000)] * 1200
    snapshot.fold(numbered(started(7, None), *reports))
    rows = list(snapshot.rows())
    assert len(rows) == 3
    assert all(len(str(row)) < 2 * ROW_LIMIT for row in rows)
    assert list(reread(snapshot).rows()) == rows
    (group,) = reread(snapshot).groups.groups()
    assert len(group.events) == 1201


def test_an_opaque_event_in_a_bracket_keeps_its_map() -> None:
    raw = {"type": "New", "version": 2, "saga_id": 7, "origin": None, "more": [1]}
    opaque = OpaqueEvent(version=2, saga_id=7, origin=None, type_name="New", fields=raw)
    snapshot = Snapshot()
    snapshot.fold([*numbered(started(7, None)), opaque])
    (group,) = reread(snapshot).groups.groups()
    assert group.events[1] == opaque


def test_a_window_of_a_host_without_a_row_is_refused() -> None:
    rows = list(folded().rows())
    with pytest.raises(FrameError, match="no row before it"):
        Snapshot.from_rows(rows[1:], Codec(), before=8)


@pytest.mark.parametrize(("first", "last"), [(4, 3), (2, 2), (1, 5)])
def test_closed_windows_that_do_not_follow_on_those_before_are_refused(
    first: int, last: int
) -> None:
    host = next(folded().rows())
    rows = [SnapshotClosed(host="desk", first=a, last=b) for a, b in ((1, 2), (first, last))]
    with pytest.raises(FrameError, match=f"windows {first} to {last} .* do not follow"):
        Snapshot.from_rows([host, *rows], Codec(), before=8)


def test_a_host_with_two_rows_is_refused() -> None:
    host = next(folded().rows())
    with pytest.raises(FrameError, match="two rows"):
        Snapshot.from_rows([host, host], Codec(), before=8)


def test_a_malformed_event_in_a_bracket_is_refused() -> None:
    *rows, bracket = folded().rows()
    assert isinstance(bracket, SnapshotBracket)
    with pytest.raises(FrameError):
        Snapshot.from_rows([*rows, replace(bracket, events=[{"type": 1}])], Codec(), before=8)


def test_folding_blob_by_blob_is_folding_all_at_once() -> None:
    journal = MemoryJournal()
    journal.record(registered(), added(1))
    journal.record(*promote(1), started(7, cause=4))
    journal.record(failed(7))
    journal.trim(3)
    assert list(journal.snapshot.rows()) == list(journal.snapshot_before(8).rows())
