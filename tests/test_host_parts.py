import random

import msgspec
import pytest

from host_sim.due_work import DueWork
from host_sim.extension import ActionError, HostExtensionError, carry_out, load_handlers
from host_sim.faults import Fault, FaultError, FaultScript
from host_sim.idempotency import Outcomes, Standing
from host_sim.spawn_time import Fixed, Normal, SpawnTimeError, Uniform, parse_spawn_time
from host_sim.window import Happening, IllegalTransitionError, Window, WindowState, next_state
from host_sim.windows import HostWindows
from transport.host_session import LowWater, NumberedFrame
from transport.messages import (
    Command,
    CommandIdentity,
    ReapPanes,
    Report,
    ReportActionFailed,
    ReportPanesReaped,
)

LOG = "1" * 32
MS = 1_000_000

LEGAL = {
    (WindowState.CREATING, Happening.BECAME_READY): WindowState.READY,
    (WindowState.READY, Happening.ADDED): WindowState.POOLED,
    (WindowState.READY, Happening.SHOWN): WindowState.PROMOTED,
    (WindowState.POOLED, Happening.SHOWN): WindowState.PROMOTED,
    (WindowState.PROMOTED, Happening.DEMOTED): WindowState.POOLED,
    (WindowState.PROMOTED, Happening.USER_CLOSED): WindowState.CLOSING,
    (WindowState.CLOSING, Happening.REAPED): WindowState.CLOSED,
    **{
        (state, Happening.DISCARDED): WindowState.CLOSED
        for state in (WindowState.CREATING, WindowState.READY, WindowState.POOLED)
    },
    **{
        (state, Happening.CRASHED): WindowState.CRASHED
        for state in WindowState
        if state not in {WindowState.CLOSED, WindowState.CRASHED}
    },
}


@pytest.mark.parametrize("state", WindowState)
@pytest.mark.parametrize("happening", Happening)
def test_a_window_goes_only_where_its_life_can_lead(
    state: WindowState, happening: Happening
) -> None:
    following = LEGAL.get((state, happening))
    if following is not None:
        assert next_state(state, happening) is following
        return
    with pytest.raises(IllegalTransitionError) as caught:
        next_state(state, happening)
    assert state.value in str(caught.value)
    assert happening.value in str(caught.value)


def test_the_windows_of_a_pool_are_promoted_oldest_first_and_labels_leave_no_hole() -> None:
    changes: list[tuple[str, bool]] = []
    windows = HostWindows("e" * 32, 2, lambda label, in_pool: changes.append((label, in_pool)))
    for _ in range(2):
        window = Window()
        windows.name(window)
        windows.add_to_pool(window)
    first, second = list(windows.pooled)
    assert (first[-1], second[-1]) == ("1", "2")
    assert windows.promote() is windows.opened[first]
    windows.demote(first)
    assert list(windows.pooled) == [second, first]
    assert changes == [(first, True), (second, True), (first, False), (first, True)]
    assert windows.where(first) == "in the pool"
    assert windows.where("window-nonsense") == "unknown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Fixed(0)),
        ("200ms", Fixed(200 * MS)),
        ("1.5s", Fixed(1500 * MS)),
        ("250us", Fixed(250_000)),
        ("150ms-300ms", Uniform(150 * MS, 300 * MS)),
        ("0-1s", Uniform(0, 1000 * MS)),
        ("normal:200ms,30ms", Normal(200 * MS, 30 * MS)),
    ],
)
def test_a_spawn_time_is_read_from_text(text: str, expected: object) -> None:
    assert parse_spawn_time(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no duration"),
        ("200", "write a number and us, ms or s"),
        ("-5ms", "is no duration"),
        ("300ms-150ms", "must not be the longer one"),
        ("normal:200ms", "normal:MEAN,DEVIATION"),
        ("poisson:1s,1s", "only named distribution"),
    ],
)
def test_a_wrong_spawn_time_is_refused_with_a_clear_error(text: str, complaint: str) -> None:
    with pytest.raises(SpawnTimeError, match=complaint):
        parse_spawn_time(text)


def test_spawn_times_stay_in_their_bounds() -> None:
    generator = random.Random(1)
    uniform, wild = Uniform(5, 9), Normal(0, 10)
    assert {uniform.draw(generator) for _ in range(200)} == {5, 6, 7, 8, 9}
    assert min(wild.draw(generator) for _ in range(200)) == 0


def test_an_outcome_is_kept_until_the_mark_passes_its_saga() -> None:
    outcomes = Outcomes()
    identity, frame = CommandIdentity(LOG, 5, 0), NumberedFrame(1, 1, b"frame")
    assert outcomes.begin(identity) is Standing.NEW
    assert outcomes.begin(identity) is Standing.IN_PROGRESS
    outcomes.settle(identity, frame)
    assert outcomes.begin(identity) is Standing.SETTLED
    assert outcomes.frame_of(identity) is frame
    outcomes.forget_below(LowWater(LOG, 5))
    assert outcomes.begin(identity) is Standing.SETTLED
    outcomes.forget_below(LowWater(LOG, 6))
    assert len(outcomes) == 0
    assert outcomes.begin(identity) is Standing.BELOW_MARK
    outcomes.settle(identity, frame)
    assert outcomes.frame_of(identity) is None


def test_a_mark_counts_for_its_own_log_and_never_goes_back() -> None:
    outcomes = Outcomes()
    outcomes.forget_below(LowWater(LOG, 9))
    outcomes.forget_below(LowWater(LOG, 3))
    assert outcomes.begin(CommandIdentity(LOG, 8, 0)) is Standing.BELOW_MARK
    assert outcomes.begin(CommandIdentity("2" * 32, 8, 0)) is Standing.NEW
    assert outcomes.begin(CommandIdentity(LOG, 9, 1)) is Standing.NEW


def test_a_fault_strikes_as_often_as_it_was_told_to() -> None:
    faults = FaultScript({"memory_pressure": 2})
    assert [faults.strikes(Fault.MEMORY_PRESSURE) for _ in range(3)] == [True, True, False]
    faults.set("quitting", 5)
    assert faults.counts() == {"quitting": 5}
    faults.set("quitting", 0)
    assert not faults.is_set(Fault.QUITTING)


def test_an_unknown_fault_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(FaultError, match="no fault 'sulking'; there are creation_failed"):
        FaultScript({"sulking": 1})
    with pytest.raises(FaultError, match="-1 times"):
        FaultScript({"quitting": -1})


def test_due_work_comes_in_order_of_time_and_then_of_arrival() -> None:
    work: DueWork[str] = DueWork()
    for due, item in ((5, "b"), (3, "a"), (5, "c"), (9, "d")):
        work.add(due, item)
    assert work.next_due == 3
    assert work.take(lambda item: item == "d") == ["d"]
    assert [work.pop_due(5), work.pop_due(5), work.pop_due(5), work.pop_due(99)] == [
        "a",
        "b",
        "c",
        None,
    ]


COMMAND = ReapPanes(identity=CommandIdentity(LOG, 1, 0), label="w")


def test_the_identity_goes_into_the_one_report_that_settles() -> None:
    outcome = ReportPanesReaped(label="w")
    other = ReportActionFailed(reason="beside the point")
    reports = carry_out(lambda _: [other, outcome], COMMAND)
    assert reports == [other, msgspec.structs.replace(outcome, identity=COMMAND.identity)]


def raise_action_error(_: Command) -> list[Report]:
    msg = "no hands"
    raise ActionError(msg)


def raise_bug(command: Command) -> list[Report]:
    raise KeyError(command.identity)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (None, "unknown command ReapPanes"),
        (raise_action_error, "no hands"),
        (raise_bug, "handler of ReapPanes: KeyError"),
        (lambda _: [], "0 of the 0 things it gave are outcomes"),
        (lambda _: [ReportPanesReaped(label="w")] * 2, "2 of the 2 things it gave are outcomes"),
    ],
)
def test_a_command_is_settled_whatever_its_handler_does(handler: object, reason: str) -> None:
    (report,) = carry_out(handler, COMMAND)  # type: ignore[arg-type]
    assert isinstance(report, ReportActionFailed)
    assert report.identity == COMMAND.identity
    assert reason in report.reason


def test_an_extension_that_cannot_be_used_is_refused_by_name() -> None:
    with pytest.raises(HostExtensionError, match="'no_such_module_at_all' cannot be imported"):
        load_handlers(["no_such_module_at_all"], "HOST")
    with pytest.raises(HostExtensionError, match="'json' must export MESSAGES"):
        load_handlers(["json"], "SERVICE")
