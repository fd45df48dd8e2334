"""The launcher's poll loop on real sockets, in a thread: a log outage, and what waits for it."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic_ns
from typing import Any, cast

import msgpack
import pytest
import zmq

from actors.engine import Engine, EngineSettings
from actors.engine_keeper import EngineKeeper
from actors.intake import ReportKey
from actors.launcher_loop import LauncherLoop
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import Row
from tests.launcher_harness import LOG_ID, SECOND, PlayedLauncher
from transport.codec import encode
from transport.endpoints import Endpoints
from transport.messages import Ping, Register, SagaFailed
from transport.process_signals import StopSignals

DEADLINE_MS = 10_000


class PipeSignals:
    """Requests to stop, by a pipe instead of signals: a signal needs the main thread."""

    def __init__(self) -> None:
        self.count = 0
        self.orphaned = False
        self.read_end, self.write_end = os.pipe()

    def filenos(self) -> list[int]:
        return [self.read_end]

    def look(self) -> int:
        self.count += len(os.read(self.read_end, 16))
        return self.count

    def beat(self) -> None:
        """Nobody listens."""

    def stop(self) -> None:
        os.write(self.write_end, b"!")


class RunningLoop:
    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", directory: Path) -> None:
        self.log = MemorySagaLog(LOG_ID)
        self.signals = PipeSignals()
        endpoints = Endpoints.in_directory(directory)
        self.keeper = EngineKeeper(self.engine, budget=3)
        self.loop = LauncherLoop(
            self.keeper,
            self.log,
            signals=cast("StopSignals", self.signals),
            context=context,
            endpoints=endpoints,
        )
        self.status: list[int] = []
        self.thread = threading.Thread(target=lambda: self.status.append(self.loop.run()))
        self.thread.start()
        self.link, self.other_link = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
        self.link.connect(endpoints.link)
        self.other_link.connect(endpoints.link)
        self.stream = context.socket(zmq.SUB)
        self.stream.subscribe(b"")
        self.stream.connect(endpoints.events)

    def engine(self, poisonous: frozenset[ReportKey]) -> Engine:
        return Engine(
            EngineSettings(heartbeat=0.1),
            contents=self.log.load(),
            epoch="a" * 32,
            now=monotonic_ns(),
            poisonous=poisonous,
        )

    def answer(self) -> list[dict[str, Any]]:
        assert self.link.poll(DEADLINE_MS), "the launcher does not answer"
        return [msgpack.unpackb(frame) for frame in self.link.recv_multipart()]

    def heartbeat(self, status: str) -> dict[str, Any]:
        """Wait for a heartbeat of the stream with this status, skipping blobs."""
        while True:
            assert self.stream.poll(DEADLINE_MS), f"no heartbeat says {status!r}"
            message: dict[str, Any] = msgpack.unpackb(self.stream.recv())
            if message.get("status") == status:
                return message

    def close(self) -> None:
        self.signals.stop()
        self.signals.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.loop.close()
        self.link.close(0)
        self.other_link.close(0)
        self.stream.close(0)
        os.close(self.signals.read_end)
        os.close(self.signals.write_end)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningLoop]:
    with zmq.Context() as context:
        loop = RunningLoop(context, tmp_path)
        yield loop
        loop.close()


def register(host: str, epoch: str) -> bytes:
    return encode(Register(host=host, epoch=epoch, first_held=1, as_of=0, pool_target=0))


def test_while_the_log_is_out_nothing_leaves_but_signs_of_life_and_then_everything_goes_on(
    running: RunningLoop, capsys: pytest.CaptureFixture[str]
) -> None:
    running.link.send(register("host-1", "1" * 32))
    assert running.answer()[0]["type"] == "Registered"
    running.link.send(encode(Ping(last=0)))
    assert running.answer()[0]["type"] == "Acknowledge"
    running.log.refuse_commits("disk full")
    running.other_link.send(register("host-2", "2" * 32))
    beat = running.heartbeat("log unavailable: disk full")
    assert beat["last"] == 1
    assert [each["type"] for each in running.answer()] == ["Acknowledge"]
    assert running.other_link.poll(0) == 0
    running.log.refuse_commits(None)
    assert running.heartbeat("ok")["last"] > beat["last"]
    assert running.other_link.poll(DEADLINE_MS)
    assert msgpack.unpackb(running.other_link.recv_multipart()[0])["type"] == "Registered"
    said = capsys.readouterr().err
    assert "log unavailable: disk full" in said
    assert "log available again" in said


def test_a_pass_that_contradicts_the_log_is_dropped_and_the_engine_is_made_anew(
    running: RunningLoop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    commit, contradicted = running.log.commit, threading.Event()

    def contradicting_once(rows: Sequence[Row]) -> None:
        if not contradicted.is_set():
            contradicted.set()
            msg = "UNIQUE constraint failed: saga.saga_id"
            raise sqlite3.IntegrityError(msg)
        commit(rows)

    monkeypatch.setattr(running.log, "commit", contradicting_once)
    running.link.send(register("host-1", "1" * 32))
    assert contradicted.wait(DEADLINE_MS / 1000)
    running.link.send(encode(Ping(last=0)))
    running.link.send(register("host-1", "1" * 32))
    said = [running.answer()[0]["type"] for _ in range(3)]
    assert said == ["NotRegistered", "Refused", "Registered"]
    assert running.keeper.crashes == 1
    assert "UNIQUE constraint failed" in caplog.text


def test_a_launcher_that_must_stop_while_its_log_is_out_says_so_by_its_exit_status(
    running: RunningLoop,
) -> None:
    running.log.refuse_commits("disk full")
    running.link.send(register("host-1", "1" * 32))
    running.heartbeat("log unavailable: disk full")
    running.signals.stop()
    running.signals.stop()
    running.thread.join(10)
    assert running.status == [1]
    running.thread = threading.Thread(target=lambda: None)
    running.thread.start()


def test_a_due_deadline_waits_for_a_poll_that_leaves_nothing_but_a_second_at_most() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    for _ in range(20):
        launcher.now += SECOND // 4
        launcher.engine.fire_timers(launcher.now, drained=False)
    launcher.end_pass()
    assert launcher.of_type(SagaFailed) == []
    for _ in range(4):
        launcher.now += SECOND // 4
        launcher.engine.fire_timers(launcher.now, drained=False)
    launcher.end_pass()
    assert [event.reason for event in launcher.of_type(SagaFailed)] == ["saga timeout"]


def test_a_report_that_is_there_when_the_deadline_is_due_counts() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    for _ in range(20):
        launcher.now += SECOND // 4
        launcher.engine.fire_timers(launcher.now, drained=False)
    host.answer_all()
    launcher.advance(1)
    assert launcher.of_type(SagaFailed) == []
