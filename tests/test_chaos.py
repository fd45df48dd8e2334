"""`muxsaga chaos` on real processes: every kind of fault, its promises, the way out."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.chaos.plan import ChaosKind
from transport.history import read_history
from transport.history_lines import EventLine, FaultLine, OutageLine, ProcessLine

SECONDS = 60
EVERY_KIND = Path(__file__).with_name("chaos_profile.toml")


def chaos(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "actors.command_line.main", "chaos", *options],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.timeout(SECONDS + 20)
def test_every_kind_of_fault_on_real_processes_leaves_a_sound_history(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    done = chaos(
        *("--duration", "8", "--seed", "3", "--profile", str(EVERY_KIND)),
        *("--history", str(history), "--json"),
    )
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["violations"] == []
    assert done.returncode == 0, done.stderr
    assert set(report["faults"]) == {kind.value for kind in ChaosKind}
    assert (report["process_faults"], report["link_faults"]) == (7, 9)
    assert report["promotes"] > 20
    assert report["sagas"] >= report["promotes"] / 2
    assert (report["seed"], report["history"]) == (3, str(history))
    assert report["seconds"] >= 8
    _tells_what_was_done(history)


def _tells_what_was_done(history: Path) -> None:
    lines = list(read_history(history))
    did = {(line.name, line.did) for line in lines if isinstance(line, ProcessLine)}
    assert {("launcher", "killed"), ("launcher", "stopped"), ("launcher", "continued")} <= did
    assert ("observer-1", "killed") in did
    faults = [line for line in lines if isinstance(line, FaultLine)]
    assert len({line.fault.partition(" ")[0] for line in faults}) == 9
    assert sum(line.did == "began" for line in faults) == sum(
        line.did == "ended" for line in faults
    )
    assert [line.did for line in lines if isinstance(line, OutageLine)] == ["began", "ended"]
    versions = [
        line.event["version"]
        for line in lines
        if isinstance(line, EventLine) and line.observer == "witness"
    ]
    assert versions == list(range(1, len(versions) + 1))


def test_a_run_that_injected_less_than_its_profile_promises_has_failed(tmp_path: Path) -> None:
    profile = tmp_path / "promising.toml"
    promising = EVERY_KIND.read_text().replace("process_faults = 52.5", "process_faults = 6000")
    profile.write_text(
        promising.partition("[faults]")[0] + "[faults]\nkill_host = { per_minute = 60 }"
    )
    done = chaos("--duration", "1", "--profile", str(profile), "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["message"] for each in report["violations"]] == [
        "the profile promises 100 process faults in 1 s, and there were 1",
        "the profile promises 1 link faults in 1 s, and there were 0",
    ]
    kept = Path(report["history"])
    assert list(read_history(kept))
    assert done.stderr.endswith(f"what the processes wrote are in {kept.parent}\n")
    _remove(kept.parent)


def _remove(directory: Path) -> None:
    assert directory.name.startswith("muxsaga-chaos-")
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()


def test_ctrl_c_ends_everything_and_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "actors.command_line.main", "chaos", "--duration", "60"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "host-2, launcher are ready" in said
        children = _children_of(process.pid)
        assert len(children) >= 4
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert rest == "muxsaga: interrupted\n"
    assert list(tmp_path.iterdir()) == []
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def _children_of(pid: int) -> list[int]:
    """Give its children but multiprocessing's resource tracker, which ends after it."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [
        int(each) for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]


def test_a_plan_can_be_seen_without_being_carried_out() -> None:
    first, again = (chaos("--duration", "10", "--seed", "5", "--plan") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == again.stdout
    assert "kill_launcher launcher\n" in first.stdout
    assert first.stderr == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--profile", "nasty"], "there is no profile 'nasty'; there are breezy, calm, cruel"),
        (["--duration", "0"], "'0' is no number of seconds above 0"),
        (["--seed", "x"], "'x' is no integer from 0"),
        (["--history", "/nowhere/history.jsonl"], "--history /nowhere/history.jsonl: "),
        (["--extension", "no.such"], "extension 'no.such' cannot be imported"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(options: list[str], said: str) -> None:
    done = chaos(*options)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert done.stdout == ""
