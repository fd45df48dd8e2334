"""Parts of the benchmarks that need no run."""

import time
from pathlib import Path

import zmq

from bench.calibration import calibrate, commit_cost
from bench.places import HostPlace, Places
from bench.spawn_times import spawns
from bench.trigger_sockets import trigger_sockets
from bench.waiting import wait_finely
from transport.endpoints import Endpoints, ipc_endpoint
from transport.history import HistoryWriter
from transport.history_lines import HostLine
from transport.messages import CommandIdentity
from transport.zeromq import sockets

LOG = EPOCH = "0123456789abcdef" * 2


def test_a_burst_of_triggers_fits_into_the_queue_of_a_host_that_does_not_read(
    tmp_path: Path,
) -> None:
    control = ipc_endpoint(tmp_path / "control")
    place = HostPlace("host", Endpoints.in_directory(tmp_path), control)
    with zmq.Context() as context:
        host = sockets.router(context, control)
        (trigger,) = trigger_sockets(context, [place])
        try:
            for _ in range(10_000):
                trigger.send(bytes(100), zmq.NOBLOCK)
        finally:
            trigger.close(linger=0)
            host.close(linger=0)


def test_a_fine_wait_does_not_wait_while_a_message_is_there(tmp_path: Path) -> None:
    control = ipc_endpoint(tmp_path / "control")
    with zmq.Context() as context:
        here, there = sockets.router(context, control), sockets.dealer(context, control)
        try:
            there.send(b"news")
            assert here.poll(20_000)  # from now on, its descriptor tells of nothing
            began = time.monotonic()
            wait_finely([here], 20)
            assert time.monotonic() - began < 20
        finally:
            here.close(linger=0)
            there.close(linger=0)


def test_a_window_is_made_from_its_first_command_until_it_is_ready(tmp_path: Path) -> None:
    file, identity = tmp_path / "history", CommandIdentity(LOG, 7, 0)
    happenings = [
        ("command", 100, identity),
        ("command", 200, identity),
        ("ready", 300, None),
        ("ready", 400, identity),
        ("report", 500, identity),
    ]
    with HistoryWriter(file) as writer:
        writer.write(
            HostLine(at_ns, "host", EPOCH, did, identity=whose) for did, at_ns, whose in happenings
        )
    assert spawns([file]) == {7: (100, 400)}


def test_every_party_of_a_keyed_run_has_a_key_of_its_own(tmp_path: Path) -> None:
    places = Places.of("curve", tmp_path, ("a", "b"))
    assert places.launcher_keys is not None
    clients = [place.endpoints.keys for place in places.hosts] + [places.observer.keys]
    assert {keys.server for keys in clients if keys} == {places.launcher_keys.own.public}
    assert len({keys.own.public for keys in clients if keys}) == 3
    assert places.launcher.link.startswith("tcp://127.")
    assert len({place.control for place in places.of_first(2).hosts}) == 2
    assert [place.host for place in places.of_first(1).hosts] == ["a"]


def test_the_machine_is_calibrated_and_its_commits_are_timed() -> None:
    assert calibrate() > 100
    cost = commit_cost()
    assert 0 < cost.normal_us < 1e6
    assert 0 < cost.full_us < 1e6
