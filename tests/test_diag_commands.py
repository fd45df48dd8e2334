"""`muxsaga diag state` and `explain` against real processes."""

import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import zmq

from tests.real_system import WAIT_SECONDS, RealSystem
from transport.codec import decode, encode, family
from transport.endpoints import Endpoints
from transport.message_types import ANSWERS
from transport.messages import (
    ActionDone,
    PoolWindowPromoted,
    SagaCompleted,
    SagaStarted,
    StateAnswer,
    StateQuestion,
)
from transport.zeromq.sockets import question_socket

QUESTIONS = 2_000
EVERY = 1_000
"""So many commands are not answered: also one that is sent again."""

PATIENCE = ("--timeout", "pool_respawn_on_promote=600")


def of_type(system: RealSystem, kind: type[Any]) -> list[Any]:
    return [event for event in system.events if isinstance(event, kind)]


@contextmanager
def stopped(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Stop a process as Ctrl-Z does, and have it go on at the end."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def asked(system: RealSystem, *arguments: str) -> Any:
    done = system.command("diag", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def asked_until(system: RealSystem, holds: Callable[[Any], bool], *arguments: str) -> Any:
    """Ask again and again until an answer holds, and give it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        answer = asked(system, *arguments)
        if holds(answer):
            return answer
        assert time.monotonic() < deadline, answer


def stuck(system: RealSystem) -> str:
    """Promote, while the host gives no answer to the command; give the saga's id."""
    system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
    before = len(of_type(system, PoolWindowPromoted))
    system.inject("host-1", "no_answer", EVERY)
    assert isinstance(system.promote("host-1"), ActionDone)
    system.wait_for(lambda: len(of_type(system, PoolWindowPromoted)) > before, "promote")
    system.wait_for(lambda: of_type(system, SagaStarted)[-1].cause is not None, "saga")
    return str(of_type(system, SagaStarted)[-1].saga_id)


def ended(system: RealSystem, saga_id: str) -> Any:
    """Give the end of a saga, or None."""
    terminals = of_type(system, SagaCompleted)
    return next((each for each in terminals if each.saga_id == int(saga_id)), None)


def lines_of(system: RealSystem, *arguments: str) -> list[str]:
    done = system.command("diag", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_host_that_is_stopped_shows_as_silent_and_as_why_its_saga_waits() -> None:
    with RealSystem() as system:
        host = system.start("host", "host", "--spawn-time", "0")
        system.start("launcher", "launcher", "--heartbeat", "0.5", *PATIENCE)
        saga_id = stuck(system)
        asked_until(system, lambda state: state["peers"]["by_link"] == {"registered": 1}, "state")
        with stopped(host):
            state = asked_until(
                system, lambda state: state["peers"]["by_link"] == {"silent": 1}, "state"
            )
            [saga] = state["sagas"]["oldest"]
            [why] = saga["why"]
            assert why.startswith("host host-1 is silent, last heard ")
            told = lines_of(system, "explain", saga_id)
            assert any(line.startswith("  why        host host-1 is silent") for line in told)
            text = lines_of(system, "state", "--sagas", "0")
            assert "hosts and services  1: 1 silent" in text
            assert "  and 1 more" in text
        asked_until(system, lambda state: state["peers"]["by_link"] == {"registered": 1}, "state")


def test_a_launcher_that_is_stopped_gives_no_state_and_one_that_goes_on_does() -> None:
    with RealSystem() as system:
        launcher = system.start("launcher", "launcher")
        with stopped(launcher):
            silent = system.command("diag", "state", "--timeout", "0.5")
            assert (silent.returncode, silent.stdout) == (1, "")
            assert "no answer from" in silent.stderr
        assert asked(system, "state")["log_outage"] is None


def test_while_the_log_is_locked_the_launcher_says_so_and_that_it_is_why() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "0")
        log = system.directory / "log.sqlite"
        system.start("launcher", "launcher", "--log", str(log), *PATIENCE)
        saga_id = stuck(system)
        locker = sqlite3.connect(log, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        system.promote("host-1")
        state = asked_until(system, lambda state: state["log_outage"] is not None, "state")
        assert "database is locked" in state["log_outage"]
        assert state["version"] == len(system.events)
        [text] = [line for line in lines_of(system, "state") if line.startswith("log ")]
        assert "unavailable for" in text
        live = asked(system, "explain", saga_id)["live"]
        assert live["why"][0].startswith("the log is unavailable for ")
        locker.execute("ROLLBACK")
        locker.close()
        published = len(system.events)
        asked_until(
            system,
            lambda state: state["log_outage"] is None and state["version"] > published,
            "state",
        )


def test_a_saga_is_explained_after_its_launcher_was_killed_and_by_its_file_alone() -> None:
    with RealSystem() as system:
        host = system.start("host", "host", "--spawn-time", "2s")
        log = str(system.directory / "log.sqlite")
        launcher = system.start("launcher", "launcher", "--log", log, *PATIENCE)
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        system.promote("host-1")
        system.wait_for(lambda: len(of_type(system, SagaStarted)) > 2, "saga")
        with stopped(host):
            saga_id = str(of_type(system, SagaStarted)[-1].saga_id)
            launcher.kill()
            assert launcher.wait(WAIT_SECONDS) == -signal.SIGKILL
            assert launcher.stdout is not None
            launcher.stdout.close()
            from_file = lines_of(system, "explain", saga_id, "--log", log)
            assert "  why        only the file was read" in "\n".join(from_file)
            system.start("launcher", "launcher", "--log", log, *PATIENCE)
            story = asked(system, "explain", saga_id)
            assert story["live"]["recovered"] is True
            assert story["live"]["why"] == [
                "host host-1 did not register since this launcher started"
            ]
            assert story["saga"]["trigger"]["type"] == "PoolWindowPromoted"
        system.wait_for(lambda: ended(system, saga_id) is not None, "terminal")
        told = lines_of(system, "explain", saga_id)
        assert told[0] == f"saga {saga_id}  pool_respawn_on_promote  completed"
        assert told[-1].startswith("  ended      ")
        assert ended(system, saga_id).result in told[-1]


def test_an_id_that_was_never_used_is_told_with_those_that_were() -> None:
    with RealSystem() as system:
        system.start("launcher", "launcher")
        done = system.command("diag", "explain", "7")
        assert (done.returncode, done.stderr) == (
            1,
            "muxsaga: saga 7 never began: ids up to 0 were used\n",
        )


def test_thousands_of_questions_under_load_are_all_answered() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "0", "--pool-target", "8")
        system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        stop = threading.Event()
        promotes: list[object] = []

        def promote() -> None:
            while not stop.is_set():
                promotes.append(system.promote("host-1"))

        promoter = threading.Thread(target=promote)
        promoter.start()
        endpoint = Endpoints.in_directory(system.directory).query
        state: dict[str, Any] = {}
        try:
            with zmq.Context() as context, question_socket(context, endpoint) as socket:
                for number in range(QUESTIONS):
                    socket.send(encode(StateQuestion(number=number, sagas=200)))
                    assert socket.poll(20_000), f"question {number} was not answered"
                    [frame] = socket.recv_multipart()
                    answer = decode(frame, family(ANSWERS))
                    assert isinstance(answer, StateAnswer), answer
                    assert answer.number == number
                    state = answer.state
        finally:
            stop.set()
            promoter.join(WAIT_SECONDS)
        assert len(promotes) > 20
        assert state["sagas"]["started"] > 20
