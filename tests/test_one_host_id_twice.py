"""Two live hosts of one id, as real processes: the later registered has it, the other is fenced."""

import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from host_sim.host_process import FENCED_EXIT
from tests.real_system import RealSystem
from transport.messages import (
    HostLeft,
    HostRegistered,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)


class System(RealSystem):
    """Two hosts called `left`, each with a control socket of its own."""

    def start_host(self, name: str) -> "subprocess.Popen[str]":
        elsewhere = self.directory / name
        elsewhere.mkdir(mode=0o700)
        control = () if name == "earlier" else ("--control", f"ipc://{elsewhere}/control")
        return self.start(name, "host", "--host-id", "left", "--spawn-time", "0", *control)

    def start_launcher(self) -> None:
        self.start("launcher", "launcher", "--log", str(self.log))

    @property
    def log(self) -> Path:
        return self.directory / "log.sqlite"

    def restart_launcher(self) -> None:
        process = self.processes["launcher"]
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        assert process.stdout is not None
        process.stdout.close()
        self.start_launcher()

    def of_type(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def epochs(self) -> list[str]:
        return [event.origin.epoch for event in self.of_type(HostRegistered)]

    def pool_of_epoch(self, number: int) -> bool:
        """Say whether the pool is whole, in the life of the host with this number."""
        return len(self.epochs()) == number and self.pool_is_whole("left")


def fenced_by(system: System, name: str) -> str:
    """Wait until a host has ended as fenced, and give what it said."""
    assert system.processes[name].wait(20) == FENCED_EXIT
    return system.complaints(name)


def test_the_later_has_the_id_and_the_sagas_of_the_earlier_fail() -> None:
    with System() as system:
        system.start_host("earlier")
        system.start_launcher()
        system.wait_for(lambda: system.pool_of_epoch(1), "whole pool")
        system.inject("left", "no_answer")
        system.promote("left")
        system.wait_for(lambda: bool(system.of_type(PoolWindowPromoted)), "promote")
        system.start_host("later")
        system.wait_for(lambda: system.pool_of_epoch(2), "pool of the later")
        said = fenced_by(system, "earlier")

        earlier, later = system.epochs()
        assert f"muxsaga host left: fenced: a later epoch ({later}) registered" in said
        [failed] = system.of_type(SagaFailed)
        assert (failed.saga_id, failed.reason) == (3, "host restarted")
        [left] = system.of_type(HostLeft)
        assert (left.origin.epoch, left.reason) == (earlier, "restarted")
        [opened], [closed] = system.of_type(WindowOpened), system.of_type(WindowClosed)
        assert (closed.label, closed.crash_detected) == (opened.label, True)
        assert all(later in label for label in system.mirror.hosts["left"].pool)
        assert len(system.of_type(SagaStarted)) == len(system.of_type(SagaCompleted)) + 1


@pytest.mark.parametrize("restarts_after", [False, True], ids=["no restart after", "restart after"])
@pytest.mark.parametrize(
    "restarts_before", [False, True], ids=["no restart before", "restart before"]
)
def test_a_host_that_slept_while_another_took_its_id_is_fenced_when_it_wakes(
    *, restarts_before: bool, restarts_after: bool
) -> None:
    with System() as system:
        sleeper = system.start_host("earlier")
        system.start_launcher()
        system.wait_for(lambda: system.pool_of_epoch(1), "whole pool")
        sleeper.send_signal(signal.SIGSTOP)
        try:
            if restarts_before:  # so that no word of being fenced waits in the sleeper's socket
                system.restart_launcher()
            system.start_host("later")
            system.wait_for(lambda: system.pool_of_epoch(2), "pool of the later")
            if restarts_after:
                system.restart_launcher()
        finally:
            sleeper.send_signal(signal.SIGCONT)
        said = fenced_by(system, "earlier")

        earlier, later = system.epochs()
        assert f"a later epoch ({later})" in said
        with closing(sqlite3.connect(f"file:{system.log}?mode=ro", uri=True)) as db:
            superseded = db.execute("SELECT host, epoch, by FROM superseded").fetchall()
        assert superseded == [("left", earlier, later)]
        # Nothing came of its waking: the later one's pool is as it was, and it goes on.
        assert system.pool_of_epoch(2)
        assert all(later in label for label in system.mirror.hosts["left"].pool)
        assert system.processes["later"].poll() is None
        assert system.of_type(SagaFailed) == []


def test_a_host_that_was_stopped_before_it_ever_registered_is_the_later_one_when_it_wakes() -> None:
    with System() as system:
        sleeper = system.start_host("earlier")
        sleeper.send_signal(signal.SIGSTOP)
        try:
            system.start_launcher()
            system.start_host("later")
            system.wait_for(lambda: system.pool_of_epoch(1), "whole pool")
        finally:
            sleeper.send_signal(signal.SIGCONT)
        system.wait_for(lambda: system.pool_of_epoch(2), "pool of the one that woke")
        assert f"a later epoch ({system.epochs()[1]})" in fenced_by(system, "later")
        assert sleeper.poll() is None
