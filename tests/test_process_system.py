"""The whole system of real processes that chaos and users' tests run from Python."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.process_system import ProcessSystem, ProcessSystemError, ProcessSystemSettings
from actors.process_system.log_outage import LogOutage
from actors.process_system.quiet import last_version
from transport.fault_proxy import FaultKind
from transport.history import read_history
from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostEndLine,
    HostLine,
    LogLine,
    OutageLine,
    ProcessLine,
    SagaLine,
    TimeoutsLine,
)
from transport.messages import PromoteWindow, SagaCompleted, SagaStarted, WindowOpened

THUMBNAILS = "docs.examples.window_thumbnails"


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="muxsaga-") as path:
        yield Path(path)


def opened(system: ProcessSystem) -> set[str]:
    return {each.label for each in system.events if isinstance(each, WindowOpened)}


def what_became_of(name: str, lines: list[HistoryLine]) -> list[str]:
    return [line.did for line in lines if isinstance(line, ProcessLine) and line.name == name]


def test_what_is_killed_comes_back_and_the_whole_history_is_sound(directory: Path) -> None:
    with ProcessSystem(directory, ProcessSystemSettings(observers=1)) as system:
        pids = {name: system.processes.pid(name) for name in system.names}
        system.close("host-1", system.promote("host-1"))
        for name in ("launcher", "host-2", "observer-1"):
            system.kill(name)
        for name in ("launcher", "host-2", "observer-1"):
            system.wait_until_ready(name)
            assert system.processes.pid(name) != pids[name]
        system.suspend("host-1")
        before = len(opened(system))
        system.ask("host-1", PromoteWindow)
        system.resume("host-1")
        system.wait_for(lambda: len(opened(system)) > before, "the promote to be told")
        with system.log_outage():
            label = system.promote("host-2")
            assert label not in opened(system)
        system.wait_for(lambda: label in opened(system), "the promote to be told")
        lines = list(read_history(system.end()))
    assert system.trouble() == []
    assert system.violations() == []
    assert what_became_of("launcher", lines) == ["started", "killed", "started", "ended"]
    assert what_became_of("host-1", lines) == ["started", "stopped", "continued", "ended"]
    kinds = {type(line) for line in lines}
    assert kinds == {
        *(EventLine, HostLine, HostEndLine, ProcessLine),
        *(TimeoutsLine, OutageLine, SagaLine, LogLine),
    }
    assert {line.observer for line in lines if isinstance(line, EventLine)} == {
        "witness",
        "observer-1",
    }
    epochs = {line.epoch for line in lines if isinstance(line, HostLine) and line.host == "host-2"}
    assert len(epochs) == 2


def test_an_extension_and_its_service_run_and_times_may_be_others(directory: Path) -> None:
    settings = ProcessSystemSettings(
        hosts=1, extensions=(THUMBNAILS,), timeouts={"window_thumbnail": 7.5}
    )
    with ProcessSystem(directory, settings) as system:
        system.promote("host-1")
        system.kill("service")
        system.wait_for(
            lambda: any(
                isinstance(each, SagaStarted) and each.name == "window_thumbnail"
                for each in system.events
            ),
            "a thumbnail's saga",
        )
        assert system.settle(20)
        lines = list(read_history(system.end()))
    assert [each for each in system.events if isinstance(each, SagaCompleted)]
    assert system.violations() == []
    seconds = next(line.seconds for line in lines if isinstance(line, TimeoutsLine))
    assert seconds["window_thumbnail"] == 7.5
    assert {line.host for line in lines if isinstance(line, HostLine)} == {"host-1", "service"}


def test_what_cannot_be_done_or_does_not_come_says_why_and_no_process_is_left(
    directory: Path,
) -> None:
    pids: list[int | None] = []

    def wait_for_the_moon() -> None:
        with ProcessSystem(directory, ProcessSystemSettings(hosts=1)) as system:
            pids.extend(system.processes.pid(name) for name in system.names)
            with pytest.raises(ProcessSystemError, match=r"'host-7'; there are host-1, launcher"):
                system.kill("host-7")
            with pytest.raises(ProcessSystemError, match=r"cannot be resumed: it is ready"):
                system.resume("launcher")
            with pytest.raises(ProcessSystemError, match=r"refused CloseWindow: .*nowhere"):
                system.close("host-1", "nowhere")
            with pytest.raises(ProcessSystemError, match=r"has not ended"):
                system.violations()
            system.suspend("host-1")
            system.wait_for(lambda: False, "the moon", 0.1)

    with pytest.raises(ProcessSystemError, match=r"waited 0.1 s for the moon; .*launcher ready"):
        wait_for_the_moon()
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_process_that_cannot_start_ends_the_start_and_says_why(directory: Path) -> None:
    (directory / "log.sqlite").write_text("no log " * 200)
    with (
        pytest.raises(ProcessSystemError, match=r"launcher could not start: .*log.sqlite"),
        ProcessSystem(directory, ProcessSystemSettings(hosts=1)),
    ):
        pass


def test_a_log_whose_lock_another_has_is_not_out_yet(directory: Path) -> None:
    first, second = (LogOutage(directory / "log.sqlite") for _ in range(2))
    assert first.begin() is None, "there is no log"
    (directory / "log.sqlite").touch()
    assert first.begin() is not None
    assert second.begin() is None
    assert first.end() is not None
    assert second.begin() is not None
    assert first.end() is None
    assert second.end() is not None


def test_the_last_version_is_that_of_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "observer.jsonl"
    path.write_bytes(b"")
    assert last_version(path) == 0
    path.write_bytes(b'{"kind":"event","event":{"version":7}}\n{"kind":"event","eve')
    assert last_version(path) == 7
    path.write_bytes(b'{"kind":"truncated","before":12}\n')
    assert last_version(path) == 11


def test_a_link_that_is_cut_concerns_its_host_alone_until_it_heals(directory: Path) -> None:
    with ProcessSystem(directory, ProcessSystemSettings(relayed=True)) as system:
        with pytest.raises(ProcessSystemError, match=r"no relay in host-1 query; .*host-1 link"):
            system.relay("host-1", "query")
        relay = system.relay("host-1", "link")
        relay.cut()
        cut_off, told = system.promote("host-1"), system.promote("host-2")
        system.wait_for(lambda: told in opened(system), "what host-2 did")
        assert cut_off not in opened(system)
        relay.heal()
        system.wait_for(lambda: cut_off in opened(system), "what host-1 did")
    assert relay.counts == {FaultKind.CUT: 1}
    assert system.violations() == []


def test_what_has_not_come_to_its_end_is_told(directory: Path) -> None:
    with ProcessSystem(directory, ProcessSystemSettings(hosts=1, spawn_time="700ms")) as system:
        system.promote("host-1")
        system.end(settle_seconds=0.1)
    assert [each for each in system.trouble() if "not everything came to its end: " in each]
