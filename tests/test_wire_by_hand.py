"""Programs that know of the wire only what docs/protocol.md says, and a real launcher."""

import ast
import json
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from tests.wire_by_hand.processes import HERE, launcher_process, program, started

END_SECONDS = 30.0
HEARTBEAT = ("--heartbeat", "0.2")
FIRST_PROMOTED, REFILLED = 1, 3
LEAVERS = 10
BURST = 600

Event = dict[str, Any]

host_by_hand = program("host_by_hand.py")
observer_by_hand = program("observer_by_hand.py")


def events_of(process: "subprocess.Popen[str]") -> list[Event]:
    lines, complaints = process.communicate(timeout=END_SECONDS)
    assert (process.returncode, complaints) == (0, "")
    return [json.loads(line) for line in lines.splitlines()]


def run_program(arguments: list[str]) -> list[Event]:
    with started(arguments) as process:
        return events_of(process)


def types_of(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Path]:
    with launcher_process(tmp_path, *HEARTBEAT):
        yield tmp_path


def test_a_host_and_an_observer_by_hand_see_one_promote_from_start_to_end(launcher: Path) -> None:
    with started(observer_by_hand(str(launcher))) as observer:
        seen_by_host = run_program(host_by_hand(str(launcher), "desk"))
        seen_by_observer = events_of(observer)

    assert seen_by_host == seen_by_observer
    assert [event["version"] for event in seen_by_observer] == list(range(1, 14))
    assert types_of(seen_by_observer) == [
        "HostRegistered",
        "SagaStarted",
        "SagaStarted",
        "PoolWindowAdded",
        "SagaCompleted",
        "PoolWindowAdded",
        "SagaCompleted",
        "PoolWindowRemoved",
        "PoolWindowPromoted",
        "WindowOpened",
        "SagaStarted",
        "PoolWindowAdded",
        "SagaCompleted",
    ]
    host, epoch, _ = seen_by_observer[0]["origin"]
    promoted, _, opened, added, completed = seen_by_observer[8:]
    assert (host, promoted["label"]) == ("desk", f"window-{epoch}-{FIRST_PROMOTED}")
    assert opened["name"] == "pool_respawn_on_promote"
    assert opened["cause"] == promoted["version"]
    assert completed["saga_id"] == added["saga_id"] == opened["saga_id"]
    assert completed["result"] == added["label"] == f"window-{epoch}-{REFILLED}"


def test_a_late_observer_by_hand_replays_the_same_history_and_the_goodbye(launcher: Path) -> None:
    seen_by_host = run_program(host_by_hand(str(launcher), "desk"))
    replayed = run_program(observer_by_hand(str(launcher), "--hosts-left", "1"))

    assert replayed[: len(seen_by_host)] == seen_by_host
    assert [event["version"] for event in replayed] == list(range(1, len(replayed) + 1))
    assert types_of(replayed[len(seen_by_host) :]) == [
        "PoolWindowRemoved",
        "PoolWindowRemoved",
        "WindowClosed",
        "HostLeft",
    ]
    assert replayed[-1]["reason"] == "goodbye"


def test_two_hosts_by_hand_at_once_give_one_history_with_a_bracket_each(launcher: Path) -> None:
    with (
        started(observer_by_hand(str(launcher), "--respawns", "2")) as observer,
        started(host_by_hand(str(launcher), "left")) as left,
        started(host_by_hand(str(launcher), "right", "--pool-target", "5")) as right,
    ):
        seen_by_hosts = [events_of(left), events_of(right)]
        seen_by_observer = events_of(observer)

    assert [event["version"] for event in seen_by_observer] == list(
        range(1, len(seen_by_observer) + 1)
    )
    for seen in seen_by_hosts:
        first, last = seen[0]["version"], seen[-1]["version"]
        assert seen == seen_by_observer[first - 1 : last]
    promoted = {
        event["version"] for event in seen_by_observer if event["type"] == "PoolWindowPromoted"
    }
    respawns = {
        event["saga_id"]: event["cause"]
        for event in seen_by_observer
        if event["type"] == "SagaStarted" and event["name"] == "pool_respawn_on_promote"
    }
    completed = [event["saga_id"] for event in seen_by_observer if event["type"] == "SagaCompleted"]
    assert set(respawns.values()) == promoted
    assert len(respawns) == len(promoted) == 2
    assert set(respawns) <= set(completed)
    assert "SagaFailed" not in types_of(seen_by_observer)


def leave_after_a_burst(context: zmq.Context[Any], directory: Path, host: str) -> None:
    """Register, report windows as fast as it goes, say goodbye, and be gone."""
    epoch = secrets.token_hex(16)
    with context.socket(zmq.DEALER) as link:
        link.setsockopt(zmq.LINGER, int(END_SECONDS * 1000))
        link.connect(f"ipc://{directory}/link")
        link.send(
            msgpack.packb(
                {
                    "type": "Register",
                    "protocol": 1,
                    "role": "host",
                    "host": host,
                    "epoch": epoch,
                    "first_held": 1,
                    "as_of": 0,
                    "pool_target": 0,
                    "drained": False,
                    "serves": [],
                    "confirms": 0,
                    "part": 1,
                    "parts": 1,
                    "inventory": [],
                }
            )
        )
        assert msgpack.unpackb(link.recv_multipart()[0])["type"] == "Registered"
        for number in range(1, BURST + 1):
            opened = {
                "type": "ReportWindowOpened",
                "identity": None,
                "label": f"window-{epoch}-{number}",
                "promote_id": f"promote-{epoch}-{number}",
                "cold": True,
            }
            link.send(msgpack.packb({"type": "Reports", "sequence": number, "reports": [opened]}))
        link.send(msgpack.packb({"type": "Goodbye"}))


def test_all_that_a_host_said_before_it_went_is_taken(launcher: Path) -> None:
    hosts = [f"leaver-{number}" for number in range(LEAVERS)]
    with zmq.Context[Any]() as context:
        for host in hosts:
            leave_after_a_burst(context, launcher, host)
        seen = run_program(
            observer_by_hand(str(launcher), "--respawns", "0", "--hosts-left", str(LEAVERS))
        )
    opened = Counter(event["origin"][0] for event in seen if event["type"] == "WindowOpened")
    assert opened == dict.fromkeys(hosts, BURST)


def test_an_observer_by_hand_that_waits_in_vain_says_so(launcher: Path) -> None:
    with started(observer_by_hand(str(launcher), "--deadline", "0.1")) as observer:
        _, complaints = observer.communicate(timeout=END_SECONDS)
    assert observer.returncode == 1
    assert complaints == "only the events before version 1 came in time\n"


@pytest.mark.parametrize("name", ["host_by_hand.py", "observer_by_hand.py"])
def test_the_programs_by_hand_import_nothing_of_muxsaga(name: str) -> None:
    allowed = {"zmq", "msgpack", *sys.stdlib_module_names}
    imported: set[str] = set()
    for node in ast.walk(ast.parse((HERE / name).read_text())):
        match node:
            case ast.Import(names=names):
                imported.update(alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                imported.add(module.partition(".")[0])
            case ast.ImportFrom():
                pytest.fail(f"{name} imports its neighbours")
    assert imported <= allowed
