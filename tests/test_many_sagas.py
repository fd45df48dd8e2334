"""Twenty thousand sagas in flight in one launcher, and what an event costs then."""

from collections import Counter
from typing import Any, NamedTuple

import msgpack
import pytest
import zmq

from actors.engine import EngineSettings
from actors.step_queue import UNSENT_LIMIT
from tests.launcher_harness import PlayedHost, PlayedLauncher, promote_reports
from tests.real_system import RealSystem
from transport.codec import as_map, encode
from transport.endpoints import Endpoints
from transport.labels import window_label
from transport.messages import (
    CommandIdentity,
    Ping,
    Register,
    Report,
    ReportPoolWindowAdded,
    Reports,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)
from transport.zeromq.query_client import ask_status
from transport.zeromq.sockets import dealer

DEADLINES = {"pool_respawn_on_promote": 120.0}


class Work(NamedTuple):
    """What the launcher did so far."""

    turns: int
    look_ups: int
    events: int

    def since(self, before: "Work") -> "Work":
        return Work(*(now - then for now, then in zip(self, before, strict=True)))


def work(launcher: PlayedLauncher) -> Work:
    status = launcher.engine.view.status()
    return Work(status["actors"]["turns"], status["sagas"]["look_ups"], status["version"])


def promote_without_answer(launcher: PlayedLauncher, host: PlayedHost, count: int) -> None:
    """Promote one window again and again, by handing it back organically in between."""
    label = launcher.pool_of(host)[0]
    for number in range(count):
        host.promote(label, f"promote-{host.name}-{number}")
        host.report(ReportPoolWindowAdded(label=label))


@pytest.mark.timeout(120)
def test_twenty_thousand_sagas_in_flight_complete_and_cost_an_event_no_more_than_twenty() -> None:
    costs = {}
    for in_flight in (20, 20_000):
        launcher = PlayedLauncher(EngineSettings(timeouts=DEADLINES))
        hosts = [
            launcher.filled_host(f"host-{number}", f"{number}" * 32) for number in (1, 2, 3, 4)
        ]
        for host in hosts:
            promote_without_answer(launcher, host, in_flight // len(hosts))
        assert launcher.engine.view.status()["sagas"]["open"] == in_flight
        before = work(launcher)
        completed = len(launcher.of_type(SagaCompleted))
        for host in hosts:
            command = host.commands.pop(0)
            host.add(command.identity)
        costs[in_flight] = work(launcher).since(before)
        assert len(launcher.of_type(SagaCompleted)) == completed + len(hosts)
        for host in hosts:
            host.answer_all()
        assert len(launcher.of_type(SagaCompleted)) == in_flight + 2 * len(hosts)
        assert launcher.of_type(SagaFailed) == []
        assert launcher.engine.state.sagas == {}
    assert costs[20] == costs[20_000]
    assert costs[20] == Work(turns=4 * 3, look_ups=4 * 3, events=4 * 2)


def test_a_host_that_reads_but_does_not_answer_is_not_held_to_the_limit_of_unsent_steps() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promote_without_answer(launcher, host, 2 * UNSENT_LIMIT)
    assert launcher.of_type(SagaFailed) == []


class SilentHost:
    """A host that reads everything and answers only when it is told to, on a real socket."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoints: Endpoints) -> None:
        self.epoch = "e" * 32
        self.sequence = 0
        self.windows = 0
        self.taken = 0
        self.waiting: list[CommandIdentity] = []
        self.received: Counter[str] = Counter()
        self.socket = dealer(context, endpoints.link)
        register = Register(host="silent", epoch=self.epoch, first_held=1, as_of=0, pool_target=1)
        self.socket.send(encode(register))

    def frame(self, *reports: Report) -> bytes:
        frame = Reports(sequence=self.sequence + 1, reports=[as_map(each) for each in reports])
        self.sequence += len(reports)
        return encode(frame)

    def added(self, identity: CommandIdentity | None, label: str = "") -> bytes:
        if not label:
            self.windows += 1
            label = window_label(self.epoch, self.windows)
        return self.frame(ReportPoolWindowAdded(label=label, identity=identity))

    def send(self, frames: list[bytes]) -> None:
        """Send frames and wait until all reports so far are taken."""
        for first in range(0, len(frames), 200):
            self.socket.send_multipart(frames[first : first + 200])
            self.read(0)
        while self.taken < self.sequence:
            self.socket.send(encode(Ping(last=self.sequence)))
            self.read(20_000)

    def read(self, wait_ms: int) -> None:
        while self.socket.poll(wait_ms):
            wait_ms = 0
            for frame in self.socket.recv_multipart():
                self.take(msgpack.unpackb(frame))

    def take(self, message: dict[str, Any]) -> None:
        self.received[message["type"]] += 1
        self.taken = message.get("taken", self.taken)
        for command in message.get("commands", ()):
            self.waiting.append(CommandIdentity(*command["identity"]))

    def wait_for_commands(self, count: int) -> None:
        while len(self.waiting) < count:
            before = len(self.waiting)
            self.read(20_000)
            assert len(self.waiting) > before, f"{before} commands came, not {count}"

    def promote_again_and_again(self, count: int) -> None:
        label, frames = window_label(self.epoch, 1), list[bytes]()
        for _ in range(count):
            promote_id = f"promote-{self.sequence}"
            frames.append(self.frame(*promote_reports(label, promote_id)))
            frames.append(self.added(None, label))
        self.send(frames)


@pytest.mark.timeout(120)
def test_twenty_thousand_sagas_in_flight_in_one_launcher_process_all_complete() -> None:
    with RealSystem() as system, zmq.Context() as context:
        system.start("launcher", "launcher", "--timeout", "pool_respawn_on_promote=120")
        endpoints = Endpoints.in_directory(system.directory)
        host = SilentHost(context, endpoints)
        host.wait_for_commands(1)
        host.send([host.added(host.waiting.pop())])
        costs = {}
        for in_flight in (20, 20_000):
            host.promote_again_and_again(in_flight - len(host.waiting))
            host.wait_for_commands(in_flight)
            before = ask_status(endpoints.query, timeout=20)
            assert before["sagas"]["open"] == in_flight
            host.send([host.added(host.waiting.pop(0))])
            after = ask_status(endpoints.query, timeout=20)
            costs[in_flight] = (
                after["version"] - before["version"],
                after["actors"]["turns"] - before["actors"]["turns"],
                after["sagas"]["look_ups"] - before["sagas"]["look_ups"],
            )
        host.send([host.added(identity) for identity in host.waiting])
        host.socket.close(linger=0)
        expected = 1 + host.sequence + 2 * 20_002
        system.wait_for(lambda: len(system.events) == expected, "every terminal")
    kinds = Counter(type(event) for event in system.events)
    assert kinds[SagaStarted] == kinds[SagaCompleted] == 20_002
    assert kinds[SagaFailed] == 0
    assert costs[20] == costs[20_000] == (2, 3, 3)
    assert host.received["Refused"] == 0
