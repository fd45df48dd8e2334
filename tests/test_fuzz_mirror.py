"""Fuzz: the mirror and its snapshot, whatever events say and however they are cut.

The events are any events, of two hosts and two epochs each, about few windows, so that they
contradict each other in every way: the reducer lets no such history happen, but an observer and a
log of somebody else's may be handed one.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.event_stream_builders import reread
from tests.fuzz_messages import of_type
from tests.fuzz_profiles import fuzzed
from transport.codec import Codec
from transport.event_stream import Snapshot
from transport.frame_fault import FrameError
from transport.labels import window_label
from transport.messages import (
    Event,
    HostLeft,
    HostRegistered,
    PoolDrained,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    SnapshotBracket,
    SnapshotClosed,
    SnapshotHost,
    SnapshotRow,
    SnapshotWindow,
    WindowClosed,
    WindowOpened,
)
from transport.messages.base import Origin
from transport.mirror import NumberRanges

HOSTS = ("desk", "shelf")
EPOCHS = ("0" * 32, "1" * 32)
KINDS: tuple[type[Event], ...] = (
    HostLeft,
    HostRegistered,
    PoolDrained,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)

labels = st.builds(window_label, st.sampled_from(EPOCHS), st.integers(1, 6))
origins = st.builds(Origin, st.sampled_from(HOSTS), st.sampled_from(EPOCHS), st.integers(0, 20))
few = {
    "label": labels,
    "origin": st.one_of(st.none(), origins),
    "promote_id": st.sampled_from([None, "a", "b"]),
    "saga_id": st.one_of(st.none(), st.integers(1, 4)),
    "pool_target": st.integers(0, 3),
    "name": st.just("any_saga"),
    "cause": st.one_of(st.none(), st.integers(1, 20)),
}


@st.composite
def any_events(draw: st.DrawFn) -> Event:
    event: Event = draw(of_type(draw(st.sampled_from(KINDS))))
    fields = {name: draw(few[name]) for name in sorted(few) if hasattr(event, name)}
    if isinstance(event, PoolWindowPromoted):
        fields["promote_id"] = fields["promote_id"] or "c"
    return replace(event, **fields)


def any_rows() -> st.SearchStrategy[SnapshotRow]:
    hosts = st.sampled_from(HOSTS)
    numbers = st.integers(1, 12)
    whole: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
        SnapshotHost: {"host": hosts, "epoch": st.sampled_from(EPOCHS)},
        SnapshotWindow: {"host": hosts, "label": labels},
        SnapshotClosed: {"host": hosts, "first": numbers, "last": numbers},
        SnapshotBracket: {"saga_id": st.integers(1, 4), "events": st.lists(bracket_events())},
    }
    return st.one_of([_changed(kind, fields) for kind, fields in whole.items()])


def _changed(kind: type[Any], fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda row, change: replace(row, **change), of_type(kind), st.fixed_dictionaries(fields)
    )


def bracket_events() -> st.SearchStrategy[Any]:
    return st.one_of(
        any_events().map(lambda event: {**_as_map(event), "version": 1}), st.integers()
    )


def _as_map(event: Event) -> dict[str, Any]:
    return {
        **{name: getattr(event, name) for name in event.__struct_fields__},
        "type": type(event).__name__,
    }


@st.composite
def blobs(draw: st.DrawFn) -> list[Sequence[Event]]:
    events = draw(st.lists(any_events(), max_size=30))
    numbered = [replace(event, version=version) for version, event in enumerate(events, 1)]
    cuts = sorted(draw(st.lists(st.integers(0, len(events)), max_size=5)))
    ends = [*cuts, len(events)]
    return [numbered[first:end] for first, end in zip([0, *cuts], ends, strict=True)]


@given(blobs(), st.integers(0, 6))
@fuzzed(120)
def test_going_on_from_a_snapshot_s_rows_is_having_seen_everything(
    cut: list[Sequence[Event]], at: int
) -> None:
    whole, first = Snapshot(), Snapshot()
    for blob in cut:
        whole.fold(blob)
    for blob in cut[:at]:
        first.fold(blob)
    rest = reread(first)
    assert list(rest.rows()) == list(first.rows())
    for blob in cut[at:]:
        rest.fold(blob)
    assert rest.before == whole.before
    assert list(rest.rows()) == list(whole.rows())


@given(st.lists(any_rows(), max_size=12))
@fuzzed(200)
def test_rows_are_refused_or_mean_what_they_say(rows: list[SnapshotRow]) -> None:
    try:
        snapshot = Snapshot.from_rows(rows, Codec(), before=50)
    except FrameError:
        return
    for row in rows:
        match row:
            case SnapshotWindow(host=name, label=label):
                assert snapshot.mirror.hosts[name].place_of(label) is not None
            case SnapshotClosed(host=name, first=first, last=last):
                host = snapshot.mirror.hosts[name]
                numbers = range(first, last + 1)
                assert numbers
                assert all(host.was_closed(window_label(host.epoch, each)) for each in numbers)
    assert list(reread(snapshot).rows()) == list(snapshot.rows())


@given(st.lists(st.integers(1, 40)), st.integers(1, 41))
@fuzzed(200)
def test_number_ranges_are_a_set(numbers: list[int], asked: int) -> None:
    ranges = NumberRanges()
    for number in numbers:
        ranges.add(number)
    assert (asked in ranges) == (asked in set(numbers))
    covered = [each for first, last in ranges.ranges() for each in range(first, last + 1)]
    assert covered == sorted(set(numbers))
    gaps = zip(ranges.ranges(), ranges.ranges()[1:], strict=False)
    assert all(after[0] > before[1] + 1 for before, after in gaps)
