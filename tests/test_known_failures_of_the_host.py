"""Known failures of the original system that a host had its part in, with the real host."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from actors.simulation import read_profile
from actors.simulation.host_node import HostNode
from actors.simulation.world import World
from host_sim.host import Host
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from transport.codec import Codec, encode, encode_commands
from transport.history_lines import EventLine
from transport.messages import (
    CommandIdentity,
    InjectFault,
    PromoteWindow,
    Registered,
    SpawnPoolWindow,
)


def world(spawn_time: str = "200ms") -> World:
    calm = read_profile("calm")
    system = replace(calm.system, hosts=1, spawn_time=spawn_time, pool_target=2)
    made = World(7, replace(calm, system=system))
    made.start()
    return made


def inject(host: HostNode, fault: str, count: int = 1) -> None:
    host.control(encode(InjectFault(number=1, fault=fault, count=count)))


def promote(host: HostNode, count: int = 1) -> None:
    for number in range(count):
        host.control(encode(PromoteWindow(number=2 + number)))


def events(made: World, name: str) -> list[dict[str, Any]]:
    return [
        line.event
        for line in made.history
        if isinstance(line, EventLine) and line.event["type"] == name
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("quitting", "quitting"),
        ("memory_pressure", "memory pressure"),
        ("pane_closing", "pane closing"),
        ("creation_failed", "creation failed"),
        ("creation_never_ready", "creation never ready: timed out after 3 s"),
    ],
)
def test_whatever_stops_a_refill_is_told_and_the_pool_heals_by_itself(
    fault: str, reason: str
) -> None:
    made = world()
    [host] = made.hosts
    inject(host, fault)
    promote(host)
    made.wait(lambda: bool(events(made, "SagaFailed")), "the failure")
    assert [event["reason"] for event in events(made, "SagaFailed")] == [reason]
    made.wait(made.pools_full, "the pool to heal")
    assert len(events(made, "PoolWindowPromoted")) == 1


def test_a_spawn_beyond_the_pools_room_is_refused_with_its_reason() -> None:
    host, executed = hand_fed_host(pool_target=0)
    for saga_id in (1, 2, 3):
        execute(host, saga_id)
    assert [report["type"] for report in executed if report["did"] == "report"] == [
        "ReportPoolWindowAdded",
        "ReportPoolWindowAdded",
        "ReportActionFailed",
    ]
    assert executed[-1]["reason"] == "pool full"


def test_a_spawn_that_never_becomes_ready_blocks_no_later_one() -> None:
    made = world()
    [host] = made.hosts
    inject(host, "creation_never_ready")
    promote(host, 2)
    made.wait(lambda: len(events(made, "SagaCompleted")) == 3, "the second refill")
    assert events(made, "SagaFailed") == []


def test_an_empty_pool_opens_cold_says_so_and_is_refilled() -> None:
    made = world()
    [host] = made.hosts
    promote(host, 3)
    made.wait(lambda: len(events(made, "WindowOpened")) == 3, "three windows")
    assert [event["cold"] for event in events(made, "WindowOpened")] == [False, False, True]
    assert len(events(made, "PoolWindowPromoted")) == 2
    made.wait(made.pools_full, "the pool to be whole")


def test_a_ready_window_that_dies_is_reported_and_replaced() -> None:
    made = world()
    [host] = made.hosts
    inject(host, "ready_window_dies")
    made.wait(lambda: bool(events(made, "PoolWindowRemoved")), "the report")
    assert events(made, "PoolWindowRemoved")[0]["reason"] == "died"
    made.wait(made.pools_full, "the replacement")


def test_a_drift_is_reported_once_and_repaired() -> None:
    made = world()
    [host] = made.hosts
    inject(host, "window_vanishes")
    made.wait(lambda: bool(events(made, "PoolDriftReported")), "the drift")
    made.wait(lambda: bool(events(made, "PoolWindowRemoved")), "the repair")
    assert events(made, "PoolWindowRemoved")[0]["reconciled"]
    made.wait(made.pools_full, "the pool to be whole")
    promote(host)
    made.wait(lambda: len(events(made, "SagaCompleted")) == 4, "a promote after it")
    assert len(events(made, "PoolDriftReported")) == 1


def hand_fed_host(pool_target: int = 2) -> tuple[Host, list[dict[str, Any]]]:
    history: list[dict[str, Any]] = []
    settings = HostSettings(
        host="host-1", pool_target=pool_target, spawn_time=parse_spawn_time("0")
    )
    host = Host(settings, epoch="1" * 32, generator=Random(1), codec=Codec(), record=history.append)
    connect(host)
    return host, history


def connect(host: Host) -> None:
    host.connected(0)
    host.link_outgoing()
    answer = Registered(log="f" * 32, epoch="a" * 32, taken=0, low_water=1, heartbeat_ms=1000)
    host.receive_link([encode(answer)], 0)


def execute(host: Host, saga_id: int) -> list[bytes]:
    command = SpawnPoolWindow(identity=CommandIdentity("f" * 32, saga_id, 0))
    host.receive_link([encode_commands([encode(command)])], 0)
    host.advance(0)
    return host.link_outgoing()


def test_a_command_delivered_again_over_another_connection_is_not_executed_again() -> None:
    host, history = hand_fed_host()
    first = execute(host, 1)
    connect(host)
    again = execute(host, 1)
    made = [line for line in history if line.get("label") and line["did"] != "report"]
    assert len(made) == 1
    assert again == first
