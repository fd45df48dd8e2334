"""An extension in the simulated world: its saga runs across launcher, host and service."""

from collections.abc import Iterator
from dataclasses import replace as replaced
from typing import Any

import pytest
from msgspec.structs import replace

from actors.launcher_extension import ExtensionError
from actors.saga_rules import rules_of
from actors.simulation.profile import read_profile
from actors.simulation.world import SERVICE, World
from transport.checker import Ending, Invariant, check
from transport.codec import encode
from transport.history_lines import EventLine, HistoryLine, SagaLine, TimeoutsLine
from transport.messages import PromoteWindow

THUMBNAILS = "docs.examples.window_thumbnails"


def world_with_thumbnails() -> World:
    calm = read_profile("calm")
    shape = replace(calm.system, hosts=1, pool_target=1)
    world = World(7, replace(calm, system=shape), [THUMBNAILS])
    world.start()
    return world


def promote(world: World) -> None:
    world.live_hosts["host-1"].control(encode(PromoteWindow(number=1)))
    world.wait(lambda: world.promoted.total() > 0, "a promote")


def told(lines: list[HistoryLine], name: str) -> Iterator[dict[str, Any]]:
    for line in lines:
        if isinstance(line, EventLine) and line.event["type"] == name:
            yield line.event


def whole(world: World) -> list[HistoryLine]:
    world.wait(lambda: world.unrest() is None, "rest")
    return [*world.history, *world.end_lines()]


def violations(world: World, lines: list[HistoryLine]) -> list[tuple[Invariant, str]]:
    rules = rules_of(world.extensions.kinds, world.extensions.codec)
    return [(each.invariant, each.message) for each in check(lines, rules)]


def test_an_extensions_saga_goes_through_service_host_and_launcher() -> None:
    world = world_with_thumbnails()
    promote(world)
    lines = whole(world)
    assert len(list(told(lines, "ThumbnailNoted"))) == 1
    assert violations(world, lines) == []
    assert world.complaints == []
    [timeouts] = [line for line in lines if isinstance(line, TimeoutsLine)]
    assert timeouts.seconds["window_thumbnail"] == 10.0


def test_a_saga_waits_for_the_next_life_of_a_killed_service() -> None:
    world = world_with_thumbnails()
    world.kill_service(SERVICE)
    promote(world)
    world.pass_time(1_000_000_000)
    assert world.unrest() == "sagas [3] are open"
    world.start_service(SERVICE)
    lines = whole(world)
    [saga] = [each for each in lines if isinstance(each, SagaLine) and each.saga_id == 3]
    assert (saga.name, saga.state) == ("window_thumbnail", "completed")
    assert violations(world, lines) == []


def test_a_service_sees_the_end_of_the_launcher_and_comes_back_at_once() -> None:
    world = world_with_thumbnails()
    world.kill_launcher()
    world.pass_time(500_000_000)
    world.start_launcher()
    promote(world)
    world.pass_time(1_000_000_000)
    assert len(list(told(world.history, "ThumbnailNoted"))) == 1
    assert violations(world, whole(world)) == []


def test_a_saga_that_a_service_keeps_waiting_is_not_its_hosts() -> None:
    world = world_with_thumbnails()
    world.links[SERVICE].down.held = True
    promote(world)
    world.pass_time(10_100_000_000)
    world.links[SERVICE].down.held = False
    lines = whole(world)
    [failed] = told(lines, "SagaFailed")
    assert failed["reason"] == "saga timeout"
    assert violations(world, lines) == []


def test_a_service_that_is_gone_is_no_rest() -> None:
    world = world_with_thumbnails()
    world.wait(lambda: world.unrest() is None, "rest")
    world.kill_service(SERVICE)
    assert world.unrest() == "service is not registered"


def test_an_extensions_trigger_that_started_nothing_is_a_violation() -> None:
    world = world_with_thumbnails()
    promote(world)
    lines = [
        line
        for line in whole(world)
        if not (isinstance(line, SagaLine) and line.name == "window_thumbnail")
        and not (isinstance(line, EventLine) and line.event.get("name") == "window_thumbnail")
    ]
    [opened] = told(lines, "WindowOpened")
    said = f"version {opened['version']} started no window_thumbnail"
    assert (Invariant.BRACKETS, said) in violations(world, lines)


def test_two_sagas_of_one_trigger_are_both_awaited_by_the_checker() -> None:
    world = world_with_thumbnails()
    promote(world)
    rules = rules_of(world.extensions.kinds, world.extensions.codec)
    [mine] = [trigger for trigger in rules.triggers if trigger.saga == "window_thumbnail"]
    twice = replaced(rules, triggers=(*rules.triggers, replaced(mine, saga="another")))
    lines = whole(world)
    [opened] = told(lines, "WindowOpened")
    found = [each.message for each in check(lines, twice)]
    assert found == [f"version {opened['version']} started no another"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("ThumbnailTaken", "ThumbnailShown", "ThumbnailNoted"), []),
        (("ThumbnailTaken", "ThumbnailNoted"), ["not ThumbnailTaken, ThumbnailNoted"]),
    ],
)
def test_what_a_saga_was_given_before_its_end_is_judged(
    given: tuple[str, ...], said: list[str]
) -> None:
    world = world_with_thumbnails()
    promote(world)
    lines = whole(world)
    ending = Ending("window_thumbnail", None, given)
    rules = rules_of(world.extensions.kinds, world.extensions.codec, [ending])
    found = [each.message for each in check(lines, rules)]
    assert [message[message.index("not ") :] for message in found] == said


def test_an_extension_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ExtensionError, match=r"'no\.such\.module' cannot be imported"):
        World(1, read_profile("calm"), ["no.such.module"])
