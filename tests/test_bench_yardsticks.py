import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections import deque
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import zmq

from bench.driver import Void
from bench.promote_ledger import Completion, Key, Start, Taken
from bench.scenario import ClosedArrivals
from bench.scene import Scene
from bench.stage import Stage
from bench.yardsticks import command, our_frames
from bench.yardsticks.catalogue import CATALOGUE, Entry
from bench.yardsticks.driver_process import DriverSettings, run_driver
from bench.yardsticks.muxsaga import PROCESS
from bench.yardsticks.outbox import Outbox
from bench.yardsticks.plain_host import EVENTS, Fields, wrong_promotes
from bench.yardsticks.yardstick import Site, Subject
from transport.codec import unpack
from transport.zeromq import sockets

REPOSITORY = Path(__file__).parent.parent
YARDSTICKS = (sys.executable, "-m", "bench", "yardsticks")


# --- the command --------------------------------------------------------------------------------


def in_memory() -> dict[str, str]:
    """Give an environment in which files are in memory: no test waits for a busy disk."""
    shared = Path("/dev/shm")  # noqa: S108 - the runs make directories of their own in it
    return {**os.environ, "TMPDIR": str(shared)} if shared.is_dir() else {**os.environ}


@pytest.mark.timeout(120)
def test_every_yardstick_makes_its_promotes_and_says_what_it_is() -> None:
    names = [name for name in CATALOGUE if name != "power"]
    tiny = ("--concurrency", "2", "--promotes", "16", "--repeats", "1", "--json")
    done = subprocess.run(
        [*YARDSTICKS, *tiny, "--variants", ",".join(names)],
        cwd=REPOSITORY,
        env=in_memory(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["benchmark"] == "yardsticks"
    assert [series["variant"] for series in document["series"]] == names
    for series in document["series"]:
        (run,) = series["runs"]
        assert run["promotes"] == 16
        assert 0 < run["latency_us"]["p50"] <= run["latency_us"]["max"]
        assert {"launcher", "bench-0", "driver"} <= run["cpu_s"].keys(), series["variant"]
        assert series["note"]
    assert "thespian, 2 in flight, run 1 of 1: " in done.stderr


def processes_marked(mark: str) -> list[int]:
    """Give the processes that have a variable in their environment."""
    marked = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (directory / "environ").read_bytes().split(b"\0"):
                marked.append(int(directory.name))
        except OSError:
            continue  # it has ended, or is somebody else's
    return marked


def test_ctrl_c_ends_everything_even_what_has_detached_itself() -> None:
    mark = f"MUXSAGA_TEST=yardsticks-{os.getpid()}"
    name, _, value = mark.partition("=")
    tiny = ("--variants", "thespian", "--concurrency", "1", "--promotes", "8")
    with subprocess.Popen(
        [*YARDSTICKS, *tiny, "--repeats", "1000"],
        cwd=REPOSITORY,
        env={**in_memory(), name: value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for run in (1, 2):
            assert f"run {run} of 1000" in process.stderr.readline()
        assert processes_marked(mark)
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert processes_marked(mark) == []


PARENT = """
import sys
from pathlib import Path
from bench.stage import Stage
from bench.yardsticks.catalogue import CATALOGUE
from bench.yardsticks.yardstick import Site

with Stage() as stage:
    CATALOGUE["thespian"].load().start(stage, Site(Path(sys.argv[1]), 1))
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_thespian_system_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    mark = f"MUXSAGA_TEST=thespian-{os.getpid()}"
    name, _, value = mark.partition("=")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, name: value},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        descriptors = [os.pidfd_open(pid) for pid in processes_marked(mark)]
        assert len(descriptors) > 4, "its administrator, its logger and two actors are among them"
        parent.kill()
    deadline = time.monotonic() + 20
    for descriptor in descriptors:
        ended, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        os.close(descriptor)
        assert ended


def options(*given: str) -> Namespace:
    parser = ArgumentParser()
    command.configure(parser)
    return parser.parse_args(given)


def test_each_is_compared_with_muxsaga_at_what_it_can_take() -> None:
    busy, few = command.turns_of(options("--seconds", "2"))
    assert (busy.concurrency, few.concurrency) == (64, 16)
    assert list(few.arrivals) == ["process", "power", "dbos", "dbos-wal"]
    assert set(busy.arrivals) | set(few.arrivals) == set(CATALOGUE)
    assert busy.arrivals["floor"] == ClosedArrivals(64, 2 * CATALOGUE["floor"].rate)
    assert busy.arrivals["thespian"] == ClosedArrivals(64, 512), "eight rounds at least"


def test_one_concurrency_for_all_makes_one_round_of_turns() -> None:
    (turns,) = command.turns_of(options("--concurrency", "4", "--variants", "dbos,floor"))
    assert list(turns.arrivals) == ["dbos", "floor"]


def test_muxsaga_alone_is_measured_once_and_busy() -> None:
    assert [each.concurrency for each in command.turns_of(options("--variants", "process"))] == [
        64,
        16,
    ]
    of_dbos = command.turns_of(options("--variants", "process,dbos"))
    assert [each.concurrency for each in of_dbos] == [16]


def test_fewer_promotes_than_a_rate_can_be_read_from_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.execute(options("--variants", "floor", "--promotes", "100")) == 2
    assert "too few for 64 in flight: give 512 or more" in capsys.readouterr().err


def test_a_library_that_is_not_there_is_named_with_the_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, "dbos", Entry(("absent", "DBOS"), (16,), 1, ""))
    assert command.execute(options("--variants", "dbos")) == 2
    complaint = capsys.readouterr().err
    assert "dbos: No module named" in complaint
    assert "pip install -e '.[yardsticks]'" in complaint


# --- runs that prove nothing --------------------------------------------------------------------


class ScriptedScene:
    """Completes each promote as often as it is told to."""

    def __init__(self, completions_each: int, wrong: list[str]) -> None:
        self._each = completions_each
        self._wrong = wrong
        self._taken: list[Taken] = []
        self._completions: list[Completion] = []
        self.closed = False

    def is_ready(self, wait_seconds: float) -> bool:
        return wait_seconds > 0

    def promote(self, start: Start) -> None:
        now = time.monotonic_ns()
        self._taken.append(Taken(start.number, start.number, now))
        self._completions += [Completion(start.number, 0, now + 1)] * self._each

    def answers(self) -> list[Taken]:
        taken, self._taken = self._taken, []
        return taken

    def completions(self, wait_seconds: float) -> list[Completion]:
        del wait_seconds
        completions, self._completions = self._completions, []
        return completions

    def violations(self) -> list[str]:
        return self._wrong

    def events_of(self, key: Key) -> None:
        del key

    def close(self) -> None:
        self.closed = True


class Scripted:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def start(self, stage: Stage, site: Site) -> None:
        """Start nothing."""

    def subject(self, context: zmq.Context[Any], site: Site) -> Subject:
        return Subject(self._scene)


@pytest.mark.parametrize(
    ("completions_each", "wrong", "run_seconds", "reason"),
    [
        (0, [], 0.1, "the time was up"),
        (2, [], 20, "completed twice"),
        (1, ["promote 0 has no WindowOpened"], 20, "promote 0 has no WindowOpened"),
    ],
    ids=["lost", "doubled", "misordered"],
)
def test_a_run_with_a_wrong_promote_is_void(
    *,
    completions_each: int,
    wrong: list[str],
    run_seconds: float,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = ScriptedScene(completions_each, wrong)
    monkeypatch.setattr(Entry, "load", lambda _: Scripted(scene))
    deadline = time.monotonic_ns() + round(run_seconds * 1e9)
    arrivals = ClosedArrivals(2, 16)
    settings = DriverSettings("floor", Site(tmp_path, 2), arrivals, {}, deadline)
    life_line, held = os.pipe()
    here, there = Pipe(duplex=False)
    with here, there:
        assert run_driver(settings, life_line, there) == 0
        outcome = here.recv()
    os.close(held)
    assert isinstance(outcome, Void)
    assert reason in outcome.reason
    assert scene.closed


def promote_events(promote_id: str, saga_id: int) -> list[Fields]:
    own = {"PoolWindowRemoved", "PoolWindowPromoted", "WindowOpened"}
    return [
        {"type": kind, "saga_id": None, "promote_id": promote_id}
        if kind in own
        else {"type": kind, "saga_id": saga_id}
        for kind in EVENTS
    ]


def test_a_promote_with_each_event_once_in_order_is_right() -> None:
    first, second = promote_events("a", 1), promote_events("b", 2)
    mixed = [event for pair in zip(first, second, strict=True) for event in pair]
    assert wrong_promotes(mixed, {1: "a", 2: "b"}) == []


@pytest.mark.parametrize("spoil", ["lose", "double", "swap", "cross"])
def test_a_promote_with_a_wrong_event_is_named(spoil: str) -> None:
    right, wrong = promote_events("a", 1), promote_events("b", 2)
    match spoil:
        case "lose":
            del wrong[1]
        case "double":
            wrong.append(wrong[-1])
        case "swap":
            wrong[3], wrong[4] = wrong[4], wrong[3]
        case "cross":
            wrong[4] = {**wrong[4], "saga_id": 1}
    found = wrong_promotes([*right, *wrong], {1: "a", 2: "b"})
    assert any(each.startswith("b has the events") for each in found)
    assert len(found) == (2 if spoil == "cross" else 1)


# --- our frames ---------------------------------------------------------------------------------

DIGITS = 12
"""By so many bytes a message's size may differ: numbers are shorter or longer."""


def test_our_frames_are_as_large_as_those_that_a_real_launcher_publishes(tmp_path: Path) -> None:
    site = Site(tmp_path, 1)
    sizes: list[tuple[int, int, int]] = []
    with Stage() as stage, zmq.Context() as context:
        PROCESS.start(stage, site)
        scene = PROCESS.subject(context, site).scene
        stream = sockets.subscriber(context, site.endpoints.events)
        try:
            deadline = time.monotonic() + 20
            while not scene.is_ready(0.25):
                assert time.monotonic() < deadline
            for number in range(5):
                scene.promote(Start(number, 0))
                while not scene.completions(0.25):
                    assert time.monotonic() < deadline
            while len(sizes) < 10:  # each promote begins in one pass, and ends in another
                assert stream.poll(round(1000 * max(0.0, deadline - time.monotonic())))
                blob = stream.recv()
                if is_of_promotes(blob):
                    sizes.append(sizes_of(blob))
        finally:
            stream.close(0)
            scene.close()
    for real, ours, events in sizes:
        assert abs(real - ours) <= DIGITS * events


def is_of_promotes(blob: bytes) -> bool:
    events = unpack(blob).get("events", [])
    starts = [event for event in events if event["type"] == "SagaStarted"]
    return bool(events) and all(event["cause"] is not None for event in starts)


def sizes_of(blob: bytes) -> tuple[int, int, int]:
    """Give how long a blob is and ours would be, and how many events it has."""
    kinds = [event["type"] for event in unpack(blob)["events"]]
    ours = our_frames.blob_size(kinds.count("PoolWindowPromoted"), kinds.count("SagaCompleted"))
    return len(blob), ours, len(kinds)


def test_a_frame_of_ours_is_filled_up_and_names_its_promotes() -> None:
    frame = our_frames.pack(our_frames.Frame.EVENTS, [7, 2**40], 500)
    assert len(frame) == 500
    kind, numbers = our_frames.unpack(frame)
    assert kind == our_frames.Frame.EVENTS
    assert list(numbers) == [7, 2**40]


# --- what the yardsticks are made of ------------------------------------------------------------


def test_an_outbox_wakes_its_reader_and_keeps_the_order() -> None:
    outbox = Outbox[int]()
    try:
        writer = threading.Thread(target=lambda: deque(map(outbox.put, range(100)), 0))
        writer.start()
        taken: list[int] = []
        while len(taken) < 100:
            readable, _, _ = select.select([outbox], [], [], 10)
            assert readable
            taken += outbox.take()
        writer.join()
        assert taken == list(range(100))
        assert outbox.take() == []
        readable, _, _ = select.select([outbox], [], [], 0)
        assert not readable
    finally:
        outbox.close()


DETACHED = """
import subprocess
from bench.yardsticks.descendants import adopt_descendants, end_descendants

adopt_descendants()
stubborn = "trap '' TERM; setsid sleep 60 >&- 2>&- & echo $!"
done = subprocess.run(["sh", "-c", stubborn], stdout=subprocess.PIPE, text=True, check=True)
end_descendants(within_seconds=0.1)
print(done.stdout)
"""


def test_a_process_that_detached_itself_is_ended_by_who_wanted_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DETACHED],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
