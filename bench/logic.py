"""`python -m bench logic`: what launcher, commit, host and observer cost in one thread.

The deterministic cores are handed each other's frames: no sockets, no other processes, warm caches.
So the figures say what a change of the code costs or gains, and not what a machine was doing.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.table import Table

from actors.engine import Engine, EngineSettings, Pass
from actors.memory_saga_log import MemorySagaLog
from actors.saga_log import SagaLog
from actors.sqlite_saga_log import SqliteSagaLog
from bench.machine_code import check_machine_code, is_compiled
from bench.option_types import number
from host_sim.host import Host
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from transport.codec import Codec, encode
from transport.event_stream import Batch, ObserverSession
from transport.messages import PromoteWindow, SagaCompleted

LOG_ID, LAUNCHER, HOST = "0" * 32, "1" * 32, "2" * 32
CONNECTION = b"host"
PARTS = ("launcher", "commit", "host", "observer")
ROUNDS = 20
"""Into so many stretches a run is cut; the one that cost least counts."""

EPILOG = """\
examples:
  python -m bench logic
      64 promotes in flight, the log in a file
  python -m bench logic --concurrency 1 --log memory
      one promote at a time, the log in memory
"""

Answer = TypeVar("Answer")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Measure launcher, commit, host and observer in one thread."
    parser.epilog = EPILOG
    add = parser.add_argument
    flight, promotes = number(1, 512), number(1, 1_000_000)
    add("--concurrency", type=flight, default=64, metavar="N", help="in flight (default 64)")
    add("--promotes", type=promotes, default=12_000, metavar="N", help="how many (default 12000)")
    add(
        "--log",
        choices=["memory", "process", "power"],
        default="process",
        help="where it is, and what it survives (default process)",
    )
    add("--json", action="store_true", help="print one JSON document")


def execute(options: argparse.Namespace) -> int:
    """Measure, and give the exit status.

    Raises:
        ResultError: compiled modules are older than their sources.
    """
    check_machine_code()
    with saga_log(options.log) as log:
        cost = System(log, options.concurrency).measure(options.promotes)
    if options.json:
        document = {"compiled": is_compiled(), "us_per_promote": cost}
        print(msgspec.json.encode(document).decode())
        return 0
    code = "compiled" if is_compiled() else "interpreted"
    table = Table(title=f"us for a promote, {options.concurrency} in flight, one thread, {code}")
    for part in PARTS:
        table.add_column(part, justify="right")
    table.add_row(*(f"{cost[part]:.1f}" for part in PARTS))
    Console().print(table)
    return 0


@contextmanager
def saga_log(kind: str) -> Iterator[SagaLog]:
    """Give an empty log in memory, or in a file that is gone afterwards."""
    if kind == "memory":
        yield MemorySagaLog(LOG_ID)
        return
    with tempfile.TemporaryDirectory(prefix="muxsaga-bench-") as directory:
        log = SqliteSagaLog(
            Path(directory) / "log.sqlite",
            new_log_id=LOG_ID,
            wall=time.time_ns,
            durability="power" if kind == "power" else "process",
        )
        try:
            yield log
        finally:
            log.close()


class System:
    """A launcher, a host and an observer that hand each other their frames.

    Args:
        log: empty.
        concurrency: how many promotes are in flight.
    """

    def __init__(self, log: SagaLog, concurrency: int) -> None:
        now = time.monotonic_ns()
        self._log = log
        self._concurrency = concurrency
        self._engine = Engine(EngineSettings(), contents=log.load(), epoch=LAUNCHER, now=now)
        self._host = Host(
            HostSettings(
                host="bench-0", pool_target=concurrency + 4, spawn_time=parse_spawn_time("0")
            ),
            epoch=HOST,
            generator=random.Random(1),  # noqa: S311 - nothing secret comes of it
        )
        self._observer = ObserverSession(Codec(), from_now=True)
        self._observer.receive_stream(self._engine.stream_heartbeat("ok"), now)
        self._host.connected(now)
        self._up = self._host.link_outgoing()
        self._spent = dict.fromkeys(PARTS, 0)
        self._number = 0

    def measure(self, promotes: int) -> dict[str, float]:
        """Make promotes, and give each part's cost in microseconds for one."""
        while len(self._host.state()["pool"]) < self._concurrency + 4 or self._engine.state.sagas:
            self._turn(0)
        least = dict.fromkeys(PARTS, float("inf"))
        due = self._concurrency
        for _ in range(ROUNDS):
            self._spent = dict.fromkeys(PARTS, 0)
            completed = 0
            while completed < max(promotes // ROUNDS, self._concurrency):
                due = self._turn(due)
                completed += due
            for part, spent in self._spent.items():
                least[part] = min(least[part], spent / completed / 1000)
        return least

    def _turn(self, promotes: int) -> int:
        """Go round once, with so many new promotes; give how many are complete."""
        done = self._timed("launcher", self._pass)
        if done.rows:
            self._timed("commit", lambda: self._log.commit(done.rows))
        self._engine.released(done)
        for message in done.messages:
            self._engine.sent(message)
        asked = [encode(PromoteWindow(number=self._number + each)) for each in range(promotes)]
        self._number += promotes
        completed = self._timed("observer", lambda: self._observe(done.blobs))
        self._up = self._timed("host", lambda: self._serve(done, asked))
        return completed

    def _timed(self, part: str, work: Callable[[], Answer]) -> Answer:
        began = time.perf_counter_ns()
        answer = work()
        self._spent[part] += time.perf_counter_ns() - began
        return answer

    def _pass(self) -> Pass:
        now = time.monotonic_ns()
        if self._up:
            self._engine.receive(CONNECTION, self._up, now)
        self._engine.fire_timers(now, drained=True)
        return self._engine.end_pass()

    def _serve(self, done: Pass, asked: Sequence[bytes]) -> list[bytes]:
        now = time.monotonic_ns()
        for message in done.messages:
            self._host.receive_link(message.frames, now)
        for frame in asked:
            self._host.receive_control(b"user", frame, now)
        self._host.advance(now)
        for blob in done.blobs:
            self._host.receive_stream(blob, now)
        self._host.control_outgoing()
        return self._host.link_outgoing()

    def _observe(self, blobs: Sequence[bytes]) -> int:
        now = time.monotonic_ns()
        for blob in blobs:
            self._observer.receive_stream(blob, now)
        events = (
            event
            for item in self._observer.items()
            if isinstance(item, Batch)
            for event in item.events
        )
        return sum(type(event) is SagaCompleted for event in events)
