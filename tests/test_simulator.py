"""The simulator: cruel seeds are clean, bugs put in are found, what is found can be replayed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.core import Core
from actors.launcher_link import LauncherLink
from actors.memory_saga_log import MemorySagaLog
from actors.profile_files import ProfileError
from actors.simulation import Profile, read_profile, run_seed
from actors.simulation.campaign import judged_seeds, shrunk_schedule
from actors.simulation.fault_plan import FaultKind
from actors.simulation.profile import parse_profile, profile_names
from actors.simulation.run import planned_faults
from actors.simulation.shrink import shortest_schedule
from actors.simulation.world import json_lines
from tests.interpreted import interpreted_only
from transport.history_lines import HostLine, SagaLine

SECONDS = 100


@pytest.fixture(scope="module")
def cruel() -> Profile:
    return read_profile("cruel")


def simulate(*options: str, hash_seed: str = "1") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "actors.command_line.main", "simulate", *options],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def messages(profile: Profile, seeds: range) -> Iterator[str]:
    for result in judged_seeds(seeds, profile, None, 1):
        for violation in result.violations:
            yield f"seed {result.seed}: {violation.message}"


@pytest.mark.parametrize(("name", "seeds"), [("breezy", range(8)), ("cruel", range(36))])
def test_no_seed_breaks_an_invariant(name: str, seeds: range) -> None:
    assert list(messages(read_profile(name), seeds)) == []


def test_every_cruel_seed_has_the_faults_that_its_profile_promises(cruel: Profile) -> None:
    plans = [planned_faults(seed, cruel) for seed in range(500)]
    assert min(len(plan) for plan in plans) >= 20
    assert min(len({fault.kind for fault in plan}) for plan in plans) >= 6
    for plan in plans:
        assert {FaultKind.LAUNCHER_KILL, FaultKind.HOST_KILL} <= {fault.kind for fault in plan}


def test_a_profile_that_injects_less_than_it_promises_fails() -> None:
    calm = read_profile("calm")
    promise = replace(calm.promise, faults=1, host_kills=1)
    found = run_seed(1, replace(calm, promise=promise)).violations
    assert [violation.message for violation in found] == [
        "the profile promises 1 faults, and there were 0",
        "the profile promises 1 kills of a host, and there were 0",
    ]


def test_a_fault_that_is_left_out_changes_no_other_one(cruel: Profile) -> None:
    plan = planned_faults(5, cruel)
    only = [fault.number for fault in plan if fault.kind is not FaultKind.HOST_KILL]
    run = run_seed(5, cruel, only)
    assert FaultKind.HOST_KILL not in run.faults
    assert sum(run.faults.values()) == len(only)
    assert run.violations == []


def test_a_host_that_was_replaced_is_fenced(cruel: Profile) -> None:
    kinds = {FaultKind.HOST_REPLACED}
    for seed in range(12):
        only = [fault.number for fault in planned_faults(seed, cruel) if fault.kind in kinds]
        if only:
            break
    run = run_seed(seed, cruel, only)
    assert run.violations == []
    assert run.faults == {"host_replaced": 1}
    assert [line.did for line in run.lines if isinstance(line, HostLine)].count("fenced") == 1


def test_a_saga_that_waits_at_its_own_events_is_made_anew_with_all_of_them(cruel: Profile) -> None:
    for seed in range(4):
        inspections = [
            line
            for line in run_seed(seed, cruel).lines
            if isinstance(line, SagaLine) and line.name == "window_inspection"
        ]
        results = {line.result for line in inspections if line.state == "completed"}
        assert results == {"6"}


@interpreted_only
def test_a_launcher_that_asks_for_no_inventory_is_found(
    monkeypatch: pytest.MonkeyPatch, cruel: Profile
) -> None:
    monkeypatch.setattr(LauncherLink, "ask_inventory", lambda *_: None)
    assert "mirror" in next(messages(cruel, range(20)))


def test_a_launcher_that_publishes_what_it_did_not_commit_is_found(
    monkeypatch: pytest.MonkeyPatch, cruel: Profile
) -> None:
    commit, seen = MemorySagaLog.commit, list[int]()

    def lose_some(log: MemorySagaLog, rows: Sequence[Any]) -> None:
        seen.append(1)
        if len(seen) % 50:
            commit(log, rows)

    monkeypatch.setattr(MemorySagaLog, "commit", lose_some)
    assert next(messages(cruel, range(3)))


@interpreted_only
def test_the_faults_that_are_needed_are_found(
    monkeypatch: pytest.MonkeyPatch, cruel: Profile
) -> None:
    """With a launcher that recovers no refills, some fault that makes it recover is needed."""
    watch = Core.watch_pool

    def forget(core: Core, host: str) -> None:
        if len(core.state.mirror.hosts[host].closed):
            core.refills_allowed = False
        watch(core, host)

    monkeypatch.setattr(Core, "watch_pool", forget)
    results = judged_seeds(range(20), cruel, None, 1)
    result = next(each for each in results if each.violations)
    schedule = shrunk_schedule(result, cruel, None)
    assert schedule is not None
    assert 1 <= len(schedule) < len(planned_faults(result.seed, cruel)) // 4


def test_shrinking_finds_the_two_faults_that_are_needed_together() -> None:
    tried: list[list[int]] = []

    def shows(schedule: Sequence[int]) -> bool:
        tried.append(list(schedule))
        return {7, 31} <= set(schedule)

    assert shortest_schedule(range(1, 41), shows) == [7, 31]
    assert len(tried) < 100


def test_shrinking_ends_when_its_runs_are_used_up() -> None:
    tried: list[list[int]] = []

    def shows(schedule: Sequence[int]) -> bool:
        tried.append(list(schedule))
        return len(schedule) > 30

    assert len(shortest_schedule(range(40), shows, runs=5)) > 30
    assert len(tried) == 5


# --- profiles -------------------------------------------------------------------------------------


def calm_text() -> str:
    names = profile_names()
    assert names == ["breezy", "calm", "cruel"]
    parts = read_profile("calm")
    return f"""
summary = "{parts.summary}"
delay = "1ms"
fault_seconds = 1.0
system = {{hosts = 1, observers = 1, late_observers = 0, pool_target = 2, spawn_time = "0",
 journal_events = 100, clock_drift = 0}}
workload = {{promotes = 1, pause = "1ms", close = 0.0, demote = 0.0}}
loop = {{short_pass = 0.0, late_round = 0.0, tiny_sizes = 0.0}}
promise = {{promotes = 1, faults = 0, kinds = 0, launcher_kills = 0, host_kills = 0}}
faults = {{link_break = [0, 1]}}
""".replace(",\n", ",")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("summary =", "sumary =", "sumary"),
        ("hosts = 1", "hosts = 0", "$.system.hosts"),
        ("hosts = 1", 'hosts = "1"', "$.system.hosts"),
        ("hosts = 1", "hosts = 1, cores = 2", "cores"),
        ("link_break =", "link_brake =", "link_brake"),
        ("[0, 1]", "[2, 1]", "faults.link_break = [2, 1]"),
        ('delay = "1ms"', 'delay = "1 parsec"', "1 parsec"),
        ("close = 0.0", "close = 1.0", "leave no promotes"),
        ("fault_seconds = 1.0", "", "fault_seconds"),
    ],
)
def test_a_profile_is_read_strictly(before: str, after: str, said: str) -> None:
    text = calm_text()
    assert parse_profile(text, "mine").system.hosts == 1
    with pytest.raises(ProfileError, match="profile mine: ") as refusal:
        parse_profile(text.replace(before, after, 1), "mine")
    assert said in str(refusal.value)


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ProfileError, match="'mild'; there are breezy, calm, cruel"):
        read_profile("mild")


# --- the command ----------------------------------------------------------------------------------


def test_the_command_gives_the_same_document_in_one_process_and_in_two() -> None:
    documents = []
    for jobs, hash_seed in (("1", "1"), ("2", "4711")):
        options = ("--seeds", "3:8", "--faults", "cruel", "--json", "--jobs", jobs)
        done = simulate(*options, hash_seed=hash_seed)
        assert done.returncode == 0, done.stderr
        documents.append(json.loads(done.stdout))
    assert list(documents[0]) == [
        *("seeds", "violations", "faults", "sagas", "virtual_seconds", "real_seconds"),
    ]
    assert documents[0]["seeds"] == 5
    assert sum(documents[0]["faults"].values()) >= 100
    assert documents[0].pop("real_seconds") > 0
    assert documents[1].pop("real_seconds") > 0
    assert documents[0] == documents[1]


def test_a_violation_is_told_with_what_shows_it_again(tmp_path: Path) -> None:
    file = tmp_path / "promising.toml"
    file.write_text(calm_text().replace("faults = 0", "faults = 3", 1))
    done = simulate("--seeds", "4:5", "--faults", str(file), "--steps", "2", "--json")
    assert done.returncode == 1, done.stderr
    [violation] = json.loads(done.stdout)["violations"]
    assert violation == {"seed": 4, "invariant": 0, "lines": []}
    assert "the profile promises 3 faults, and there were" in done.stderr
    assert f"again: muxsaga simulate --seeds 4:5 --faults {file} --steps 2" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seeds", "5"), "'5' is no A:B"),
        (("--seeds", "5:5"), "'5:5' is no A:B"),
        (("--faults", "mild"), "there is no profile 'mild'"),
        (("--only-faults", "3;4"), "'3;4' is no list of numbers"),
        (("--seeds", "0:3", "--trace"), "--trace narrates one seed"),
    ],
)
def test_a_wrong_command_line_is_refused_by_name(options: tuple[str, ...], said: str) -> None:
    done = simulate(*options)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_trace_tells_what_happened_in_order() -> None:
    options = ("--seeds", "3:4", "--only-faults", "1,2", "--trace", "--jobs", "1")
    done = simulate(*options)
    assert done.returncode == 0, done.stderr
    assert "*** launcher started" in done.stderr
    assert "SagaStarted" in done.stderr


def test_the_same_seed_gives_the_same_bytes(cruel: Profile) -> None:
    one, two = (b"".join(json_lines(run_seed(11, cruel).lines)) for _ in range(2))
    assert one == two


def test_a_checker_that_raises_is_a_finding_with_its_seed(
    cruel: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        msg = "no such line"
        raise KeyError(msg)

    monkeypatch.setattr("actors.simulation.run.judge", raises)
    found = [violation.message for violation in run_seed(1, cruel).violations]
    assert found == ["the checker raised: KeyError: 'no such line'"]
