"""A process that is stopped (`kill -STOP`) for longer than a saga may take, and goes on."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.real_system import RealSystem
from transport.messages import (
    PoolWindowAdded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

pytestmark = pytest.mark.timeout(120)

DEADLINE = 4.0
"""Seconds that a respawn may take."""

SPAWN_TIME = "2s"
"""What a window takes: long enough to stop somebody meanwhile, and not as long as a saga may."""

RESPAWN = "pool_respawn_on_promote"


@pytest.fixture
def system() -> Iterator[RealSystem]:
    """Two hosts with whole pools, and a launcher."""
    with RealSystem() as system:
        for name in ("left", "right"):
            history = str(history_of(system, name))
            options = ("--host-id", name, "--spawn-time", SPAWN_TIME, "--history", history)
            system.start(name, "host", *options)
        system.start("launcher", "launcher", "--timeout", f"{RESPAWN}={DEADLINE:g}")
        system.wait_for(
            lambda: system.pool_is_whole("left") and system.pool_is_whole("right"), "whole pools"
        )
        yield system


def history_of(system: RealSystem, name: str) -> Path:
    return system.directory / f"{name}.jsonl"


def did(system: RealSystem, name: str, what: str) -> list[dict[str, Any]]:
    """Give what a host recorded of one kind; a line that it is just writing does not count."""
    written, _, _ = history_of(system, name).read_text(encoding="utf-8").rpartition("\n")
    lines = [json.loads(line) for line in written.splitlines()]
    return [line for line in lines if line["did"] == what]


@contextmanager
def stopped(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Stop a process, and let it go on whatever happens."""
    process.send_signal(signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def of_type(system: RealSystem, kind: type[Any]) -> list[Any]:
    return [event for event in system.events if isinstance(event, kind)]


def respawns(system: RealSystem, host: str) -> list[int]:
    """Give the ids of the sagas that promotes of a host started."""
    hosts = {event.version: event.origin.host for event in system.events if event.origin}
    started = of_type(system, SagaStarted)
    return [each.saga_id for each in started if each.cause and hosts[each.cause] == host]


def terminals(system: RealSystem, saga_ids: list[int]) -> list[Any]:
    both = of_type(system, SagaCompleted) + of_type(system, SagaFailed)
    return [event for event in both if event.saga_id in saga_ids]


def promote(system: RealSystem, host: str) -> int:
    """Have a host promote a window, and give the saga that it starts once its command is there."""
    before = len(respawns(system, host))
    system.promote(host)
    system.wait_for(lambda: len(respawns(system, host)) > before, f"respawn in {host}")
    saga_id = respawns(system, host)[-1]
    system.wait_for(lambda: saga_id in commanded(system, host), f"command to {host}")
    return saga_id


def commanded(system: RealSystem, host: str) -> set[int]:
    """Give the sagas of which a host has a command."""
    return {command["identity"][1] for command in did(system, host, "command")}


def assert_whole(system: RealSystem, host: str) -> None:
    """See that the mirror is what the host has, and that its pool is at its target."""
    state, mirror = system.inspect(host), system.mirror.hosts[host]
    assert sorted(state["pool"]) == sorted(mirror.pool)
    assert sorted(state["open"]) == sorted(mirror.opened)
    assert len(mirror.pool) >= state["pool_target"] == mirror.target


def test_sagas_of_a_stopped_host_fail_once_and_what_it_reports_later_closes_nothing(
    system: RealSystem,
) -> None:
    with stopped_after_promotes(system) as sagas:
        others = [promote(system, "right") for _ in range(2)]
        system.wait_for(lambda: len(terminals(system, others)) == len(others), "others' ends")
        system.wait_for(lambda: len(terminals(system, sagas)) == len(sagas), "sagas' ends")
    assert {(each.saga_id, each.reason) for each in of_type(system, SagaFailed)} == {
        (saga_id, "saga timeout") for saga_id in sagas
    }
    system.wait_for(lambda: len(made_for(system, "left", sagas)) == len(sagas), "late windows")
    made_late = made_for(system, "left", sagas)
    system.wait_for(lambda: made_late <= labels_added(system), "late adds")
    system.wait_for(lambda: system.pool_is_whole("left"), "whole pool")
    late = [event for event in of_type(system, PoolWindowAdded) if event.label in made_late]
    assert [(event.saga_id, event.reconciled) for event in late] == [(None, False)] * len(sagas)
    assert len(terminals(system, sagas)) == len(sagas)
    assert all(isinstance(each, SagaCompleted) for each in terminals(system, others))
    assert_whole(system, "left")
    assert_whole(system, "right")


@contextmanager
def stopped_after_promotes(system: RealSystem) -> Iterator[list[int]]:
    """Stop `left` while it makes two windows; give the sagas that wait for them."""
    sagas = [promote(system, "left") for _ in range(2)]
    with stopped(system.processes["left"]):
        assert made_for(system, "left", sagas) == set()
        yield sagas


def made_for(system: RealSystem, host: str, sagas: list[int]) -> set[str]:
    """Give the labels of the windows that a host made, and reported, for sagas."""
    reports = did(system, host, "report")
    return {
        report["label"]
        for report in reports
        if report["type"] == "ReportPoolWindowAdded" and report["identity"][1] in sagas
    }


def labels_added(system: RealSystem) -> set[str]:
    return {event.label for event in of_type(system, PoolWindowAdded)}


def test_a_stopped_launcher_fails_no_saga_whose_report_is_there_and_counts_no_time_for_others(
    system: RealSystem,
) -> None:
    silent = promote(system, "right")
    with stopped(system.processes["right"]):
        reported = promote(system, "left")
        with stopped(system.processes["launcher"]):
            stopped_at = time.monotonic()
            assert terminals(system, [silent, reported]) == []
            system.wait_for(lambda: bool(made_for(system, "left", [reported])), "report")
            system.wait_for(lambda: time.monotonic() > stopped_at + DEADLINE + 1, "deadline")
        system.wait_for(lambda: bool(terminals(system, [reported])), "end of what is reported")
        assert isinstance(terminals(system, [reported])[0], SagaCompleted)
        assert terminals(system, [silent]) == []
        assert made_for(system, "right", [silent]) == set()
    system.wait_for(lambda: bool(terminals(system, [silent])), "end of what was not")
    system.wait_for(
        lambda: system.pool_is_whole("left") and system.pool_is_whole("right"), "whole pools"
    )
    assert of_type(system, SagaFailed) == []
    assert len(terminals(system, [silent, reported])) == 2
    assert_whole(system, "left")
    assert_whole(system, "right")
