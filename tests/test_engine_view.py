"""What `diag state` and `diag explain` are told of a running engine, in every state of a link."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actors.command_line.diag_state import state_lines
from actors.dispatcher import Dispatcher
from actors.engine import EngineSettings
from actors.engine_view import LABELS_SHOWN, PEERS_SHOWN
from actors.launcher_link import Comparison
from actors.mailbox import Mailbox
from actors.open_saga_view import LoopHealth
from actors.saga import SagaContext
from actors.sagas import PoolRefill
from actors.state import OpenSaga
from actors.step_queue import PendingStep
from tests.launcher_harness import PlayedHost, PlayedLauncher
from tests.test_command_targets import EXTENSION, draw, launcher_with, opened, service_of
from transport.codec import MESSAGE_LIMIT, encode
from transport.event_stream import QuerySession
from transport.frame_fault import FrameFault
from transport.messages import (
    Goodbye,
    HostRegistered,
    InventoryWindow,
    Origin,
    Ping,
    PoolWindowAdded,
    Register,
    StateQuestion,
)
from transport.messages.query import STATE_SAGAS

PATIENT = EngineSettings(timeouts={"pool_respawn_on_promote": 60.0})
ASKED = 400
ROUNDS = 120
MANY_SAGAS = 100_000
MANY_HOSTS = 1_000


def peer_of(launcher: PlayedLauncher, name: str = "host-1") -> dict[str, Any]:
    shown = launcher.engine.view.state(0)["peers"]["shown"]
    [found] = [each for each in shown if each["name"] == name]
    return dict(found)


def waiting(launcher: PlayedLauncher) -> PlayedHost:
    """Give a host that does not answer the command of its promote's saga, 3."""
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.commands.clear()
    return host


def why(launcher: PlayedLauncher, saga_id: int = 3, health: LoopHealth | None = None) -> list[str]:
    reasons: list[str] = launcher.engine.view.saga(saga_id, health or LoopHealth())["why"]
    return reasons


# --- links ----------------------------------------------------------------------------------------


def test_a_host_that_is_heard_is_registered_with_its_pool_and_what_was_taken() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    peer = peer_of(launcher)
    assert peer["link"] == "registered"
    assert (peer["role"], peer["epoch"], peer["reports_taken"]) == ("host", host.epoch, 2)
    assert (peer["target"], peer["pool"], peer["open"]) == (2, launcher.pool_of(host), 0)
    launcher.advance(2)
    assert peer_of(launcher)["heard_s"] == pytest.approx(2, abs=1.2)


def test_a_host_that_is_not_heard_for_three_heartbeats_is_silent_until_it_is() -> None:
    launcher = PlayedLauncher(PATIENT)
    host = waiting(launcher)
    launcher.advance(2.5)
    assert peer_of(launcher)["link"] == "registered"
    launcher.advance(1)
    assert peer_of(launcher)["link"] == "silent"
    assert why(launcher) == ["host host-1 is silent, last heard 3.5 s ago"]
    host.say(Ping(last=host.sequence))
    assert peer_of(launcher)["link"] == "registered"
    assert why(launcher) == ["nothing is wrong: its time is not over"]


def test_a_host_whose_connection_is_full_is_blocked() -> None:
    launcher = PlayedLauncher(PATIENT)
    host = launcher.filled_host()
    launcher.full.add(host.connection)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    assert peer_of(launcher)["link"] == "blocked"
    assert why(launcher) == [
        "host host-1 takes nothing: its connection is full, last heard 0.0 s ago",
        "the command was never handed over",
    ]


def test_a_host_whose_connection_is_gone_is_shown_so() -> None:
    launcher = PlayedLauncher(PATIENT)
    host = launcher.filled_host()
    launcher.unreachable.add(host.connection)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    assert peer_of(launcher)["link"] == "gone"
    assert why(launcher) == [
        "the connection of host host-1 is gone, last heard 0.0 s ago",
        "the command was never handed over",
    ]


def test_a_connection_half_way_through_its_registration_is_counted_and_is_no_peer_yet() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    first, second = (
        Register(
            host=host.name,
            epoch=host.epoch,
            first_held=1,
            as_of=0,
            pool_target=0,
            part=part,
            parts=2,
        )
        for part in (1, 2)
    )
    host.say(first)
    peers = launcher.engine.view.state(0)["peers"]
    assert (peers["count"], peers["registering"]) == (0, 1)
    state = {**launcher.engine.view.state(0), "queries": {"answered": 0, "faults": {}}}
    assert "hosts and services  0; 1 half-way through a registration" in list(state_lines(state))
    host.say(second)
    peers = launcher.engine.view.state(0)["peers"]
    assert (peers["count"], peers["registering"]) == (1, 0)


def test_a_host_that_said_goodbye_has_left() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host().say(Goodbye())
    assert peer_of(launcher)["link"] == "left"


def test_a_host_that_a_restarted_launcher_did_not_meet_yet_is_unseen() -> None:
    launcher = PlayedLauncher(PATIENT)
    host = waiting(launcher)
    launcher.restart()
    assert peer_of(launcher)["link"] == "unseen"
    assert why(launcher) == ["host host-1 did not register since this launcher started"]
    saga = launcher.engine.view.saga(3)
    assert (saga["recovered"], saga["handed"]) == (True, True)
    inventory = tuple(InventoryWindow(each, "pool", None) for each in launcher.pool_of(host))
    opened_ones = tuple(InventoryWindow(each, "open", None) for each in launcher.opened_of(host))
    host.register(inventory=inventory + opened_ones)
    assert peer_of(launcher)["link"] == "registered"
    assert why(launcher) == ["nothing is wrong: its time is not over"]


def test_a_service_whose_connection_became_anothers_is_disconnected() -> None:
    launcher = launcher_with(EXTENSION)
    service = service_of(launcher)
    state = launcher.engine.view.state(0)
    assert state["services"]["shown"] == [
        {"command": "TakeThumbnail", "service": "thumbnails", "link": "registered"}
    ]
    assert peer_of(launcher, "thumbnails")["serves"] == ["TakeThumbnail"]
    other = launcher.host("host-2", "2" * 32)
    other.connection = service.connection
    other.register()
    assert peer_of(launcher, "thumbnails")["link"] == "disconnected"


# --- the mirror against the inventory -------------------------------------------------------------


def test_the_last_comparison_says_as_of_when_it_was_and_which_labels_differed() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    assert peer_of(launcher)["inventory"] == {
        "as_of": 0,
        "compared_s": pytest.approx(launcher.now / 1e9, abs=0.01),
        "differences": 0,
        "labels": [],
    }
    kept, lost = launcher.pool_of(host)
    host.register(inventory=(InventoryWindow(kept, "pool", None),))
    compared = peer_of(launcher)["inventory"]
    assert (compared["as_of"], compared["differences"], compared["labels"]) == (2, 1, [lost])
    assert peer_of(launcher)["inventory_awaited"] is False


def test_an_inventory_of_a_report_that_was_not_taken_yet_is_awaited() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.sequence += 1
    host.register(first_held=3, inventory=())
    assert peer_of(launcher)["inventory_awaited"] is True
    assert peer_of(launcher)["inventory"]["as_of"] == 0


# --- sagas ----------------------------------------------------------------------------------------


def test_an_open_saga_says_what_it_waits_for_since_when_and_until_when() -> None:
    launcher = PlayedLauncher()
    waiting(launcher)
    launcher.advance(2)
    sagas = launcher.engine.view.state(5)["sagas"]
    assert (sagas["open"], sagas["by_name"]) == (1, {"pool_respawn_on_promote": 1})
    [saga] = sagas["oldest"]
    assert saga == {
        "saga_id": 3,
        "name": "pool_respawn_on_promote",
        "host": "host-1",
        "step": 0,
        "handed": True,
        "waits_for": "the report of SpawnPoolWindow (step 0) from host host-1",
        "since_s": 2.0,
        "deadline_s": 3.0,
        "recovered": False,
        "restarts": 0,
        "last_failure": None,
        "why": ["nothing is wrong: its time is not over"],
    }


def test_a_saga_waits_anew_from_the_last_event_that_it_was_fed() -> None:
    launcher = launcher_with(EXTENSION)
    service = service_of(launcher)
    opened(launcher)
    launcher.advance(2)
    draw(service)
    [saga] = launcher.engine.view.state(5)["sagas"]["oldest"]
    assert (saga["step"], saga["since_s"]) == (1, 0.0)
    assert saga["waits_for"] == "the report of ShowThumbnail (step 1) from host host-1"


def test_a_step_that_no_service_takes_says_which() -> None:
    launcher = launcher_with(EXTENSION)
    opened(launcher)
    assert why(launcher, 1) == [
        "no service serves TakeThumbnail",
        "the command was never handed over",
    ]
    state = launcher.engine.view.state(0)
    assert state["queues"]["longest"] == [
        {
            "to": "the service of TakeThumbnail",
            "pending_steps": 1,
            "unsent_steps": 1,
            "flowing": False,
        }
    ]
    service = service_of(launcher)
    launcher.advance(4)
    assert why(launcher, 1) == ["service thumbnails is silent, last heard 4.0 s ago"]
    service.say(Ping(last=0))
    assert why(launcher, 1) == ["nothing is wrong: its time is not over"]


def test_a_launcher_that_stops_or_cannot_write_or_hangs_is_why() -> None:
    launcher = PlayedLauncher()
    waiting(launcher)
    out = LoopHealth(outage="disk full", outage_s=2.5)
    assert why(launcher, 3, out) == ["the log is unavailable for 2.5 s: disk full"]
    hangs = LoopHealth(quiet_s=7.5)
    assert why(launcher, 3, hangs) == ["the launcher's loop did not go round for 7.5 s"]
    launcher.engine.stop(launcher.now)
    assert launcher.engine.view.state(0)["stopping"] is True
    assert why(launcher) == ["the launcher is stopping: what is open is closed as failed"]


def test_one_that_the_log_has_open_and_the_launcher_not_waits_for_the_log() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host()
    assert why(launcher, 1, LoopHealth(outage="disk full", outage_s=1)) == [
        "it ended, and its end is not durable yet",
        "the log is unavailable for 1.0 s: disk full",
    ]


# --- counters and bounds --------------------------------------------------------------------------


def test_every_kind_of_bad_frame_is_counted_also_those_that_never_came() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.say_raw(b"\xc1")
    host.say_raw(b"\xc1")
    counters = launcher.engine.view.state(0)["counters"]
    assert set(counters["faults"]) == set(FrameFault)
    assert {kind: count for kind, count in counters["faults"].items() if count} == {
        "not_messagepack": 2
    }
    assert (counters["duplicate_reports"], counters["late_actions"]) == (0, 0)


def test_peers_in_trouble_are_shown_first_and_those_left_out_are_counted() -> None:
    launcher = PlayedLauncher()
    for number in range(PEERS_SHOWN + 5):
        launcher.host(f"host-{number:03}", f"{number:032x}").register(pool_target=0)
    launcher.engine.link.peers["host-104"].blocked = True
    peers = launcher.engine.view.state(0)["peers"]
    assert (peers["count"], len(peers["shown"])) == (PEERS_SHOWN + 5, PEERS_SHOWN)
    assert peers["by_link"] == {"registered": PEERS_SHOWN + 4, "blocked": 1}
    assert [each["name"] for each in peers["shown"]][:2] == ["host-104", "host-000"]


def crowded() -> PlayedLauncher:
    """Give a launcher with the longest names and texts that there can be, and very many of them."""
    launcher = PlayedLauncher()
    state, link = launcher.engine.state, launcher.engine.link
    label = "\U0001f5bc" * 250
    for number in range(MANY_HOSTS):
        name, epoch = f"{number:064}", f"{number:032x}"
        launcher.host(name, epoch).register(pool_target=1_000_000)
        mirror = state.mirror
        mirror.apply(HostRegistered(origin=Origin(name, epoch, 0), pool_target=10))
        for window in range(LABELS_SHOWN + 1):
            mirror.apply(PoolWindowAdded(label=f"{label}{window}", origin=Origin(name, epoch, 1)))
        link.peers[name].compared = Comparison(0, 0, 99, (label,) * LABELS_SHOWN)
    saga = PoolRefill("host")
    first = state.next_saga_id
    mailbox = Mailbox(Dispatcher())
    for saga_id in range(first, first + MANY_SAGAS):
        name, epoch = f"{saga_id % MANY_HOSTS:064}", f"{saga_id % MANY_HOSTS:032x}"
        context = SagaContext(saga_id, name)
        each = OpenSaga(type(saga), context, mailbox, epoch=epoch, made_with={}, now=0)
        each.step = PendingStep(saga_id, 0, b"", "C" * 128, ())
        each.destination = (name, epoch)
        state.queue_of(each.destination).add(each.step)
        state.open(each)
    return launcher


def test_the_state_of_a_thousand_hosts_and_a_hundred_thousand_sagas_fits_a_message() -> None:
    launcher = crowded()
    session = QuerySession(launcher.log.reader(), launcher.engine.view)
    [frame] = session.answer(encode(StateQuestion(number=1, sagas=STATE_SAGAS)))
    assert session.answered == 1
    assert len(frame) < MESSAGE_LIMIT
    state = launcher.engine.view.state(STATE_SAGAS)
    open_sagas = len(launcher.engine.state.sagas)
    assert state["sagas"]["open"] == sum(state["sagas"]["by_name"].values()) == open_sagas
    assert len(state["sagas"]["oldest"]) == STATE_SAGAS
    assert state["peers"]["count"] == MANY_HOSTS


# --- from another thread --------------------------------------------------------------------------


class Asker(threading.Thread):
    """Asks a launcher everything until it is told to stop, as the query thread does."""

    def __init__(self, launcher: PlayedLauncher) -> None:
        super().__init__()
        self.asked = 0
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._view = launcher.engine.view
        self._reader = launcher.log.reader()

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                newest = self._view.state(STATE_SAGAS)["sagas"]["started"]
                self._view.saga(newest)
                self._view.saga(self.asked + 1)
                self._reader.saga(newest)
                self.asked += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            self.error = error


@contextmanager
def threads_changed_as_often_as_can_be() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def test_it_can_be_asked_while_the_loops_thread_changes_everything() -> None:
    launcher = PlayedLauncher()
    busy = [launcher.filled_host(f"host-{each}", f"{each}" * 32, target=40) for each in (1, 2)]
    asker, rounds = Asker(launcher), 0
    with threads_changed_as_often_as_can_be():
        asker.start()
        while (rounds < ROUNDS or asker.asked < ASKED) and asker.error is None:
            rounds += 1
            for host in busy:
                for label in launcher.pool_of(host)[:20]:
                    host.promote(label, f"promote-{rounds}-{label}")
                host.answer_all()
            for each in range(10 if rounds <= ROUNDS else 0):
                passing = launcher.host(f"passing-{rounds}-{each}", f"{10 * rounds + each:032x}")
                passing.register(pool_target=0)
                if each % 2:
                    passing.say(Goodbye())
        asker.stop.set()
        asker.join(20)
    assert asker.error is None, repr(asker.error)
    assert not asker.is_alive()
