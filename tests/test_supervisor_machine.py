import random

import pytest

from actors.supervision.child_spec import (
    NORMAL,
    SECOND,
    SHUTDOWN,
    Backoff,
    ChildSpec,
    ExitKind,
    ExitReason,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.effects import (
    CancelTimer,
    Ended,
    KillChild,
    Ready,
    SetTimer,
    StartChild,
    StopChild,
)
from actors.supervision.intensity import RestartWindow, restart_delay
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_child import ChildCounts, ChildState
from actors.supervision.supervisor_errors import ChildNotFoundError, NotRunningError

A, B = ChildSpec("a", None), ChildSpec("b", None)
CRASHED = ExitReason(ExitKind.CRASHED, "ZeroDivisionError")
AT_ONCE = Backoff()
LONG_BACKOFF = Backoff(first=4.0, cap=10.0, healthy_after=60.0)


def machine(spec: SupervisorSpec, seed: int = 0) -> Supervisor:
    return Supervisor(spec, generator=random.Random(seed))


def running(*children: ChildSpec, backoff: Backoff = AT_ONCE, restarts: int = 99) -> Supervisor:
    spec = SupervisorSpec(children, intensity=Intensity(restarts, 1000.0), backoff=backoff)
    supervisor = machine(spec)
    supervisor.start(0)
    for child in children:
        supervisor.child_started(child.name, 1, 0)
    return supervisor


def test_the_next_child_starts_when_the_one_before_it_has() -> None:
    supervisor = machine(SupervisorSpec((A, B)))
    assert supervisor.start(0) == [StartChild(A, 1)]
    assert supervisor.child_started("a", 1, 5) == [StartChild(B, 1)]
    assert supervisor.child_started("b", 1, 9) == [Ready()]


def test_a_restart_has_the_next_incarnation() -> None:
    assert running(A).child_exited("a", 1, CRASHED, 5) == [StartChild(A, 2)]


def test_the_end_of_an_earlier_incarnation_is_ignored() -> None:
    supervisor = running(A)
    supervisor.child_exited("a", 1, CRASHED, 5)
    assert supervisor.child_exited("a", 1, CRASHED, 6) == []
    assert supervisor.child_started("a", 1, 6) == []
    assert supervisor.start_failed("a", 1, CRASHED, 6) == []
    assert supervisor.child_facts("a", 6).state is ChildState.STARTING


def test_what_is_told_of_an_unknown_child_is_ignored() -> None:
    supervisor = running(A)
    assert supervisor.child_exited("x", 1, CRASHED, 5) == []
    assert supervisor.timer_fired(("no", "such", "timer"), 5) == []


def test_a_stop_sets_the_deadline_and_the_answer_cancels_it() -> None:
    supervisor = running(A)
    told, timer = supervisor.stop(0)
    assert told == StopChild("a", 1)
    assert isinstance(timer, SetTimer)
    assert timer.due == 5 * SECOND
    assert supervisor.child_exited("a", 1, SHUTDOWN, 7) == [CancelTimer(timer.key), Ended(SHUTDOWN)]


def test_a_deadline_kills_once() -> None:
    supervisor = running(A)
    timer = supervisor.stop(0)[1]
    assert isinstance(timer, SetTimer)
    assert supervisor.timer_fired(timer.key, timer.due) == [KillChild("a", 1)]
    assert supervisor.timer_fired(timer.key, timer.due) == []
    assert supervisor.kill(timer.due) == []


def test_no_timer_is_left_when_a_supervisor_is_killed() -> None:
    supervisor = machine(SupervisorSpec((A,), shutdown_total=10.0))
    supervisor.start(0)
    supervisor.child_started("a", 1, 0)
    effects = supervisor.stop(1) + supervisor.kill(2) + supervisor.child_exited("a", 1, NORMAL, 3)
    kept = {effect.key for effect in effects if isinstance(effect, SetTimer)}
    assert kept == {effect.key for effect in effects if isinstance(effect, CancelTimer)}
    assert effects[-1] == Ended(SHUTDOWN)


def test_a_supervisor_that_is_over_does_nothing_more() -> None:
    supervisor = running()
    assert supervisor.stop(0) == [Ended(SHUTDOWN)]
    assert supervisor.stop(1) == supervisor.kill(1) == []
    with pytest.raises(NotRunningError):
        supervisor.start_child(A, 1)


def test_a_supervisor_that_was_not_started_ends_at_once() -> None:
    assert machine(SupervisorSpec((A,))).stop(0) == [Ended(SHUTDOWN)]


def test_a_supervisor_starts_once() -> None:
    supervisor = running(A)
    with pytest.raises(NotRunningError):
        supervisor.start(0)


def test_a_restart_waits_for_its_backoff() -> None:
    supervisor = running(A, backoff=LONG_BACKOFF)
    (timer,) = supervisor.child_exited("a", 1, CRASHED, SECOND)
    assert isinstance(timer, SetTimer)
    assert SECOND < timer.due <= 5 * SECOND
    assert supervisor.child_facts("a", SECOND).due == timer.due
    assert supervisor.timer_fired(timer.key, timer.due - 1) == []
    assert supervisor.timer_fired(timer.key, timer.due) == [StartChild(A, 2)]
    assert supervisor.timer_fired(timer.key, timer.due) == []


def test_the_backoff_doubles_to_its_cap_with_jitter_under_it() -> None:
    for attempt, ceiling in enumerate([4.0, 8.0, 10.0, 10.0], start=1):
        generator = random.Random(attempt)
        delays = [restart_delay(LONG_BACKOFF, attempt, generator) for _ in range(1000)]
        assert 0 <= min(delays) < 0.05 * ceiling * SECOND
        assert 0.95 * ceiling * SECOND < max(delays) <= ceiling * SECOND
    assert restart_delay(LONG_BACKOFF, 1_000_000, random.Random(0)) <= 10 * SECOND


def attempts_after(supervisor: Supervisor, lifetimes: list[int]) -> list[int]:
    """Which restart in a row each is, after lives so long (in seconds)."""
    now, attempts = 0, []
    for number, lifetime in enumerate(lifetimes, start=1):
        now += lifetime * SECOND
        (timer,) = supervisor.child_exited("a", number, CRASHED, now)
        assert isinstance(timer, SetTimer)
        attempts.append(supervisor._table.find("a").attempts)  # noqa: SLF001 - the count behind it
        now = timer.due
        supervisor.timer_fired(timer.key, now)
        supervisor.child_started("a", number + 1, now)
    return attempts


def test_a_child_that_was_healthy_begins_anew_with_its_backoff() -> None:
    supervisor = running(A, backoff=LONG_BACKOFF)
    assert attempts_after(supervisor, [1, 1, 59, 60, 1]) == [1, 2, 3, 1, 2]


def test_a_first_of_zero_restarts_at_once() -> None:
    assert restart_delay(Backoff(), 5, random.Random(0)) == 0


def test_a_round_waits_from_the_crash_and_not_from_the_last_stop() -> None:
    spec = SupervisorSpec((A, B), Strategy.ONE_FOR_ALL, backoff=LONG_BACKOFF)
    supervisor = machine(spec)
    supervisor.start(0)
    supervisor.child_started("a", 1, 0)
    supervisor.child_started("b", 1, 0)
    supervisor.child_exited("a", 1, CRASHED, 0)
    late = 5 * SECOND
    assert supervisor.child_exited("b", 1, SHUTDOWN, late)[1:] == [StartChild(A, 2)]


def test_a_window_counts_what_was_in_its_period() -> None:
    window = RestartWindow(Intensity(2, 1.0))
    assert [window.add(0), window.add(1), window.add(SECOND + 1)] == [False, False, False]
    assert window.within(SECOND + 1) == 2
    assert window.add(SECOND + 1)
    assert window.within(3 * SECOND) == 0


def test_facts_tell_state_incarnation_restarts_and_last_failure() -> None:
    supervisor = running(A, B)
    supervisor.child_exited("a", 1, CRASHED, 1)
    supervisor.child_started("a", 2, 2)
    first, second = supervisor.facts(3)
    assert (first.name, first.state, first.incarnation) == ("a", ChildState.RUNNING, 2)
    assert (first.restarts, first.started_at, first.last_failure) == (1, 2, CRASHED)
    assert (second.restarts, second.last_failure) == (0, None)
    assert supervisor.child_facts("a", 2000 * SECOND).restarts == 0


def test_children_are_counted_as_in_otp() -> None:
    group = ChildSpec("group", SupervisorSpec((A,)))
    ends = ChildSpec("ends", None, restart=Restart.TRANSIENT)
    supervisor = running(A, group, ends)
    supervisor.child_exited("ends", 1, NORMAL, 1)
    assert supervisor.count_children() == ChildCounts(specs=3, active=2, supervisors=1, workers=2)
    assert [(each.name, each.state) for each in supervisor.which_children()] == [
        ("a", ChildState.RUNNING),
        ("group", ChildState.RUNNING),
        ("ends", ChildState.STOPPED),
    ]


def test_the_spec_of_a_child_can_be_asked_for() -> None:
    supervisor = running(A)
    assert supervisor.get_childspec("a") is A
    with pytest.raises(ChildNotFoundError, match="there is no child 'x'"):
        supervisor.get_childspec("x")


def test_giving_up_says_why() -> None:
    (ended,) = running(A, restarts=0).child_exited("a", 1, CRASHED, 1)
    assert isinstance(ended, Ended)
    assert str(ended.reason) == (
        "gave_up: more than 0 restarts in 1000 s, the last of 'a': crashed: ZeroDivisionError"
    )


def test_a_failed_start_says_why() -> None:
    supervisor = machine(SupervisorSpec((A,)))
    supervisor.start(0)
    (ended,) = supervisor.start_failed("a", 1, CRASHED, 1)
    assert isinstance(ended, Ended)
    assert ended.reason.kind is ExitKind.CRASHED
    assert ended.reason.detail == "child 'a' could not be started: crashed: ZeroDivisionError"


def test_a_window_keeps_no_restart_that_is_older_than_its_period() -> None:
    window = RestartWindow(Intensity(restarts=1_000_000, period=1.0))
    for number in range(10_000):
        assert not window.add(number * SECOND // 10)
    assert len(window._times) == 11  # noqa: SLF001 - what it keeps is the point
