"""When the pool of a host is refilled: after a second, and later the more often it failed."""

import pytest

from actors.refill_plan import RefillPlan
from actors.timers import SECOND
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.messages import ReportActionFailed, ReportPoolWindowRemoved, SagaStarted


def due_after_failures(times: list[float]) -> list[float]:
    """Give when the next refill is due after each of these failures, in seconds."""
    plan, dues = RefillPlan(), []
    for at in times:
        now = round(at * SECOND)
        plan.failed("left", now)
        due = plan.observe("left", 1, now)
        assert due is not None
        dues.append(due / SECOND)
    return dues


def test_each_attempt_that_fails_doubles_the_time_to_the_next_up_to_thirty_seconds() -> None:
    attempts = [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0]
    assert due_after_failures(attempts) == [1.0, 3.0, 7.0, 15.0, 31.0, 61.0, 91.0]


@pytest.mark.parametrize("together", [2, 64])
def test_failures_while_the_next_attempt_waits_are_one_failed_attempt(together: int) -> None:
    assert due_after_failures([0.0] * together) == [1.0] * together
    assert due_after_failures([0.0, 0.4, 0.9]) == [1.0, 1.0, 1.0]


def test_an_add_makes_the_host_trusted_again() -> None:
    plan = RefillPlan()
    for at in (0, 1, 3):
        plan.failed("left", at * SECOND)
    plan.added("left")
    plan.failed("left", 10 * SECOND)
    assert plan.observe("left", 1, 10 * SECOND) == 11 * SECOND


def fail_all(host: PlayedHost) -> int:
    commands, host.commands = host.commands, []
    for command in commands:
        assert command.identity is not None
        host.report(ReportActionFailed(identity=command.identity, reason="no room"))
    return len(commands)


def test_a_pool_of_which_every_refill_failed_at_once_is_tried_again_after_a_second() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=8)
    for label in launcher.pool_of(host):
        host.report(ReportPoolWindowRemoved(label=label, reason="died"))
    launcher.advance(1.1)
    assert fail_all(host) == 8
    before = len(launcher.of_type(SagaStarted))
    launcher.advance(1.1)
    assert len(launcher.of_type(SagaStarted)) == before + 8
    host.answer_all()
    assert len(launcher.pool_of(host)) == 8
