"""A saga whose actor crashed is made anew from its input and its events, within its budget."""

from itertools import count

import pytest

from actors.engine import EngineSettings
from actors.saga import Saga
from actors.saga_actor import Turn
from actors.saga_children import BUDGET
from actors.sagas import PoolRespawnOnPromote, WindowCleanupCascade
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.messages import (
    DrainPoolIfLast,
    PanesReaped,
    ReapPanes,
    ReportPanesReaped,
    ReportPoolNotLast,
    ReportWindowClosed,
    SagaCompleted,
    SagaFailed,
)


class InjectedCrashError(RuntimeError):
    """Made by a test."""


def launcher_that_crashes(*at_turns: int) -> tuple[PlayedLauncher, PlayedHost]:
    """Give a launcher with a full pool; sagas crash at those turns from now on (the next is 1)."""
    turn = count(1)
    begun = False

    def before_turn(saga: Saga, message: Turn) -> None:
        if begun and next(turn) in at_turns:
            msg = "injected"
            raise InjectedCrashError(msg)

    launcher = PlayedLauncher(EngineSettings(before_saga_turn=before_turn))
    host = launcher.filled_host()
    begun = True
    return launcher, host


def close_first(launcher: PlayedLauncher, host: PlayedHost) -> str:
    label = launcher.opened_of(host)[0]
    host.report(ReportWindowClosed(label=label))
    return label


@pytest.mark.parametrize("turns", [(1,), (1, 2), (2,), (1, 3), (1, 2, 3)])
def test_a_promote_whose_saga_crashes_within_its_budget_completes_once(
    turns: tuple[int, ...],
) -> None:
    launcher, host = launcher_that_crashes(*turns)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    [command] = host.commands
    [label] = host.answer_all()
    assert launcher.of_type(SagaFailed) == []
    assert command.identity is not None
    completed = [
        event.result
        for event in launcher.of_type(SagaCompleted)
        if event.saga_id == command.identity.saga_id
    ]
    assert completed == [label]
    assert host.commands == []


def test_a_saga_that_crashes_once_too_often_fails_with_the_exceptions_summary() -> None:
    launcher, host = launcher_that_crashes(*range(1, BUDGET.restarts + 2))
    host.promote(launcher.pool_of(host)[0], "promote-1")
    [failed] = launcher.of_type(SagaFailed)
    assert (
        failed.reason == "saga actor crashed: tests.test_saga_rebuild.InjectedCrashError: injected"
    )
    assert host.commands == []


def test_a_rebuilt_saga_goes_on_where_it_was_and_sends_nothing_again() -> None:
    launcher, host = launcher_that_crashes(3)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    label = close_first(launcher, host)
    [spawn, reap] = host.commands
    assert isinstance(reap, ReapPanes)
    host.commands.clear()
    host.report(ReportPanesReaped(label=label, identity=reap.identity))
    assert launcher.engine.view.status()["actors"]["crashed"] == 1
    [drain] = host.commands
    assert isinstance(drain, DrainPoolIfLast)
    host.report(ReportPoolNotLast(label=label, identity=drain.identity))
    assert launcher.of_type(SagaCompleted)[-1].result == "not_last"
    assert spawn.identity is not None


def test_the_event_that_crashed_a_saga_is_fed_to_it_again() -> None:
    launcher, host = launcher_that_crashes(3)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    label = close_first(launcher, host)
    reap = host.commands[-1]
    host.report(ReportPanesReaped(label=label, identity=reap.identity))
    assert [event.label for event in launcher.of_type(PanesReaped)] == [label]
    assert isinstance(host.commands[-1], DrainPoolIfLast)


def test_a_saga_whose_replay_does_something_else_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher, host = launcher_that_crashes(2)
    host.promote(launcher.pool_of(host)[0], "promote-1")

    def other_start(_saga: Saga, _context: object) -> object:
        return WindowCleanupCascade("elsewhere").start(_context)  # type: ignore[arg-type]

    monkeypatch.setattr(PoolRespawnOnPromote, "start", other_start)
    host.answer_all()
    [failed] = launcher.of_type(SagaFailed)
    assert "ReplayDisagreementError: step 0 was another command than ReapPanes" in failed.reason


def test_a_saga_that_cannot_be_made_from_its_input_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher, host = launcher_that_crashes(2)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    monkeypatch.setattr(PoolRespawnOnPromote, "__init__", lambda _saga: None)
    host.answer_all()
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason.startswith("saga cannot be made anew: TypeError")
