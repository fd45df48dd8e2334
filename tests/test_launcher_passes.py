"""The order of a pass, and what waits while the log is out, on a port that notes its calls."""

from collections import deque
from collections.abc import Sequence

import msgpack
import pytest

from actors.engine import Engine, EngineSettings, Pass
from actors.engine_keeper import EngineGaveUpError, EngineKeeper
from actors.intake import ReportKey
from actors.launcher_link import Outgoing
from actors.launcher_passes import (
    COMMIT_RETRY,
    FRAMES_A_PEER,
    LONGEST_WAIT,
    READ_LEAST,
    READ_MOST,
    USUAL_FRAMES,
    Arrival,
    LauncherPasses,
    Sent,
)
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import Row
from tests.launcher_harness import LOG_ID
from transport.codec import encode
from transport.messages import Ping, Register


class PortBrokenError(Exception):
    pass


class PlayedPort:
    broken: type[BaseException] = PortBrokenError

    def __init__(self) -> None:
        self.time = 1_000_000_000
        self.waiting: deque[Arrival] = deque()
        self.calls: list[str] = []
        self.read_time = 0
        self.sends = Sent.TAKEN
        self.sent: list[str] = []

    def now(self) -> int:
        return self.time

    def receive(self) -> Arrival | None:
        self.time += self.read_time
        return self.waiting.popleft() if self.waiting else None

    def publish(self, done: Pass) -> None:
        self.calls += ["publish"] * len(done.blobs)

    def beat(self, heartbeat: bytes) -> None:
        self.calls.append("beat")

    def send(self, message: Outgoing) -> Sent:
        self.calls.append("send")
        self.sent = [msgpack.unpackb(frame)["type"] for frame in message.frames]
        return self.sends

    def log_lost(self, reason: str) -> None:
        self.calls.append(f"lost {reason}")

    def log_found(self) -> None:
        self.calls.append("found")


class NotedLog(MemorySagaLog):
    def __init__(self, port: PlayedPort) -> None:
        super().__init__(LOG_ID)
        self.port = port
        self.commit_time = 0

    def commit(self, rows: Sequence[Row]) -> None:
        super().commit(rows)
        self.port.time += self.commit_time
        self.port.calls.append("commit")


class Played:
    def __init__(self) -> None:
        self.port = PlayedPort()
        self.calls = self.port.calls
        self.log = NotedLog(self.port)
        self.keeper = EngineKeeper(self.engine, budget=2)
        self.passes = LauncherPasses(self.keeper, self.log, self.port)
        self.passes.beat()
        self.calls.clear()

    def engine(self, poisonous: frozenset[ReportKey]) -> Engine:
        return Engine(
            EngineSettings(),
            contents=self.log.load(),
            epoch="a" * 32,
            now=self.port.time,
            poisonous=poisonous,
        )

    def register(self, epoch: str = "1") -> None:
        frame = Register(host="host-1", epoch=epoch * 32, first_held=1, as_of=0, pool_target=0)
        self.port.waiting.append((epoch.encode(), [encode(frame)], None))


@pytest.fixture
def played() -> Played:
    return Played()


def test_a_pass_is_committed_then_published_then_sent(played: Played) -> None:
    played.register()
    played.passes.go_round()
    assert played.calls == ["commit", "publish", "send"]


def test_while_the_log_is_out_nothing_of_a_pass_leaves_and_no_other_is_made(
    played: Played,
) -> None:
    played.log.refuse_commits("disk full")
    played.register()
    played.passes.go_round(frames=1)
    played.register("2")
    played.passes.go_round()
    assert played.calls == ["lost disk full"]
    assert played.passes.log_status == "log unavailable: disk full"
    assert played.passes.wait() == COMMIT_RETRY
    assert len(played.port.waiting) == 1
    played.log.refuse_commits(None)
    played.passes.go_round()
    assert played.calls == ["lost disk full"]
    played.port.time += COMMIT_RETRY
    assert played.passes.wait() == 0
    played.passes.go_round()
    assert played.calls == ["lost disk full", "commit", "found", "publish", "send"]


def test_what_is_left_unread_is_read_at_once(played: Played) -> None:
    played.log.commit_time = READ_MOST
    played.register()
    played.passes.go_round()
    for _ in range(FRAMES_A_PEER + 1):
        played.port.waiting.append((b"1", [encode(Ping(last=0))], None))
    played.passes.go_round()
    assert (len(played.port.waiting), played.passes.wait()) == (1, 0)
    played.passes.go_round()
    assert (len(played.port.waiting), played.passes.wait()) == (0, LONGEST_WAIT)


@pytest.mark.parametrize(
    ("commit_time", "read"),
    [(0, READ_LEAST // 100_000), (2_000_000, 20), (10**9, READ_MOST // 100_000)],
)
def test_a_pass_reads_for_as_long_as_the_last_one_took_to_get_out(
    played: Played, commit_time: int, read: int
) -> None:
    played.log.commit_time = commit_time
    played.register()
    played.passes.go_round()
    played.port.read_time = 100_000
    for _ in range(READ_MOST // 100_000 + 10):
        played.port.waiting.append((b"1", [encode(Ping(last=0))], None))
    before = len(played.port.waiting)
    played.passes.go_round()
    assert before - len(played.port.waiting) == read
    assert played.passes.wait() == 0


@pytest.mark.parametrize(
    ("frames_in_message", "read"), [(1, USUAL_FRAMES), (16, 32), (20, 40), (100, 100)]
)
def test_a_pass_ends_with_the_message_that_makes_it_a_usual_one(
    played: Played, frames_in_message: int, read: int
) -> None:
    played.register()
    played.passes.go_round()
    messages = 2 * USUAL_FRAMES
    for _ in range(messages):
        played.port.waiting.append((b"1", [encode(Ping(last=0))] * frames_in_message, None))
    played.passes.go_round()
    assert (messages - len(played.port.waiting)) * frames_in_message == read
    assert played.passes.wait() == 0


def test_an_engine_that_raises_is_made_anew_until_it_raised_too_often(played: Played) -> None:
    first = played.passes.engine
    played.passes.crash_coordinator()
    played.register()
    played.passes.go_round()
    assert played.calls == []
    assert played.passes.engine is not first
    played.register()
    played.passes.go_round()
    assert played.calls == ["commit", "publish", "send"]
    played.passes.crash_coordinator()
    with pytest.raises(EngineGaveUpError, match="crashed 2 times"):
        played.passes.go_round()


def test_a_broken_port_ends_the_process_and_is_no_crash_of_the_engine(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise PortBrokenError

    monkeypatch.setattr(played.port, "receive", broken)
    with pytest.raises(PortBrokenError):
        played.passes.go_round()
    assert played.keeper.crashes == 0


def test_a_message_that_is_not_taken_is_given_back(played: Played) -> None:
    played.port.sends = Sent.FULL
    played.register()
    played.passes.go_round()
    played.port.sends = Sent.TAKEN
    played.port.waiting.append((b"1", [encode(Ping(last=0))], None))
    played.passes.go_round()
    assert played.port.sent == ["Registered", "Acknowledge"]
