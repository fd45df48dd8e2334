"""Keys between real processes: who gets in, who is told why not, and what an impostor can do."""

import json
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.command_line.main import main
from host_sim.host import Host
from host_sim.host_process import ControlSide
from host_sim.peer_loop import PeerLoop
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from tests.interpreted import interpreted_only
from tests.keyed_system import DEADLINE, KeyedSystem, pool_is_whole
from tests.test_host_process import StopSwitch
from transport.codec import decode, encode, family
from transport.endpoints import Endpoints
from transport.event_stream import CaughtUp
from transport.key_files import public_file
from transport.message_types import ANSWERS, DOWN, UP, USER_ANSWERS
from transport.messages import (
    ActionDone,
    Goodbye,
    HostState,
    InspectHost,
    Message,
    NotRegistered,
    PromoteWindow,
    Refused,
    Register,
    Reports,
)
from transport.zeromq.link_watch import LinkWatch, NoLinkError
from transport.zeromq.observer import Observer
from transport.zeromq.sockets import ZmqSocket, dealer, question_socket, router

DEADLINE_MS = round(DEADLINE * 1000)
THUMBNAILS = ["--extension", "docs.examples.window_thumbnails"]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[KeyedSystem]:
    with KeyedSystem(tmp_path) as system:
        yield system


def complaint(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """Give the one line that a command ends with."""
    started = time.monotonic()
    assert main([*arguments, "--timeout", str(DEADLINE)]) == 1
    assert time.monotonic() - started < DEADLINE / 2, "it waited for an answer"
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_a_whole_system_works_over_tcp_with_keys(
    system: KeyedSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    system.write(
        host={"left": "left", "right": "right"},
        service={"thumbnails": "thumbnails"},
        observer={"wall": "wall"},
        operator={"anna": "anna"},
    )
    service = ["--service-id", "thumbnails", *THUMBNAILS]
    running = [
        system.start_host("right", "right", *THUMBNAILS),
        system.start("service", *system.client("thumbnails"), *service),
    ]
    control = ["--allow", str(system.allow_file), f"--control={system.control}"]
    running.append(system.start_host("left", "left", *THUMBNAILS, *control))
    running.append(system.start_launcher(*THUMBNAILS))
    watch = system.start("watch", *system.client("wall"), "--brackets", *THUMBNAILS, ready=False)
    system.status_when("anna", lambda status: len(status["hosts"]) == 3, "three peers")
    for host in ("left", "right"):
        system.status_when("anna", pool_is_whole(host), f"a whole pool of {host}")
    at_left = ["--host-id", "left", "--control", system.control]
    at_left += ["--host-key", str(public_file(system.key("left")))]
    assert main(["promote", *at_left, "--key", str(system.key("anna")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cold"] is False
    watch.until("window_thumbnail completed")
    said = complaint(capsys, ["promote", *at_left, "--key", str(system.key("wall"))])
    assert f"host 'left' at {system.control} refused the key {system.public('wall')!r}" in said
    insecure = ["promote", "--host-id", "left", "--control", system.control, "--insecure"]
    assert "give --key and --host-key" in complaint(capsys, insecure)
    status = system.status("wall")
    assert (status["faults"], status["refused_keys"]) == ({}, {})
    assert main(["diag", "state", *system.client("wall"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counters"]["refused_keys"] == {}
    assert main(["diag", "explain", "1", *system.client("wall")]) == 0
    assert "completed" in capsys.readouterr().out
    for key, why in (
        ("anna", "nothing was cancelled: saga 1 is closed already"),
        ("left", f"the key {system.public('left')!r} may not act as an operator"),
        ("wall", f"refused the key {system.public('wall')!r}"),
    ):
        assert why in complaint(capsys, ["saga", "cancel", "1", *system.client(key)])
    assert [process.stop() for process in (watch, *reversed(running))] == [0] * 5


def test_a_client_that_is_not_let_in_is_told_why(
    system: KeyedSystem,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # `diag tree` also looks into the user's runtime directory, where any `muxsaga up` may be.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    system.write(observer={"wall": "wall"}, service={"thumbnails": "thumbnails"})
    system.start_launcher()
    for key in ("nobody", "thumbnails"):
        said = complaint(capsys, ["status", *system.client(key)])
        assert f"refused the key {system.public(key)!r}: have it added to the allow list" in said
    wrong = [*system.tcp, "--key", str(system.key("wall")), "--launcher-key"]
    said = complaint(capsys, ["diag", "tree", *wrong, system.public("nobody")])
    assert "is --launcher-key its public key" in said
    said = complaint(capsys, ["status", *system.tcp, "--insecure"])
    assert "takes none without keys; give --key and --launcher-key" in said
    refused = system.status("wall")["refused_keys"]
    assert refused == {"query": {"count": 2, "last_key": system.public("thumbnails")}}
    watch = system.start("watch", *system.client("nobody"), ready=False)
    assert f"refused the key {system.public('nobody')!r}" in watch.until("muxsaga: ")


def test_a_key_gets_in_once_it_is_in_the_list_and_no_more_once_it_is_out(
    system: KeyedSystem,
) -> None:
    system.write(operator={"anna": "anna"})
    system.start_launcher()
    host = system.start_host("left", "left")
    refused = f"muxsaga host left: the launcher at tcp://127.0.0.1:{system.port} refused the key"
    host.until(refused)
    with Observer(system.endpoints("wall")) as observer:
        wait_for_complaint(observer)
        system.write(host={"left": "left"}, observer={"wall": "wall"})
        system.status_when("anna", pool_is_whole("left"), "a whole pool")
        wait_until_caught_up(observer)
        assert observer.complaint is None
    opened = promote_until_compared(system, "left")
    assert len(host.with_part("refused")) == 1
    system.write(host={})
    system.status("anna")  # a new connection has the list read again; the host's own stays
    promote(system, "left", opened + 1)
    assert host.stop() == 0
    system.start_host("left", "left").until(refused)


def test_a_host_that_may_not_have_its_name_says_so_and_goes_on_trying(
    system: KeyedSystem,
) -> None:
    system.write(host={"right": "right"}, operator={"anna": "anna"})
    system.start_launcher()
    host = system.start_host("left", "right")
    expected = f"the key {system.public('right')!r} may not be host 'left'"
    host.until(expected)
    several = system.status_when(
        "anna", lambda status: status["faults"].get("not_allowed", 0) > 1, "a second attempt"
    )
    assert several["hosts"] == {}
    assert several["version"] == 0
    system.write(host={"right": "right", "left": "right"})
    system.status_when("anna", pool_is_whole("left"), "a whole pool")
    assert len(host.with_part("may not be")) == 1


def test_up_gives_its_processes_their_keys(system: KeyedSystem) -> None:
    system.write(host={"left": "left"}, operator={"anna": "anna"})
    file = system.directory / "up.toml"
    file.write_text(f"""
        tcp = "127.0.0.1:{system.port}"
        launcher-key = "{public_file(system.key("launcher"))}"
        [launcher]
        key = "{system.key("launcher")}"
        allow = "{system.allow_file}"
        [[host]]
        id = "left"
        key = "{system.key("left")}"
        control = "ipc://{system.directory}/control-left"
        spawn-time = "0"
    """)
    up = system.start("up", str(file), ready=False)
    system.status_when("anna", pool_is_whole("left"), "a whole pool")
    assert up.stop() == 0


def wait_for_complaint(observer: Observer) -> None:
    deadline = time.monotonic() + DEADLINE
    while observer.complaint is None:
        assert time.monotonic() < deadline
        assert observer.poll(0.05) == []
    assert "refused the key" in observer.complaint


def wait_until_caught_up(observer: Observer) -> None:
    deadline = time.monotonic() + DEADLINE
    while not any(isinstance(item, CaughtUp) for item in observer.poll(0.5)):
        assert time.monotonic() < deadline, observer.complaint


def promote_until_compared(system: KeyedSystem, host: str) -> int:
    """Promote windows until the host compared its pool with the events of that; give how many."""
    for opened in range(1, 10):
        if promote(system, host, opened)["counters"]["pools_compared"] > 0:
            return opened
    pytest.fail(f"{host} hears no events")


def promote(system: KeyedSystem, host: str, opened: int) -> dict[str, Any]:
    """Promote a window, the `opened`th, wait until all is done, and give the host's state."""
    endpoint = f"ipc://{system.directory}/control-{host}"
    with zmq.Context[Any]() as context, dealer(context, endpoint) as socket:
        ask(socket, PromoteWindow(number=opened))
        system.status_when("anna", partial(settled, opened=opened), "a promote settled")
        state = ask(socket, InspectHost(number=0))
    assert isinstance(state, HostState)
    return state.state


def ask(socket: ZmqSocket, message: Message) -> Message:
    socket.send(encode(message))
    assert socket.poll(DEADLINE_MS), f"no answer to {message}"
    return decode(socket.recv(), family(USER_ANSWERS))


class RecordedHost(Host):
    """A real host that keeps what it sent, for somebody else to say again."""

    def link_outgoing(self) -> list[bytes]:
        frames = super().link_outgoing()
        if frames:
            self.sent.append(frames)
        return frames

    sent: list[list[bytes]]


class HostInThread:
    """The recorded host, its loop, and its control socket."""

    def __init__(self, name: str, endpoints: Endpoints, control: str) -> None:
        settings = HostSettings(host=name, spawn_time=parse_spawn_time("0"), heartbeat=200_000_000)
        self.host = RecordedHost(settings, epoch="1" * 32, generator=random.Random(1))
        self.host.sent = []
        self._endpoints = endpoints
        self._control = control
        self._stops = StopSwitch()
        self._status: list[int] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with zmq.Context[Any]() as context, router(context, self._control) as control:
            loop = PeerLoop(
                name="host",
                core=self.host,
                context=context,
                endpoints=self._endpoints,
                stops=self._stops,
                generator=random.Random(1),
                sides=(ControlSide(control, self.host),),
            )
            self._status.append(loop.run())

    def promote(self, context: zmq.Context[Any]) -> None:
        with dealer(context, self._control) as socket:
            answer = ask(socket, PromoteWindow(number=1))
            assert isinstance(answer, ActionDone)
            assert not answer.cold

    def stop(self) -> int:
        self._stops.request()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        self._stops.close()
        return self._status[0]


class Impostor:
    """Says what it likes to the launcher, under a key of its own."""

    def __init__(self, context: zmq.Context[Any], endpoints: Endpoints) -> None:
        self.watch = LinkWatch(endpoints.link, endpoints.keys)
        self.socket = dealer(context, endpoints.link, keys=endpoints.keys, watch=self.watch)

    def say(self, frames: list[bytes]) -> list[Message]:
        """Send one message, and give all answers until each frame has been refused."""
        self.socket.send_multipart(frames)
        answers: list[Message] = []
        while sum(isinstance(answer, Refused) for answer in answers) < len(frames):
            assert self.watch.wait(zmq.POLLIN, time.monotonic() + DEADLINE), answers
            answers += [decode(each, family(DOWN)) for each in self.socket.recv_multipart()]
        return answers

    def close(self) -> None:
        self.watch.close()
        self.socket.close(linger=0)


@pytest.fixture
def recorded(system: KeyedSystem) -> Iterator[HostInThread]:
    """A host "left" that registered, filled its pool, and promoted a window."""
    system.write(
        host={"left": "left", "right": "right"},
        observer={"wall": "wall"},
        operator={"anna": "anna"},
    )
    system.start_launcher()
    control = f"ipc://{system.directory}/control"
    host = HostInThread("left", system.endpoints("left"), control)
    system.status_when("anna", pool_is_whole("left"), "a whole pool")
    with zmq.Context[Any]() as context:
        host.promote(context)
    system.status_when("anna", partial(settled, opened=1), "a promote settled")
    yield host
    assert host.stop() == 0


def settled(status: dict[str, Any], opened: int) -> bool:
    left = status["hosts"]["left"]
    return (left["open"], len(left["pool"]), status["sagas"]["open"]) == (opened, 2, 0)


def bad_frames(status: dict[str, Any]) -> dict[str, int]:
    """Give how many frames of each kind were refused; that a connection ended is no such thing."""
    return {fault: count for fault, count in status["faults"].items() if fault != "link_dropped"}


def what_is_true(status: dict[str, Any]) -> list[Any]:
    """Give what no stranger may change: hosts, sagas, and that nothing was taken or published."""
    return [
        status[key] for key in ("version", "hosts", "sagas", "duplicate_reports", "report_gaps")
    ]


@interpreted_only
def test_an_impostor_that_replays_a_host_under_another_key_changes_nothing(
    system: KeyedSystem, recorded: HostInThread
) -> None:
    frames = [frame for message in list(recorded.host.sent) for frame in message]
    kinds = [type(decode(frame, family(UP))) for frame in frames]
    registers, reports = kinds.count(Register), kinds.count(Reports)
    assert registers >= 1
    assert reports >= 3
    before = system.status("anna")
    with zmq.Context[Any]() as context:
        impostor = Impostor(context, system.endpoints("right"))
        answers = impostor.say([*frames, encode(Goodbye())])
        refusals = [answer.fault for answer in answers if isinstance(answer, Refused)]
        strangers = len(frames) - registers + 1
        assert refusals.count("not_allowed") == registers
        assert refusals.count("not_registered") == strangers
        assert sum(isinstance(answer, NotRegistered) for answer in answers) == strangers
        after = system.status("anna")
        assert what_is_true(after) == what_is_true(before)
        faults = {"not_allowed": registers, "not_registered": strangers}
        assert bad_frames(after) == faults
        recorded.promote(context)
        impostor.close()
    done = system.status_when("anna", partial(settled, opened=2), "another promote settled")
    assert done["sagas"]["completed"] == before["sagas"]["completed"] + 1
    assert done["sagas"]["failed"] == 0
    assert done["hosts"]["left"]["epoch"] == "1" * 32
    assert bad_frames(done) == faults


@interpreted_only
def test_an_observer_can_neither_reach_the_link_nor_report_elsewhere(
    system: KeyedSystem, recorded: HostInThread
) -> None:
    frames = [frame for message in list(recorded.host.sent) for frame in message]
    before = system.status("anna")
    endpoints = system.endpoints("wall")
    with zmq.Context[Any]() as context:
        impostor = Impostor(context, endpoints)
        with pytest.raises(NoLinkError, match="refused the key"):
            impostor.say(frames)
        impostor.close()
        watch = LinkWatch(endpoints.query, endpoints.keys)
        with question_socket(context, endpoints.query, keys=endpoints.keys, watch=watch) as query:
            query.send_multipart(frames)
            for _ in frames:
                assert watch.wait(zmq.POLLIN, time.monotonic() + DEADLINE)
                answer = decode(query.recv(), family(ANSWERS))
                assert isinstance(answer, Refused)
                assert answer.fault == "unknown_type"
            watch.close()
    after = system.status("anna")
    assert what_is_true(after) == what_is_true(before)
    assert bad_frames(after) == {}
    assert after["refused_keys"] == {"link": {"count": 1, "last_key": system.public("wall")}}
