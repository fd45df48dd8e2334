"""`muxsaga saga cancel` against real processes."""

import json
import sqlite3
from typing import Any

from tests.real_system import RealSystem
from transport.messages import SagaFailed, SagaStarted

EVERY = 1_000
"""So many commands are not answered: also one that is sent again."""


def of_type(system: RealSystem, kind: type[Any]) -> list[Any]:
    return [event for event in system.events if isinstance(event, kind)]


def stuck_saga(system: RealSystem, *launcher: str) -> str:
    """Start a host and a launcher, and give the id of a saga whose command is never answered."""
    system.start("host", "host", "--spawn-time", "0")
    system.start("launcher", "launcher", "--timeout", "pool_respawn_on_promote=600", *launcher)
    system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
    system.inject("host-1", "no_answer", EVERY)
    system.promote("host-1")
    system.wait_for(lambda: not system.pool_is_whole("host-1"), "promote")
    system.wait_for(lambda: len(of_type(system, SagaStarted)) == 3, "saga")
    return str(of_type(system, SagaStarted)[-1].saga_id)


def test_a_stuck_saga_is_cancelled_once_and_its_pool_is_filled_again() -> None:
    with RealSystem() as system:
        saga_id = stuck_saga(system)
        cancelled = system.command("saga", "cancel", saga_id, "--reason", "not wanted", "--json")
        assert (cancelled.returncode, json.loads(cancelled.stdout)) == (
            0,
            {"saga_id": int(saga_id), "cancelled": True, "refused": None},
        ), cancelled.stderr
        system.inject("host-1", "no_answer", 0)
        again = system.command("saga", "cancel", saga_id)
        assert (again.returncode, again.stdout, again.stderr) == (
            1,
            "",
            f"muxsaga: nothing was cancelled: saga {saga_id} is closed already\n",
        )
        system.wait_for(lambda: system.pool_is_whole("host-1"), "healed pool")
    assert [(each.saga_id, each.reason) for each in of_type(system, SagaFailed)] == [
        (int(saga_id), "cancelled: not wanted")
    ]


def test_a_saga_that_never_began_and_a_launcher_that_is_not_there_are_told_apart() -> None:
    with RealSystem() as system:
        system.start("launcher", "launcher")
        unknown = system.command("saga", "cancel", "41", "--json")
        assert unknown.returncode == 1
        assert json.loads(unknown.stdout)["refused"] == "saga 41 never began: the last one was 0"
        system.processes["launcher"].terminate()
        assert system.processes["launcher"].wait(20) == 0
        absent = system.command("saga", "cancel", "41", "--timeout", "0.2")
    assert absent.returncode == 1
    assert "is the launcher running?" in absent.stderr


def test_a_request_that_finds_the_log_out_takes_effect_when_it_is_back() -> None:
    with RealSystem() as system:
        log = system.directory / "log.sqlite"
        saga_id = stuck_saga(system, "--log", str(log))
        locker = sqlite3.connect(log, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        waiting = system.command("saga", "cancel", saga_id, "--timeout", "2")
        assert waiting.returncode == 1
        assert "its log may be out" in waiting.stderr
        assert of_type(system, SagaFailed) == []
        locker.execute("ROLLBACK")
        locker.close()
        system.wait_for(lambda: bool(of_type(system, SagaFailed)), "cancelled saga")
    [failed] = of_type(system, SagaFailed)
    assert (failed.saga_id, failed.reason) == (int(saga_id), "cancelled: by the operator")
