"""The seven tests of the document that muxsaga came from, by their behaviour."""

from actors.saga import Done, IssueCmd, SagaContext, Target, Wait
from actors.sagas import PoolRespawnOnPromote
from tests.launcher_harness import PlayedLauncher
from transport.messages import (
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    SagaCompleted,
    SagaStarted,
    SpawnPoolWindow,
    WindowOpened,
)

SEVEN = SagaContext(saga_id=7, host="host-1")


def started() -> PoolRespawnOnPromote:
    saga = PoolRespawnOnPromote("window-pool-abc")
    saga.start(SEVEN)
    return saga


def test_start_issues_spawn_pool_window_to_the_host() -> None:
    action = PoolRespawnOnPromote("window-pool-abc").start(SEVEN)
    assert action == IssueCmd(Target.HOST, SpawnPoolWindow())


def test_an_add_with_its_own_id_completes_the_saga_and_is_its_result() -> None:
    saga = started()
    assert saga.on_event(PoolWindowAdded(label="xyz", saga_id=7, version=100), SEVEN) == Done("xyz")
    assert saga.refilled_label == "xyz"


def test_an_organic_add_does_not_complete_the_saga() -> None:
    saga = started()
    assert saga.on_event(PoolWindowAdded(label="organic", version=100), SEVEN) == Wait()
    assert saga.refilled_label is None


def test_an_add_with_another_sagas_id_does_not_complete_the_saga() -> None:
    saga = started()
    assert saga.on_event(PoolWindowAdded(label="sibling", saga_id=8), SEVEN) == Wait()
    assert saga.refilled_label is None


def test_unrelated_events_keep_the_saga_waiting() -> None:
    saga = started()
    for event in (
        WindowOpened(label="main", promote_id="p"),
        PoolWindowRemoved(label="window-pool-abc", reason="promoted", promote_id="p"),
        PoolWindowPromoted(label="window-pool-other", promote_id="q"),
        PoolWindowPromoted(label="window-pool-abc", promote_id="p", saga_id=7),
    ):
        assert saga.on_event(event, SEVEN) == Wait()
    assert saga.refilled_label is None


def test_the_first_add_of_its_own_wins() -> None:
    saga = started()
    saga.on_event(PoolWindowAdded(label="first", saga_id=7), SEVEN)
    assert saga.on_event(PoolWindowAdded(label="second", saga_id=7), SEVEN) == Wait()
    assert saga.refilled_label == "first"


def test_the_coordinator_brackets_a_promote_with_started_and_completed() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.engine.state.mirror.hosts["host-1"].pool
    launcher.events.clear()
    host.promote(one, "promote-1")
    [start] = launcher.of_type(SagaStarted)
    [promoted] = launcher.of_type(PoolWindowPromoted)
    assert (start.name, start.cause) == ("pool_respawn_on_promote", promoted.version)
    assert launcher.of_type(SagaCompleted) == []
    [refilled] = host.answer_all()
    [end] = launcher.of_type(SagaCompleted)
    assert (end.saga_id, end.result) == (start.saga_id, refilled)
