"""What chaos is going to do: planned from the seed, by profiles that are read strictly."""

from pathlib import Path

import pytest

from actors.chaos.plan import (
    AT_ONCE,
    BOTH_ENDS,
    PROCESS_KINDS,
    WINDOW,
    ChaosKind,
    PlannedFault,
    Rate,
    Targets,
    plan_chaos,
)
from actors.chaos.profile import Promise, parse_profile, profile_names, read_profile
from actors.chaos.run import planned_faults
from actors.process_system.links import LinkName
from actors.profile_files import ProfileError
from transport.fault_proxy import Direction

LINKS = (
    LinkName("host-1", "link"),
    LinkName("host-1", "events"),
    LinkName("witness", "events"),
    LinkName("witness", "query"),
)
TARGETS = Targets(("host-1",), ("observer-1",), LINKS)
RATES = {kind: Rate(12, "0" if kind in AT_ONCE else "200ms-2s") for kind in ChaosKind}


@pytest.mark.parametrize("name", profile_names())
def test_the_same_seed_profile_and_duration_give_the_same_plan_and_others_another(
    name: str,
) -> None:
    profile = read_profile(name)
    plan = planned_faults(7, profile, 60.0)
    assert plan == planned_faults(7, profile, 60.0)
    assert plan != planned_faults(8, profile, 60.0)
    assert plan != planned_faults(7, profile, 59.0)


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize("seconds", [1.0, 10.0, 60.0])
def test_every_plan_has_at_least_what_its_profile_promises(name: str, seconds: float) -> None:
    profile = read_profile(name)
    processes, links = profile.promise.within(seconds)
    for seed in range(50):
        plan = planned_faults(seed, profile, seconds)
        of_processes = sum(fault.kind in PROCESS_KINDS for fault in plan)
        assert of_processes >= processes
        assert len(plan) - of_processes >= links


def test_the_cruel_profile_has_every_kind_and_promises_thirty_of_each_sort_a_minute() -> None:
    profile = read_profile("cruel")
    assert set(profile.faults) == set(ChaosKind)
    assert min(profile.promise.within(60.0)) >= 30


def test_a_plan_is_in_order_within_the_duration_and_lasts_as_the_rates_say() -> None:
    plan = plan_chaos(1, RATES, 60.0, TARGETS)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    assert all(0 <= fault.at <= WINDOW * 60 for fault in plan)
    for kind in ChaosKind:
        lengths = [fault.lasts for fault in plan if fault.kind is kind]
        assert len(lengths) == 12
        assert all(length == 0 if kind in AT_ONCE else 0.2 <= length <= 2 for length in lengths)


def test_faults_are_done_to_what_they_can_be_done_to_and_only_ways_that_carry_something() -> None:
    plan = plan_chaos(2, RATES, 600.0, TARGETS)
    for fault in plan:
        assert (fault.kind in PROCESS_KINDS) == isinstance(fault.target, str)
        assert fault.target in TARGETS.of(fault.kind)
        no_way = fault.kind in PROCESS_KINDS | BOTH_ENDS
        assert (fault.direction is None) == no_way
    ways = {_way(fault) for fault in plan if isinstance(fault.target, LinkName)}
    assert (ChaosKind.SILENCE, "events", Direction.UP) in ways
    assert (ChaosKind.CORRUPT, "events", Direction.DOWN) in ways
    assert (ChaosKind.CORRUPT, "events", Direction.UP) not in ways
    assert (ChaosKind.CORRUPT, "link", Direction.UP) in ways


def _way(fault: PlannedFault) -> tuple[ChaosKind, str, Direction | None]:
    assert isinstance(fault.target, LinkName)
    return fault.kind, fault.target.channel, fault.direction


def test_what_has_nobody_to_be_done_to_is_not_planned() -> None:
    plan = plan_chaos(4, RATES, 60.0, Targets(("host-1",), (), LINKS))
    assert {ChaosKind.KILL_OBSERVER, ChaosKind.STOP_OBSERVER} & {
        each.kind for each in plan
    } == set()


def test_a_promise_is_for_a_minute() -> None:
    assert Promise(30, 45).within(20.0) == (10, 15)
    assert Promise(30, 45).within(1.0) == (0, 0)


TEXT = """
summary = "x"
[system]
hosts = 1
observers = 0
pool_target = 2
spawn_time = "10ms"
[users]
pause = "10ms"
close = 0.2
demote = 0.1
[promise]
process_faults = 1
link_faults = 1
[faults]
kill_host = { per_minute = 6 }
cut = { per_minute = 6, lasts = "100ms-1s" }
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hosts = 1", "hosts = 0", "`int` >= 1"),
        ("kill_host", "kill_everybody", "kill_everybody"),
        ("hosts = 1", "hosts = 1\nhats = 3", "hats"),
        ('"10ms"', '"soon"', "soon"),
        (', lasts = "100ms-1s"', "", "faults.cut needs `lasts`"),
        ("per_minute = 6 }", 'per_minute = 6, lasts = "1s" }', "kill_host happens at once"),
        ("close = 0.2", "close = 0.9", "leave no promotes"),
        ("[system]", "[system", "profile mine.toml: "),
    ],
)
def test_a_wrong_profile_is_refused_by_name(old: str, new: str, said: str) -> None:
    parse_profile(TEXT, "mine.toml")
    with pytest.raises(ProfileError, match=r"^profile mine\.toml: ") as refused:
        parse_profile(TEXT.replace(old, new), "mine.toml")
    assert said in str(refused.value)


def test_a_profile_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="'nasty'; there are breezy, calm, cruel, or a file"):
        read_profile("nasty")
    with pytest.raises(ProfileError, match=r"mine\.toml"):
        read_profile(str(tmp_path / "mine.toml"))
