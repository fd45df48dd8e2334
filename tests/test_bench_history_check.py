"""What a run's history has to be for the run to count."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from bench.floor_frames import EVENTS, Kind, frame_of
from bench.floor_scene import wrong_promotes
from bench.held_sagas import HeldSaga, SagaHeld
from bench.history_check import summary, violations
from transport.event_stream import Batch
from transport.messages import (
    Event,
    HostRegistered,
    Origin,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowOpened,
)

EPOCH = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
HOST = Origin("bench-0", EPOCH, 1)
RESPAWN = "pool_respawn_on_promote"


@dataclass
class History:
    events: list[Event]

    def number(self) -> list[Batch]:
        numbered = [replace(event, version=at) for at, event in enumerate(self.events, 1)]
        return [Batch((event,), at_ns=event.version * 1000) for event in numbered]


def promotes(count: int) -> History:
    """Give a pool of `count` windows, and `count` promotes at once."""
    events: list[Event] = [HostRegistered(pool_target=0, origin=HOST)]
    sequence = 0
    for number in range(count):
        sequence += 1
        origin = replace(HOST, sequence=sequence)
        events.append(PoolWindowAdded(label=f"window-{EPOCH}-{number + 1}", origin=origin))
    first = len(events)
    for number in range(count):
        label, promote_id = f"window-{EPOCH}-{number + 1}", f"promote-{EPOCH}-{number + 1}"
        origins = [replace(HOST, sequence=sequence + each) for each in (1, 2, 3)]
        sequence += 3
        removed, promoted, opened = origins
        events += [
            PoolWindowRemoved(
                label=label, reason="promoted", promote_id=promote_id, origin=removed
            ),
            PoolWindowPromoted(label=label, promote_id=promote_id, origin=promoted),
            WindowOpened(label=label, promote_id=promote_id, origin=opened),
            SagaStarted(name=RESPAWN, cause=first + 4 * number + 2, saga_id=number + 1),
        ]
    for number in range(count):
        sequence += 1
        origin, label = replace(HOST, sequence=sequence), f"window-{EPOCH}-{count + number + 1}"
        events += [
            PoolWindowAdded(label=label, saga_id=number + 1, origin=origin),
            SagaCompleted(result=label, saga_id=number + 1),
        ]
    return History(events)


def at(history: History, kind: type[Event], number: int = 0) -> int:
    return [index for index, event in enumerate(history.events) if isinstance(event, kind)][number]


def lost_end(history: History) -> None:
    del history.events[at(history, SagaCompleted, -1)]


def lost_start(history: History) -> None:
    history.events[at(history, SagaStarted, -1)] = WindowOpened(label="cold", cold=True)


def doubled_end(history: History) -> None:
    history.events.append(history.events[-1])


def doubled_saga(history: History) -> None:
    started = history.events[at(history, SagaStarted, -1)]
    history.events.append(replace(started, saga_id=3))


def failed(history: History) -> None:
    history.events[-1] = SagaFailed(reason="saga timeout", saga_id=2)


def crossed_windows(history: History) -> None:
    index = at(history, SagaCompleted)
    (one, other) = history.events[index], history.events[index + 2]
    assert isinstance(one, SagaCompleted)
    assert isinstance(other, SagaCompleted)
    history.events[index] = replace(one, result=other.result)
    history.events[index + 2] = replace(other, result=one.result)


def crossed_hosts(history: History) -> None:
    index = at(history, PoolWindowAdded, -1)
    history.events[index] = replace(history.events[index], origin=Origin("bench-1", OTHER, 1))


def two_windows(history: History) -> None:
    index = at(history, PoolWindowAdded, -1)
    added = history.events[index]
    assert isinstance(added, PoolWindowAdded)
    history.events.insert(index + 1, replace(added, label=f"window-{EPOCH}-99"))


def test_promotes_that_end_as_they_should_are_right() -> None:
    assert violations(promotes(3).number(), in_flight=0) == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lost_end, "saga 2 .* is still open"),
        (lost_start, "started no saga"),
        (doubled_end, "saga 2 completed, but was not open"),
        (doubled_saga, "saga 3 started on version .*: no promote, or a second saga"),
        (failed, "saga 2 failed: saga timeout"),
        (crossed_windows, "saga 1 completed with .*, but got"),
        (crossed_hosts, "saga 2 of host bench-0 got a window of host bench-1"),
        (two_windows, "saga 2 got two windows"),
    ],
)
def test_a_promote_that_is_lost_doubled_failed_or_crossed_is_found(
    spoil: Callable[[History], None], complaint: str
) -> None:
    history = promotes(2)
    spoil(history)
    found = violations(history.number(), in_flight=0)
    assert any(re.search(complaint, each) for each in found), found


def test_a_hole_in_the_versions_is_found() -> None:
    batches = promotes(2).number()
    del batches[1]
    assert "version 3 follows version 1" in violations(batches, in_flight=0)


def test_as_many_sagas_have_to_be_open_as_are_in_flight() -> None:
    history = promotes(1)
    for saga_id in (2, 3):
        history.events += [
            SagaHeld(origin=replace(HOST, sequence=10 + saga_id)),
            SagaStarted(name=HeldSaga.name, cause=len(history.events) + 1, saga_id=saga_id),
        ]
    assert violations(history.number(), in_flight=2) == []
    assert violations(history.number(), in_flight=3) == ["2 sagas are in flight in place of 3"]
    history.events.append(SagaCompleted(result="", saga_id=3))
    assert violations(history.number(), in_flight=2) == [
        "saga 3 (held) has ended",
        "1 sagas are in flight in place of 2",
    ]


def test_many_violations_are_told_in_short() -> None:
    assert summary(["one", "two"]) == "one; two"
    assert summary(map(str, range(7))) == "0; 1; 2; 3; 4; and 2 more"


def test_a_promote_of_the_floor_has_each_event_once_and_in_order() -> None:
    frames = [
        frame_of(Kind.BEACON, 1),
        *(frame_of(kind, each) for kind in EVENTS for each in (1, 0)),
    ]
    assert wrong_promotes(frames, 2) == []
    assert len(wrong_promotes(frames[:-1], 2)) == 1
    assert len(wrong_promotes([*frames, frames[-1]], 2)) == 1
    assert len(wrong_promotes([*reversed(frames)], 2)) == 2
    assert len(wrong_promotes(frames, 3)) == 1
