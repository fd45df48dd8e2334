import random
from typing import Any

import pytest

from host_sim.drift_watch import PENDING_LIMIT, Drift, DriftWatch
from host_sim.host import Host
from host_sim.settings import HostSettings
from host_sim.spawn_time import Fixed
from transport.codec import Codec, as_map, decode, encode, encode_blob, encode_map, family
from transport.frame_fault import FrameFault
from transport.message_types import UP
from transport.messages import (
    CommandIdentity,
    Commands,
    Event,
    InjectFault,
    Origin,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    PromoteWindow,
    Register,
    Registered,
    ReportPoolDrift,
    Reports,
    SagaStarted,
    SpawnPoolWindow,
    StreamHeartbeat,
    WindowOpened,
)

EPOCH = "e" * 32
LOG = "1" * 32
OTHER_LOG = "2" * 32


def origin(sequence: int, host: str = "h1", epoch: str = EPOCH) -> Origin:
    return Origin(host, epoch, sequence)


def added(label: str, sequence: int, host: str = "h1") -> PoolWindowAdded:
    return PoolWindowAdded(label=label, origin=origin(sequence, host))


class Launcher:
    """Publishes events with versions that follow."""

    def __init__(self, log: str = LOG, version: int = 1) -> None:
        self.log = log
        self.version = version

    def blob(self, *events: Event) -> bytes:
        first = self.version
        frames = []
        for event in events:
            frames.append(encode_map({**as_map(event), "version": self.version}))
            self.version += 1
        return encode_blob(self.log, first, frames)

    def heartbeat(self) -> bytes:
        return encode(StreamHeartbeat(log=self.log, last=self.version - 1))


def a_watch(*pool: str, base: int = 0) -> DriftWatch:
    watch = DriftWatch("h1", EPOCH, Codec())
    watch.receive(Launcher().heartbeat())
    watch.rebase(base, pool)
    return watch


def add(watch: DriftWatch, label: str, sequence: int) -> None:
    watch.pool_changed(label, True)  # noqa: FBT003
    watch.frame_ended(sequence)


def test_what_the_pool_did_without_a_report_is_found_at_the_next_heartbeat() -> None:
    watch, launcher = a_watch("a"), Launcher()
    assert watch.receive(launcher.heartbeat()) == []
    watch.pool_changed("a", False)  # noqa: FBT003
    assert watch.receive(launcher.heartbeat()) == [Drift(0, (), ("a",))]
    assert watch.receive(launcher.heartbeat()) == []


def test_two_pools_that_agree_are_compared_and_no_drift_is_told() -> None:
    watch, launcher = a_watch(), Launcher()
    add(watch, "a", 1)
    add(watch, "b", 2)
    assert watch.receive(launcher.blob(added("a", 1), added("b", 2))) == []
    assert watch.compared == 2


def test_the_middle_of_a_frame_is_not_compared() -> None:
    watch, launcher = a_watch("a"), Launcher()
    watch.pool_changed("a", False)  # noqa: FBT003
    watch.frame_ended(3)
    removed = PoolWindowRemoved(label="a", reason="promoted", promote_id="p", origin=origin(1))
    promoted = PoolWindowPromoted(label="a", promote_id="p", origin=origin(2))
    opened = WindowOpened(label="a", promote_id="p", origin=origin(3))
    assert watch.receive(launcher.blob(removed)) == []
    assert watch.receive(launcher.blob(promoted, opened)) == []
    assert watch.compared == 1


def test_a_label_that_the_launcher_lacks_and_one_that_only_it_has_are_told_once() -> None:
    watch, launcher = a_watch("ghost"), Launcher()
    watch.pool_changed("ghost", False)  # noqa: FBT003
    add(watch, "a", 1)
    add(watch, "b", 2)
    add(watch, "c", 3)
    assert watch.receive(launcher.blob(added("b", 2))) == [Drift(2, ("a",), ("ghost",))]
    assert watch.receive(launcher.blob(added("c", 3))) == []
    add(watch, "d", 4)
    add(watch, "e", 5)
    assert watch.receive(launcher.blob(added("e", 5))) == [Drift(5, ("a", "d"), ("ghost",))]


def test_the_pool_is_compared_as_it_was_at_the_report_that_the_event_names() -> None:
    watch, launcher = a_watch(), Launcher()
    add(watch, "a", 1)
    add(watch, "b", 2)
    assert watch.receive(launcher.blob(added("a", 1))) == []


def test_events_of_others_and_of_reports_before_the_base_are_left_aside() -> None:
    watch, launcher = a_watch("a", base=5), Launcher()
    blob = launcher.blob(
        added("x", 9, host="h2"),
        PoolWindowAdded(label="y", origin=origin(9, epoch="d" * 32)),
        SagaStarted(name="pool_refill"),
        added("z", 5),
    )
    assert watch.receive(blob) == []
    assert watch.compared == 0
    assert watch.comparing


def test_a_hole_ends_the_comparison_until_the_host_registers_anew() -> None:
    watch, launcher = a_watch(), Launcher()
    add(watch, "a", 1)
    launcher_blob = launcher.blob(added("a", 1))
    watch.receive(launcher_blob)
    add(watch, "b", 2)
    launcher.blob(added("b", 2))
    add(watch, "c", 3)
    assert watch.receive(launcher.blob(added("c", 3))) == []
    assert not watch.comparing
    watch.rebase(3, ["a", "b", "c"])
    assert not watch.wants_registration
    add(watch, "d", 4)
    assert watch.receive(launcher.blob(added("d", 4))) == []
    assert watch.compared == 2


def test_a_stream_joined_after_the_first_report_may_lack_something() -> None:
    watch = DriftWatch("h1", EPOCH, Codec())
    watch.rebase(0, [])
    add(watch, "a", 1)
    add(watch, "b", 2)
    assert watch.receive(Launcher(version=9).blob(added("b", 2))) == []
    assert watch.wants_registration


def test_a_heartbeat_shows_that_the_last_blob_was_lost() -> None:
    watch, launcher = a_watch(), Launcher()
    add(watch, "a", 1)
    launcher.blob(added("a", 1))
    watch.receive(launcher.heartbeat())
    assert watch.wants_registration


@pytest.mark.parametrize("log", [LOG, OTHER_LOG])
def test_a_hole_before_anything_was_reported_does_no_harm(log: str) -> None:
    watch = a_watch("a", base=4)
    launcher = Launcher(log, version=77)
    assert watch.receive(launcher.blob(added("z", 2))) == []
    add(watch, "b", 5)
    assert watch.receive(launcher.blob(added("b", 5))) == []
    assert watch.compared == 1


def test_a_silent_stream_costs_no_unbounded_memory() -> None:
    watch = a_watch()
    for sequence in range(1, PENDING_LIMIT + 2):
        watch.frame_ended(sequence)
    assert not watch.comparing
    assert watch.wants_registration


@pytest.mark.parametrize("frame", [b"\xc1", encode_map({"type": "Events", "log": LOG})])
def test_a_malformed_frame_of_the_stream_is_counted_and_counts_as_a_hole(frame: bytes) -> None:
    watch = a_watch()
    assert watch.receive(frame) == []
    assert watch.faults.total() == 1
    assert watch.wants_registration


def test_a_malformed_event_of_its_own_is_counted() -> None:
    watch = a_watch()
    bad = {**as_map(added("a", 1)), "label": 7}
    assert watch.receive(encode_blob(LOG, 1, [encode_map(bad)])) == []
    assert watch.faults == {FrameFault.WRONG_TYPE: 1}


def test_a_pool_that_moves_at_random_never_drifts_from_events_that_tell_the_truth() -> None:
    generator = random.Random(11)
    watch, launcher, pool = a_watch(), Launcher(), list[str]()
    queue: list[Event] = []
    for sequence in range(1, 2000):
        if pool and generator.random() < 0.5:
            label = pool.pop(generator.randrange(len(pool)))
            watch.pool_changed(label, False)  # noqa: FBT003
            queue.append(PoolWindowRemoved(label=label, reason="died", origin=origin(sequence)))
        else:
            pool.append(f"w{sequence}")
            watch.pool_changed(pool[-1], True)  # noqa: FBT003
            queue.append(added(pool[-1], sequence))
        watch.frame_ended(sequence)
        if generator.random() < 0.3:
            assert watch.receive(launcher.blob(*queue)) == []
            queue.clear()
        if generator.random() < 0.01:
            watch.rebase(sequence, pool)
    assert watch.compared > 1500


def test_a_host_reports_a_window_that_vanished_and_its_next_inventory_lacks_it() -> None:
    host = Host(HostSettings("h1", spawn_time=Fixed(0)), epoch=EPOCH, generator=random.Random(1))
    host.connected(0)
    host.link_outgoing()
    host.receive_link(
        [encode(Registered(log=LOG, epoch=EPOCH, taken=0, low_water=1, heartbeat_ms=60_000))], 0
    )

    def spawn(saga_id: int) -> str:
        command = SpawnPoolWindow(identity=CommandIdentity(LOG, saga_id, 0))
        host.receive_link([encode(Commands(commands=[as_map(command)]))], 0)
        host.advance(0)
        label: str = host.state()["pool"][-1]
        return label

    def sent() -> list[Any]:
        return [decode(frame, family(UP)) for frame in host.link_outgoing()]

    launcher = Launcher()
    host.receive_stream(launcher.heartbeat(), 0)
    first = spawn(1)
    host.receive_control(b"u", encode(InjectFault(number=1, fault="window_vanishes")), 0)
    host.advance(0)
    second = spawn(2)
    sent()
    host.receive_stream(launcher.blob(added(first, 1), added(second, 2)), 0)
    (reports,) = sent()
    assert isinstance(reports, Reports)
    drift = Codec().decode_reports(reports.reports)
    assert drift == [ReportPoolDrift(at_sequence=2, surplus=(first,))]
    host.connected(1)
    (register,) = sent()
    assert isinstance(register, Register)
    assert [each.label for each in register.inventory] == [second]


def test_a_host_registers_again_at_most_once_for_holes_that_follow_each_other() -> None:
    host = Host(HostSettings("h1", spawn_time=Fixed(0)), epoch=EPOCH, generator=random.Random(1))
    answer = encode(Registered(log=LOG, epoch=EPOCH, taken=0, low_water=1, heartbeat_ms=60_000))
    host.connected(0)
    host.link_outgoing()
    host.receive_link([answer], 0)
    registrations = 0
    for version in range(10, 100, 10):
        host.receive_control(b"u", encode(PromoteWindow(number=1)), 0)
        host.advance(version)
        host.receive_stream(Launcher(version=version).heartbeat(), version)
        host.advance(version)
        while frames := host.link_outgoing():
            if any(isinstance(decode(each, family(UP)), Register) for each in frames):
                registrations += 1
                host.receive_link([answer], version)
    assert registrations == 1
