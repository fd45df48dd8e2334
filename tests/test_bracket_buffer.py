from tests.event_stream_builders import (
    RESPAWN,
    added,
    closed,
    completed,
    failed,
    label,
    numbered,
    promote,
    registered,
    started,
)
from transport.event_stream import Batch, BracketBuffer, BracketGroup, Snapshot
from transport.messages import Event, OpaqueEvent, Recorded


def feed(
    buffer: BracketBuffer, *events: Event, first: int = 1
) -> list[BracketGroup | list[Recorded] | Recorded]:
    return list(buffer.feed(Batch(numbered(*events, first=first))))


def test_a_promotes_group_is_handed_over_at_its_terminal_and_has_all_of_it() -> None:
    buffer = BracketBuffer()
    assert feed(buffer, *promote(1), started(7, cause=2)) == []
    assert [group.saga_id for group in buffer.open_groups] == [7]
    (group,) = feed(buffer, added(3, saga_id=7), completed(7, label(3)), first=5)
    whole = numbered(*promote(1), started(7, 2), added(3, saga_id=7), completed(7, label(3)))
    assert isinstance(group, BracketGroup)
    assert (group.saga_id, group.name, group.events) == (7, RESPAWN, whole)
    assert group.terminal == whole[-1]
    assert buffer.open_groups == ()


def test_unrelated_events_are_released_at_once_and_in_order() -> None:
    buffer = BracketBuffer()
    events = (registered(), added(1), *promote(1), started(7, cause=4), added(2))
    assert feed(buffer, *events) == [numbered(*events)[index] for index in (0, 1, 6)]


def test_a_group_stands_at_the_place_of_its_terminal() -> None:
    buffer = BracketBuffer()
    feed(buffer, *promote(1), started(7, cause=2))
    before, group, after = feed(buffer, added(4), failed(7), added(5), first=5)
    assert before == numbered(added(4), first=5)[0]
    assert isinstance(group, BracketGroup)
    assert after == numbered(added(5), first=7)[0]


def test_other_promotes_in_the_same_blob_stay_in_their_own_groups() -> None:
    buffer = BracketBuffer()
    events = (
        *promote(1, "p1"),
        started(7, cause=2),
        *promote(2, "p2"),
        started(8, cause=6),
        *promote(1, "p1", host="other"),
        started(9, cause=10),
    )
    whole = numbered(*events)
    assert feed(buffer, *events) == []
    assert [tuple(group.events) for group in buffer.open_groups] == [
        whole[:4],
        whole[4:8],
        whole[8:],
    ]


def test_any_other_sagas_group_has_its_trigger_alone() -> None:
    buffer = BracketBuffer()
    events = (closed(4), started(7, cause=1, name="window_cleanup_cascade"), closed(5))
    assert feed(buffer, *events) == [numbered(*events)[2]]
    assert buffer.open_groups[0].events == list(numbered(*events)[:2])


def test_a_saga_without_a_trigger_has_a_group() -> None:
    buffer = BracketBuffer()
    (group,) = feed(buffer, started(7, None, "pool_refill"), added(1, 7), completed(7, label(1)))
    assert isinstance(group, BracketGroup)
    assert len(group.events) == 3


def test_a_trigger_of_two_sagas_is_in_both_groups() -> None:
    buffer = BracketBuffer()
    feed(buffer, closed(4), started(7, cause=1, name="one"), started(8, cause=1, name="two"))
    assert [group.events[0].version for group in buffer.open_groups] == [1, 1]


def test_an_event_of_one_saga_that_triggers_another_is_in_both_groups() -> None:
    buffer = BracketBuffer()
    feed(buffer, started(7, None, "one"), added(1, saga_id=7), started(8, cause=2, name="two"))
    assert [[each.version for each in group.events] for group in buffer.open_groups] == [
        [1, 2],
        [2, 3],
    ]


def test_a_bracket_that_opens_and_closes_in_one_blob_is_one_group() -> None:
    (group,) = feed(BracketBuffer(), *promote(1), started(7, cause=2), failed(7, "host left"))
    assert isinstance(group, BracketGroup)
    assert len(group.events) == 5


def test_events_of_a_bracket_that_began_unseen_are_released_as_they_come() -> None:
    events = (added(3, saga_id=7), completed(7, label(3)))
    assert feed(BracketBuffer(), *events) == list(numbered(*events))


def test_a_second_terminal_is_released_as_a_single_event() -> None:
    released = feed(BracketBuffer(), started(7, None), failed(7), failed(7))
    assert released[1] == numbered(failed(7), first=3)[0]


def test_a_late_report_of_a_closed_saga_is_unrelated() -> None:
    buffer = BracketBuffer()
    feed(buffer, started(7, None), failed(7))
    assert feed(buffer, added(1), first=3) == list(numbered(added(1), first=3))


def test_an_opaque_event_can_be_a_trigger_and_a_sagas_own() -> None:
    opaque = OpaqueEvent(version=1, saga_id=None, origin=None, type_name="New", fields={})
    own = OpaqueEvent(version=3, saga_id=7, origin=None, type_name="New", fields={})
    buffer = BracketBuffer()
    (start,) = numbered(started(7, cause=1, name="mine"), first=2)
    assert buffer.feed(Batch((opaque, start, own))) == []
    assert buffer.open_groups[0].events == [opaque, start, own]


def test_the_open_groups_of_a_snapshot_go_on_and_the_former_ones_are_forgotten() -> None:
    snapshot = Snapshot()
    snapshot.fold(numbered(*promote(1), started(7, cause=2)))
    buffer = BracketBuffer()
    feed(buffer, started(3, None))
    buffer.feed_snapshot(snapshot)
    (group,) = feed(buffer, failed(7), first=5)
    assert isinstance(group, BracketGroup)
    assert [each.version for each in group.events] == [1, 2, 3, 4, 5]
    assert len(snapshot.groups.groups()) == 1


def test_a_reset_forgets_what_waits() -> None:
    buffer = BracketBuffer()
    feed(buffer, started(7, None))
    buffer.reset()
    assert buffer.open_groups == ()
