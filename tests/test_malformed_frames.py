"""Ten thousand bad frames while promotes run: every one is counted, and harms nobody."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zmq

from tests.malformed_frames.hostile_host import HostileHost
from tests.malformed_frames.peer import Peer
from tests.malformed_frames.scene import Message, Scene
from tests.malformed_frames.watcher import Event, Watcher
from tests.wire_by_hand.processes import (
    launcher_process,
    muxsaga_process,
    program,
    started,
)

SEED = 20_250_614
ROUNDS = 50
PROMOTES_AT_ONCE = 2
PROMOTES = ROUNDS * PROMOTES_AT_ONCE * 2
GOOD_HOSTS = ("left", "right")
POOL_TARGET = 4
LARGE_ROUNDS = (0, 20, 40)
DROP_ROUNDS = (10, 30)
LEAVING = 2
FLOOD = 5_000
NOT_A_MAP = b"\x07"
DEADLINE_SECONDS = 110.0
FAULTS_ON_THE_LINK = {
    "too_large",
    "not_messagepack",
    "too_deep",
    "not_a_map",
    "unknown_type",
    "missing_field",
    "unknown_field",
    "wrong_type",
    "out_of_range",
    "too_long",
    "wrong_protocol",
    "not_registered",
    "wrong_role",
    "service_taken",
    "out_of_turn",
    "foreign_saga",
    "contradiction",
    "link_dropped",
}

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True, slots=True)
class Siege:
    """What is left when the attack is over, and all have made peace."""

    scene: Scene
    status: Message
    events: list[Event]
    notes: list[Message]
    observer_said: str


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    directory = tmp_path_factory.mktemp("siege")
    notes = {name: directory / f"{name}.jsonl" for name in GOOD_HOSTS}
    with ExitStack() as stack:
        stack.enter_context(launcher_process(directory, "--timeout", "pool_refill=100"))
        for name, file in notes.items():
            stack.enter_context(muxsaga_process("host", directory, *host_options(name, file)))
        observer = stack.enter_context(started(observer_command(directory)))
        context = zmq.Context[Any]()
        stack.callback(context.destroy, linger=0)
        watcher = Watcher(observer)
        scene = Scene(context, directory, watcher, Random(SEED))
        status = besiege(scene)
        assert observer.stderr is not None
        yield Siege(
            scene=scene,
            status=status,
            events=watcher.events,
            notes=[
                json.loads(line)
                for file in notes.values()
                for line in file.read_text().splitlines()
            ],
            observer_said=observer.stderr.read(),
        )


def host_options(name: str, notes: Path) -> list[str]:
    return [
        *("--host-id", name, "--spawn-time", "0", "--pool-target", str(POOL_TARGET)),
        *("--history", str(notes)),
    ]


def observer_command(directory: Path) -> list[str]:
    observer_by_hand = program("observer_by_hand.py")
    return observer_by_hand(
        str(directory),
        *("--respawns", str(PROMOTES), "--hosts-left", str(LEAVING)),
        *("--deadline", str(DEADLINE_SECONDS)),
    )


def besiege(scene: Scene) -> Message:
    """Attack while promotes run, until all bad frames are counted; give the status then."""
    status = scene.settle(pools_are_full)
    assert pools_are_full(status)
    scene.register_all()
    for number in range(ROUNDS):
        scene.promote(PROMOTES_AT_ONCE)
        scene.attack(with_large=number in LARGE_ROUNDS)
        if number in DROP_ROUNDS:
            scene.drop_a_link()
        scene.see_it_through()
    due = scene.due_faults()
    status = scene.settle(lambda status: counted_faults(status) == due)
    scene.make_peace()
    return status


def pools_are_full(status: Message) -> bool:
    hosts = status["hosts"]
    return all(name in hosts and len(hosts[name]["pool"]) == POOL_TARGET for name in GOOD_HOSTS)


def counted_faults(status: Message) -> tuple[Counter[str], Counter[str]]:
    return Counter(status["faults"]), Counter(status["queries"]["faults"])


def of_type(events: list[Event], *names: str) -> list[Event]:
    return [event for event in events if event["type"] in names]


def test_every_bad_frame_is_counted_by_its_kind(siege: Siege) -> None:
    on_link, on_query = siege.scene.due_faults()
    assert counted_faults(siege.status) == (on_link, on_query)
    assert siege.scene.sent >= 10_000
    assert siege.scene.spoiled * 2 >= siege.scene.sent
    assert set(on_link) == FAULTS_ON_THE_LINK
    assert (on_link + on_query).total() == siege.scene.sent + len(DROP_ROUNDS)


def test_every_bad_frame_is_refused_to_its_sender_and_to_nobody_else(siege: Siege) -> None:
    scene = siege.scene
    hostile = [scene.host_link, scene.service_link, scene.stranger, scene.asker, *scene.giants]
    for peer in hostile:
        assert peer.refused == peer.due
        assert peer.due
    for peer in (scene.owing, *scene.controls):
        assert peer.refused == Counter()
    assert {message["type"] for message in scene.owing.told} == {
        "Registered",
        "Commands",
        "Acknowledge",
    }
    assert siege.observer_said == ""
    assert siege.notes
    assert [note for note in siege.notes if "refused_by_launcher" in note.values()] == []


def test_every_promote_was_completed_once_by_a_window_of_its_own_host(siege: Siege) -> None:
    promoted = {event["version"]: event for event in of_type(siege.events, "PoolWindowPromoted")}
    causes = {
        event["saga_id"]: event["cause"]
        for event in of_type(siege.events, "SagaStarted")
        if event["name"] == "pool_respawn_on_promote"
    }
    completed = Counter(event["saga_id"] for event in of_type(siege.events, "SagaCompleted"))
    added = {
        event["saga_id"]: event["origin"][0] for event in of_type(siege.events, "PoolWindowAdded")
    }
    assert {event["promote_id"] for event in promoted.values()} == siege.scene.promoted()
    assert len(promoted) == len(siege.scene.promoted()) == PROMOTES
    assert sorted(causes.values()) == sorted(promoted)
    for saga_id, cause in causes.items():
        assert completed[saga_id] == 1
        assert added[saga_id] == promoted[cause]["origin"][0]
    assert of_type(siege.events, "SagaFailed") == []


def test_no_report_of_an_attacker_became_an_event_before_it_made_peace(siege: Siege) -> None:
    host = siege.scene.host
    reported = [
        event
        for event in siege.events
        if event["origin"] is not None and event["origin"][0] == host.name
    ]
    told_by_reports = [event for event in reported if event["origin"][2] > 0]
    assert told_by_reports[0]["type"] == "PoolWindowAdded"
    assert told_by_reports[0]["origin"] == [host.name, host.epoch, host.taken]
    assert siege.scene.service.name not in {
        event["origin"][0] for event in siege.events if event["origin"] is not None
    }


def test_the_steps_that_were_aimed_at_are_settled_by_the_hosts_that_owe_them(siege: Siege) -> None:
    scene = siege.scene
    for host, link in ((scene.owing_host, scene.owing), (scene.host, scene.host_link)):
        owed = [saga_id for _, saga_id, _ in scene.owed(link)]
        results = {
            event["saga_id"]: event["result"]
            for event in of_type(siege.events, "SagaCompleted")
            if event["saga_id"] in owed
        }
        assert list(results) == owed
        assert all(host.epoch in label for label in results.values())


def test_an_attacker_is_asked_for_its_inventory_once(siege: Siege) -> None:
    for link in (siege.scene.host_link, siege.scene.service_link):
        assert len(link.told_of("NotRegistered")) == 1


def test_an_attacker_that_never_reads_is_counted_and_stops_nobody(tmp_path: Path) -> None:
    host = HostileHost(Random(SEED), "mallory")
    with (
        launcher_process(tmp_path),
        zmq.Context[Any]() as context,
        closing(Peer(context, f"ipc://{tmp_path}/link")) as flood,
        closing(Peer(context, f"ipc://{tmp_path}/query")) as asker,
        started(program("host_by_hand.py")(str(tmp_path), "desk")) as good_host,
    ):
        flood.say({**host.registration(), "pool_target": 0})
        for _ in range(FLOOD):
            flood.say(NOT_A_MAP)
        _, complaints = good_host.communicate(timeout=DEADLINE_SECONDS)
        assert (good_host.returncode, complaints) == (0, "")

        flood.say({"type": "Ping", "last": 0})
        flood.read_until(lambda: bool(flood.told_of("Acknowledge")))
        assert set(flood.refused) == {("not_a_map", None)}
        assert flood.refused.total() <= FLOOD

        asker.say({"type": "StatusQuestion", "number": 1})
        asker.read_until(lambda: bool(asker.told))
        faults = asker.told[0]["status"]["faults"]
        faults.pop("link_dropped", None)  # the good host's, when it has gone
        assert faults == {"not_a_map": FLOOD}


def test_the_launcher_is_sound_after_the_attack(siege: Siege) -> None:
    versions = [event["version"] for event in siege.events]
    assert versions == list(range(1, len(versions) + 1))
    assert siege.status["actors"]["crashed"] == 0
    assert siege.status["sagas"]["failed"] == 0
    assert siege.status["log_status"] == "ok"
