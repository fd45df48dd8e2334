import cProfile
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.__main__ import main
from bench.profiling import py_spy
from bench.profiling.call_statistics import read_call_statistics
from bench.profiling.flame_graph import MARGIN, WIDTH, flame_graph
from bench.profiling.parts import Part, part_of_file
from bench.profiling.py_spy import REMEDY, PySpy
from bench.profiling.shares import Share, profile_of
from bench.profiling.stacks import REPOSITORY, Frame, Stack, read_stacks
from bench.result import ResultError
from tests.interpreted import interpreted_only
from transport.codec import encode
from transport.messages import Acknowledge

SVG = "{http://www.w3.org/2000/svg}"

LOOP = Frame("LauncherLoop.run", "actors/launcher_loop.py")
COMMIT = Frame("SqliteSagaLog.commit", "actors/sqlite_saga_log.py")
ENCODE = Frame("encode", "transport/codec.py")
PACK = Frame("packb", "msgpack/__init__.py")

STACKS = [
    Stack((LOOP, COMMIT), 30),
    Stack((LOOP, COMMIT, ENCODE, PACK), 10),
    Stack((LOOP, ENCODE, PACK), 40),
    Stack((LOOP,), 20),
]


# --- stacks -----------------------------------------------------------------------------------


def test_a_stack_begins_with_muxsagas_own_outermost_function() -> None:
    line = (
        f"<module> (<string>:1);_run (/lib/python3.11/multiprocessing/process.py:314);"
        f"LauncherLoop.run ({REPOSITORY}/actors/launcher_loop.py:55);"
        f"packb (/venv/site-packages/msgpack/__init__.py:36) 7"
    )
    assert read_stacks([line, ""]) == [Stack((LOOP, PACK), 7)]


@pytest.mark.parametrize("waiting", ["Poller.poll", "Condition.wait", "Semaphore.acquire"])
def test_a_thread_that_only_waits_is_left_out_unless_it_is_the_main_one(waiting: str) -> None:
    own = f"QueryThread._run ({REPOSITORY}/actors/query_thread.py:57);{waiting} (a/b.py:1) 5"
    beside = f"Thread._bootstrap (/lib/python3.11/threading.py:1002);{own}"
    assert read_stacks([beside]) == []
    assert len(read_stacks([own])) == 1


def test_what_is_not_muxsagas_at_all_is_left_out() -> None:
    assert read_stacks(["Thread._bootstrap (threading.py:1002);work (a/b.py:1) 5"]) == []


@pytest.mark.parametrize("line", ["nonsense", "a;b;c", "run (a.py:1) -3", "7"])
def test_what_is_no_stack_is_shown(line: str) -> None:
    with pytest.raises(ValueError, match="no line of py-spy: "):
        read_stacks([line])


# --- shares -----------------------------------------------------------------------------------


def test_a_functions_self_share_is_where_it_is_innermost_and_its_whole_where_it_is_at_all() -> None:
    profile = profile_of(STACKS)
    assert profile.functions == [
        Share("packb (msgpack/__init__.py)", 0.5, 0.5),
        Share("SqliteSagaLog.commit (actors/sqlite_saga_log.py)", 0.3, 0.4),
        Share("LauncherLoop.run (actors/launcher_loop.py)", 0.2, 1.0),
        Share("encode (transport/codec.py)", 0.0, 0.5),
    ]


def test_what_a_library_does_is_the_parts_that_called_it() -> None:
    assert profile_of(STACKS).parts == [
        Share(Part.CODEC, 0.5, 0.5),
        Share(Part.LOG, 0.3, 0.4),
        Share(Part.PASSES, 0.2, 1.0),
    ]


def test_a_function_that_recurs_counts_once() -> None:
    (share,) = profile_of([Stack((ENCODE, ENCODE), 3)]).functions
    assert (share.self_share, share.whole_share) == (1, 1)


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("actors/saga_actor.py", Part.ACTORS),
        ("actors/saga_log.py", Part.LOG),
        ("actors/sagas/pool_fill.py", Part.ACTORS),
        ("transport/zeromq/sockets.py", Part.SOCKETS),
        ("transport/endpoints.py", Part.REST),
    ],
)
def test_the_longest_name_that_fits_says_whose_a_file_is(file: str, part: Part) -> None:
    assert part_of_file(file) is part


@interpreted_only
def test_counted_calls_of_libraries_are_their_callers(tmp_path: Path) -> None:
    profile = cProfile.Profile()
    message = Acknowledge(taken=1, low_water=1)
    profile.runcall(lambda: [encode(message) for _ in range(500)])
    file = tmp_path / "calls"
    profile.dump_stats(file)
    found = read_call_statistics(file)
    parts = {share.name: share.self_share for share in found.parts}
    assert sum(parts.values()) == pytest.approx(1)
    assert parts[Part.CODEC] > 0.6
    assert any(share.name == "encode (transport/codec.py)" for share in found.functions)


# --- flame graph ------------------------------------------------------------------------------


def boxes(svg: str) -> dict[str, tuple[float, float, float]]:
    """Give each box's left, top and width, by the beginning of its title."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{SVG}g"):  # noqa: S314 - our own text
        title, box = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert title.text is not None
        assert box is not None
        name = title.text.partition(" (")[0]
        found[name] = tuple(float(box.attrib[each]) for each in ("x", "y", "width"))
    return found  # type: ignore[return-value]


def test_a_box_is_as_wide_as_its_share_and_stands_on_what_called_it() -> None:
    drawn = boxes(flame_graph(STACKS, "a title"))
    whole = WIDTH - 2 * MARGIN
    assert drawn["LauncherLoop.run"][2] == pytest.approx(whole)
    assert drawn["SqliteSagaLog.commit"][2] == pytest.approx(0.4 * whole, abs=0.1)
    assert drawn["SqliteSagaLog.commit"][1] < drawn["LauncherLoop.run"][1]
    left, _, width = drawn["SqliteSagaLog.commit"]
    assert MARGIN <= left <= left + width <= WIDTH - MARGIN


def test_boxes_on_one_function_stand_beside_each_other() -> None:
    stacks = [Stack((LOOP, Frame(name, "actors/core.py")), 50) for name in ("one", "two")]
    drawn = boxes(flame_graph(stacks, "any"))
    assert drawn["two"][0] == pytest.approx(drawn["one"][0] + drawn["one"][2], abs=0.1)


def test_a_flame_graph_says_the_share_and_the_part_of_a_box() -> None:
    svg = flame_graph([*STACKS, Stack((LOOP, Frame("<lambda>", "a&b.py")), 100)], "a < b")
    titles = [each.text for each in ET.fromstring(svg).iter(f"{SVG}title")]  # noqa: S314 - ours
    assert "<lambda> (a&b.py): 50.0%, passes" in titles
    assert "SqliteSagaLog.commit (actors/sqlite_saga_log.py): 20.0%, log" in titles


def test_the_same_stacks_in_another_order_give_the_same_flame_graph() -> None:
    assert flame_graph(STACKS, "any") == flame_graph(STACKS[::-1], "any")


def test_a_box_too_narrow_to_see_is_left_out() -> None:
    drawn = boxes(flame_graph([*STACKS, Stack((LOOP, Frame("rare", "a.py")), 0)], "any"))
    assert "rare" not in drawn


# --- py-spy -----------------------------------------------------------------------------------


def stand_in(directory: Path, script: str) -> str:
    """Give a program that does in py-spy's place what a script says."""
    program = directory / "py-spy"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo 'Error: Permission Denied: Try running again with sudo' >&2; exit 1", REMEDY),
        ("echo 'Error: Operation not permitted (os error 1)' >&2; exit 1", REMEDY),
        ("echo 'Error: Failed to find python' >&2; exit 1", "Failed to find python: try '--prof"),
        ("exit 3", "it ended with status 3"),
    ],
)
def test_a_py_spy_that_cannot_sample_is_explained(
    script: str, complaint: str, tmp_path: Path
) -> None:
    spy = PySpy(stand_in(tmp_path, script), os.getpid(), tmp_path / "stacks", rate=100)
    with pytest.raises(ResultError) as raised, spy:
        pytest.fail("it cannot have begun")
    assert complaint in str(raised.value)


def test_a_py_spy_that_does_not_begin_or_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py_spy, "START_SECONDS", 0.3)
    program = stand_in(tmp_path, "exec tail -f /dev/null")
    silent = PySpy(program, os.getpid(), tmp_path / "stacks", rate=100)
    with pytest.raises(ResultError, match="did not begin"), silent:
        pytest.fail("it cannot have begun")
    assert silent.process is not None
    assert silent.process.returncode == -signal.SIGKILL
    monkeypatch.setattr(py_spy, "START_SECONDS", 20)
    monkeypatch.setattr(py_spy, "END_SECONDS", 0.1)
    program = stand_in(tmp_path, "trap '' INT; echo Sampling process; exec tail -f /dev/null")
    endless = PySpy(program, os.getpid(), tmp_path / "stacks", rate=100)
    with endless, pytest.raises(ResultError, match="did not end"):
        endless.stacks()
    assert endless.process is not None
    assert endless.process.returncode == -signal.SIGKILL


def test_a_run_without_a_sample_is_explained(tmp_path: Path) -> None:
    program = stand_in(tmp_path, f"trap '' INT; : > {tmp_path}/stacks; echo Sampling process")
    spy = PySpy(program, os.getpid(), tmp_path / "stacks", rate=100)
    with spy, pytest.raises(ResultError, match=r"no sample: .*'--promotes'"):
        spy.stacks()


def test_a_missing_py_spy_is_named_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["profile", "--output", str(tmp_path / "out.svg")]) == 1
    assert "py-spy is not installed: pip install" in capsys.readouterr().err


def test_a_profile_of_compiled_modules_says_what_it_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.profiling.command.is_compiled", lambda: True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["profile", "--output", str(tmp_path / "out.svg")]) == 1
    assert "no profiler sees their functions" in capsys.readouterr().err


# --- whole runs -------------------------------------------------------------------------------

TINY = ("--concurrency", "8", "--promotes", "300", "--json")


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "profile", *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_run_is_sampled_and_drawn(tmp_path: Path) -> None:
    output = tmp_path / "launcher.svg"
    done = bench(*TINY, "--rate", "1000", "--output", str(output))
    if REMEDY in done.stderr:
        pytest.skip("py-spy may not look into other processes here")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["promotes"] == 300
    assert document["samples"] > 5
    assert {"main", "ZMQbg/IO/0"} <= document["threads_s"].keys()
    parts = {share["name"]: share["self_share"] for share in document["parts"]}
    assert sum(parts.values()) == pytest.approx(1)
    assert "sockets" in parts
    assert parts.get("rest", 0) < 0.3
    assert "LauncherLoop.run" in boxes(output.read_text(encoding="utf-8"))


@interpreted_only
def test_the_calls_of_a_run_are_counted_without_py_spy(tmp_path: Path) -> None:
    output = tmp_path / "launcher.svg"
    done = bench(*TINY, "--profiler", "cprofile", "--output", str(output))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    parts = {share["name"]: share["self_share"] for share in document["parts"]}
    assert sum(parts.values()) == pytest.approx(1)
    assert {"sockets", "codec", "actors", "log", "reducer"} <= parts.keys()
    assert not output.exists()


def test_ctrl_c_ends_the_run_and_everything_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "profile", "--promotes", "100000"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "launcher.svg")],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        sampling = next(line for line in run.stderr if line.startswith("sampling the launcher"))
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="ascii")
        ends = [os.pidfd_open(int(pid)) for pid in children.split()]
        run.send_signal(signal.SIGINT)
        rest = run.stderr.read()
        assert run.wait(20) == 130, rest
    assert sampling.split()[-1] in children.split()
    for end in ends:
        assert select.select([end], [], [], 10)[0], "a process was left"
        os.close(end)
    assert "Traceback" not in rest
