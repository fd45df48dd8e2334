"""A launcher with its log in a file is killed -9 and started again: everything goes on."""

import signal
import subprocess
from collections import Counter
from typing import Any

import pytest

from tests.real_system import RealSystem
from transport.messages import (
    HostRegistered,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

KILLS = 5


def of_type(system: RealSystem, kind: type[Any]) -> list[Any]:
    return [event for event in system.events if isinstance(event, kind)]


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()


def start_launcher(system: RealSystem) -> "subprocess.Popen[str]":
    return system.start("launcher", "launcher", "--log", str(system.directory / "log.sqlite"))


def ended(system: RealSystem) -> int:
    return len(of_type(system, SagaCompleted)) + len(of_type(system, SagaFailed))


@pytest.mark.timeout(120)
def test_brackets_that_were_open_at_kill_9_are_closed_once_and_no_version_is_missing() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "300ms", "--pool-target", "4")
        launcher = start_launcher(system)
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        for number in range(1, KILLS + 1):
            system.promote("host-1")
            system.wait_for(
                lambda number=number: len(of_type(system, PoolWindowPromoted)) == number,  # type: ignore[misc]
                "promote",
            )
            assert ended(system) < len(of_type(system, SagaStarted))
            kill(launcher)
            launcher = start_launcher(system)
            system.wait_for(lambda: ended(system) == len(of_type(system, SagaStarted)), "terminals")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        both = of_type(system, SagaCompleted) + of_type(system, SagaFailed)
        terminals = Counter(event.saga_id for event in both)
        started = [event.saga_id for event in of_type(system, SagaStarted)]
        assert terminals == Counter(started)
        assert started == sorted(set(started))
        assert of_type(system, SagaFailed) == []
        assert len(of_type(system, HostRegistered)) == 1
        versions = [event.version for event in system.events]
        assert versions == list(range(1, len(versions) + 1))


def test_two_launchers_on_one_log_are_one_too_many() -> None:
    with RealSystem() as first, RealSystem() as second:
        log = str(first.directory / "log.sqlite")
        launcher = first.start("launcher", "launcher", "--log", log)
        with pytest.raises(AssertionError):
            second.start("launcher", "launcher", "--log", log)
        assert second.processes["launcher"].wait(20) == 1
        assert launcher.poll() is None
