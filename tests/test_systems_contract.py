"""What a test can do with a system: the same with a simulated one and with one of processes."""

import re

import pytest

from actors.saga_test_kit import BracketNotSeenError, RefusedError, System

THUMBNAILS = "docs.examples.window_thumbnails"


@pytest.fixture(params=["simulated_system", "process_system"])
def system(request: pytest.FixtureRequest) -> System:
    made: System = request.getfixturevalue(request.param)(extensions=[THUMBNAILS], seed=7)
    return made


def test_users_promote_close_and_demote_and_are_refused(system: System) -> None:
    first, second = system.promote(), system.promote()
    bracket = system.expect_bracket("window_thumbnail", result=second)
    assert getattr(bracket.cause, "label", None) == second
    assert [type(event).__name__ for event in bracket.events][-1] == "ThumbnailNoted"
    assert system.expect_bracket("window_thumbnail").result == first
    system.close(first)
    assert system.expect_bracket("window_cleanup_cascade").result == "not_last"
    system.demote(second)
    with pytest.raises(RefusedError, match="cannot close window"):
        system.close(first)
    with pytest.raises(ValueError, match="'host-2' is no host; there are host-1"):
        system.promote("host-2")
    with pytest.raises(ValueError, match="no saga 'thumbnail'; the system has pool_refill"):
        system.expect_bracket("thumbnail")


def test_what_is_killed_comes_back_and_sagas_go_on(system: System) -> None:
    system.kill("launcher")
    label = system.promote()
    system.expect_bracket("window_thumbnail", result=label)
    system.kill("service")
    label = system.promote()
    system.expect_bracket("window_thumbnail", result=label)
    system.restart("host-1")
    label = system.promote()
    system.expect_bracket("window_thumbnail", result=label)
    system.kill("observer-1")
    with pytest.raises(ValueError, match="no process 'host-2'; there are "):
        system.kill("host-2")


def test_a_link_can_be_cut_broken_and_healed(system: System) -> None:
    system.cut("service", "up")
    label = system.promote()
    with pytest.raises(BracketNotSeenError, match=r"(?s)within 0\.5 .*open: .*TakeThumbnail"):
        system.expect_bracket("window_thumbnail", within=0.5)
    assert [each.name for each in system.open_brackets] == ["window_thumbnail"]
    system.heal("service")
    system.expect_bracket("window_thumbnail", result=label)
    system.break_link("host-1")
    system.cut("host-1")
    label = system.promote()
    with pytest.raises(BracketNotSeenError, match="no window_thumbnail was completed with result"):
        system.expect_bracket("window_thumbnail", result=label, within=0.5)
    system.heal("host-1")
    system.expect_bracket("window_thumbnail", result=label)
    with pytest.raises(ValueError, match="'launcher' is no host or service"):
        system.cut("launcher")


def test_processes_stand_still_logs_are_full_and_hosts_misbehave(system: System) -> None:
    system.suspend("service")
    label = system.promote()
    with pytest.raises(BracketNotSeenError):
        system.expect_bracket("window_thumbnail", within=0.5)
    system.resume("service")
    system.expect_bracket("window_thumbnail", result=label)
    with system.log_outage():
        label = system.promote()
        with pytest.raises(BracketNotSeenError):
            system.expect_bracket("window_thumbnail", result=label, within=0.5)
    system.expect_bracket("window_thumbnail", result=label)
    system.inject("host-1", "creation_failed")
    system.promote()
    failed = system.expect_bracket("pool_respawn_on_promote", reason=re.compile("failed"))
    assert failed.failed
    assert failed.result is None
    with pytest.raises(RefusedError, match="no fault 'rain'"):
        system.inject("host-1", "rain")
