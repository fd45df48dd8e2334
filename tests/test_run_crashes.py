"""`muxsaga run` while sagas or the coordinator crash on purpose."""

import json
import subprocess
import sys
from typing import Any

import pytest

SECONDS = 100


def run(*options: str) -> tuple[int, dict[str, Any], str]:
    command = [sys.executable, "-m", "actors.command_line.main", "run", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(SECONDS + 20)
def test_sagas_that_crash_at_one_message_in_ten_complete_or_fail_once() -> None:
    status, counts, said = run(
        *("--promotes", "60", "--concurrency", "8", "--spawn-time", "20ms"),
        *("--crash-sagas", "0.1", "--crash-seed", "7"),
    )
    assert counts["promotes"] == counts["completed"] + counts["failed"] == 60
    assert (counts["open"], counts["duplicate_terminals"], counts["version_gaps"]) == (0, 0, 0)
    assert counts["violations"] == []
    assert (status == 0) == (counts["failed"] == 0 and "not sound" not in said)


@pytest.mark.timeout(SECONDS + 20)
def test_a_coordinator_that_crashes_every_second_leaves_no_bracket_open() -> None:
    status, counts, said = run(
        *("--promotes", "80", "--concurrency", "4", "--spawn-time", "100ms"),
        *("--crash-coordinator", "0.7", "--engine-budget", "1000"),
    )
    assert status == 0, said
    assert counts["completed"] == 80
    assert (counts["open"], counts["duplicate_terminals"], counts["version_gaps"]) == (0, 0, 0)
    assert counts["violations"] == []


@pytest.mark.timeout(SECONDS + 20)
def test_with_the_default_budget_the_launcher_ends_and_says_so() -> None:
    status, _, said = run("--promotes", "500", "--crash-coordinator", "0.5")
    assert status == 1
    assert "ended with exit status 4" in said
    assert "the engine crashed 3 times within a minute" in said


def test_a_share_that_is_none_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "actors.command_line.main", "run", "--crash-sagas", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "'2' is no share from 0 to 1" in done.stderr
