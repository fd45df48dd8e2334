"""What must be seen between real processes, sockets and signals."""

import signal
from typing import Any

from actors.launcher_extension import known_types, load_launcher_extension
from docs.examples.window_thumbnails import ThumbnailNoted
from tests.real_system import RealSystem
from transport.codec import Codec
from transport.messages import (
    ActionDone,
    HostRegistered,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)

EXAMPLE = "docs.examples.window_thumbnails"


def of_type(system: RealSystem, kind: type[Any]) -> list[Any]:
    return [event for event in system.events if isinstance(event, kind)]


def ended(system: RealSystem, name: str) -> list[Any]:
    """Give the terminals of all sagas of a name."""
    ids = {event.saga_id for event in of_type(system, SagaStarted) if event.name == name}
    terminals = of_type(system, SagaCompleted) + of_type(system, SagaFailed)
    return [event for event in terminals if event.saga_id in ids]


def test_the_example_extension_runs_across_launcher_host_service_and_observer() -> None:
    codec = Codec(known_types([load_launcher_extension(EXAMPLE)]))
    with RealSystem(codec) as system:
        system.start("host", "host", "--spawn-time", "0", "--extension", EXAMPLE)
        system.start("service", "service", "--extension", EXAMPLE)
        system.start("launcher", "launcher", "--extension", EXAMPLE)
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        answer = system.promote("host-1")
        system.wait_for(lambda: bool(ended(system, "window_thumbnail")), "thumbnail")
        assert isinstance(answer, ActionDone)
        [completed] = ended(system, "window_thumbnail")
        assert isinstance(completed, SagaCompleted)
        assert completed.result == answer.label
        assert [event.label for event in of_type(system, ThumbnailNoted)] == [answer.label]


def test_a_refill_that_fails_says_why_and_the_pool_heals_without_another_promote() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "0")
        system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        system.inject("host-1", "creation_failed")
        system.promote("host-1")
        system.wait_for(lambda: bool(of_type(system, SagaFailed)), "failure")
        [failed] = of_type(system, SagaFailed)
        assert failed.reason == "creation failed"
        assert failed in ended(system, "pool_respawn_on_promote")
        assert not system.pool_is_whole("host-1")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "healed pool")
        assert len(of_type(system, PoolWindowPromoted)) == 1
        assert len(ended(system, "pool_refill")) == 3


def test_a_host_that_is_killed_and_started_again_gets_a_new_pool_and_its_brackets_close() -> None:
    with RealSystem() as system:
        host = system.start("host", "host", "--spawn-time", "0")
        system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        system.inject("host-1", "no_answer")
        system.promote("host-1")
        system.wait_for(lambda: bool(of_type(system, PoolWindowPromoted)), "promote")
        host.send_signal(signal.SIGKILL)
        assert host.wait(20) == -signal.SIGKILL
        assert host.stdout is not None
        host.stdout.close()
        system.start("host", "host", "--spawn-time", "0")
        system.wait_for(lambda: len(of_type(system, HostRegistered)) == 2, "second epoch")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "new pool")
        [failed] = of_type(system, SagaFailed)
        assert failed.reason == "host restarted"
        [opened] = of_type(system, WindowOpened)
        [closed] = of_type(system, WindowClosed)
        assert (closed.label, closed.crash_detected) == (opened.label, True)


def test_a_second_host_of_one_id_takes_its_place_and_the_first_exits_fenced() -> None:
    with RealSystem() as system:
        first = system.start("first", "host", "--spawn-time", "0")
        system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        elsewhere = system.directory / "elsewhere"
        elsewhere.mkdir(mode=0o700)
        control = f"ipc://{elsewhere}/control"
        system.start("second", "host", "--spawn-time", "0", "--control", control)
        system.wait_for(lambda: len(of_type(system, HostRegistered)) == 2, "second epoch")
        assert first.wait(20) == 3


def test_a_launcher_that_starts_before_its_hosts_and_one_that_starts_after_are_alike() -> None:
    with RealSystem() as system:
        system.start("launcher", "launcher")
        system.start("host", "host", "--spawn-time", "0", "--host-id", "left")
        system.start("other", "host", "--spawn-time", "0", "--host-id", "right")
        system.wait_for(
            lambda: system.pool_is_whole("left") and system.pool_is_whole("right"), "whole pools"
        )


def test_a_terminated_launcher_closes_what_is_open_and_exits_with_0() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "500ms")
        launcher = system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        system.promote("host-1")
        system.wait_for(lambda: bool(of_type(system, PoolWindowPromoted)), "promote")
        launcher.terminate()
        assert launcher.wait(20) == 0
        system.wait_for(lambda: bool(ended(system, "pool_respawn_on_promote")), "terminal")
        assert of_type(system, SagaFailed) == []
