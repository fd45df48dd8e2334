"""Each known failure of the original system, named, and shown to be absent."""

from actors.engine import EngineSettings
from actors.saga_brackets import OVERFLOW, UNREACHABLE
from tests.launcher_harness import LOG_ID, PlayedHost, PlayedLauncher, promote_reports
from transport.codec import as_map, encode
from transport.messages import (
    Acknowledge,
    CommandIdentity,
    Fenced,
    InventoryWindow,
    NotRegistered,
    PoolWindowAdded,
    PoolWindowRemoved,
    Refused,
    ReportActionFailed,
    ReportPoolDrift,
    ReportPoolWindowAdded,
    ReportPoolWindowRemoved,
    Reports,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)


def promoted(launcher: PlayedLauncher, host: PlayedHost, promote_id: str = "promote-1") -> None:
    label = next(iter(launcher.engine.state.mirror.hosts[host.name].pool))
    host.promote(label, promote_id)


def test_a_saga_completes_only_with_the_real_label_of_a_ready_window() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promoted(launcher, host)
    [command] = host.commands
    host.report(ReportPoolWindowAdded(label="", identity=command.identity))
    assert len(launcher.of_type(SagaCompleted)) == 2
    assert isinstance(host.received[-3], Refused)
    label = host.add(command.identity)
    assert launcher.of_type(SagaCompleted)[-1].result == label
    assert list(launcher.engine.state.mirror.hosts["host-1"].pool)[-1] == label
    assert len(launcher.engine.state.mirror.hosts["host-1"].pool) == 2


def test_a_refill_that_is_skipped_says_why_and_does_not_block_later_ones() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promoted(launcher, host)
    [command] = host.commands
    host.commands.clear()
    host.report(ReportActionFailed(reason="memory pressure", identity=command.identity))
    assert launcher.of_type(SagaFailed)[-1].reason == "memory pressure"
    promoted(launcher, host, "promote-2")
    host.answer_all()
    assert command.identity is not None
    assert launcher.of_type(SagaCompleted)[-1].saga_id == command.identity.saga_id + 1


def test_a_bracket_that_overflow_closed_is_not_closed_again_by_its_deadline() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=70)
    launcher.full.add(host.connection)
    for number in range(66):
        promoted(launcher, host, f"promote-{number}")
    [one, two] = launcher.of_type(SagaFailed)
    assert {one.reason, two.reason} == {OVERFLOW}
    launcher.advance(8)
    terminals = [event.saga_id for event in launcher.events if isinstance(event, SagaFailed)]
    assert len(terminals) == len(set(terminals))


def test_a_step_queued_before_its_host_is_reachable_expires_without_any_next_send() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    launcher.unreachable.add(host.connection)
    promoted(launcher, host)
    launcher.advance(5.1)
    assert launcher.of_type(SagaFailed)[0].reason == UNREACHABLE


def test_a_host_that_comes_back_late_does_not_get_the_steps_of_closed_sagas() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    launcher.unreachable.add(host.connection)
    promoted(launcher, host)
    launcher.advance(6)
    launcher.unreachable.clear()
    host.commands.clear()
    host.register(inventory=())
    assert [command.identity for command in host.commands if command.identity is not None] == []


def test_the_late_end_of_an_old_connection_does_not_cut_off_the_new_host() -> None:
    launcher = PlayedLauncher()
    old = launcher.filled_host(epoch="1" * 32)
    new = launcher.host(old.name, "2" * 32)
    new.register()
    assert isinstance(old.received[-1], Fenced)
    old.report(ReportPoolWindowRemoved(label="whatever", reason="died"))
    old.register()
    assert isinstance(old.received[-1], Fenced)
    launcher.advance(0.001)
    assert len(new.answer_all()) == 2
    assert len(launcher.engine.state.mirror.hosts[old.name].pool) == 2


def test_a_host_that_stops_reading_blocks_nobody_else() -> None:
    launcher = PlayedLauncher()
    stuck = launcher.filled_host("stuck", "1" * 32)
    other = launcher.filled_host("other", "2" * 32)
    launcher.full.add(stuck.connection)
    promoted(launcher, stuck, "stuck-1")
    promoted(launcher, other, "other-1")
    other.answer_all()
    assert launcher.of_type(SagaCompleted)[-1].saga_id == launcher.of_type(SagaStarted)[-1].saga_id


def test_a_deadline_is_armed_before_the_step_can_be_sent() -> None:
    launcher = PlayedLauncher(EngineSettings(timeouts={"pool_respawn_on_promote": 2.0}))
    host = launcher.filled_host()
    launcher.full.add(host.connection)
    promoted(launcher, host)
    launcher.advance(1.9)
    assert launcher.of_type(SagaFailed) == []
    launcher.advance(0.2)
    assert launcher.of_type(SagaFailed)[0].reason == UNREACHABLE


def test_a_failed_sagas_step_does_not_stay_pending() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promoted(launcher, host)
    launcher.advance(5.1)
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "saga timeout"
    record = launcher.log.finished_sagas[failed.saga_id]
    assert [step.failure for step in record.closed_steps] == ["saga timeout"]
    assert len(launcher.engine.state.queue_of((host.name, host.epoch))) == len(
        launcher.engine.state.sagas
    )


def test_brackets_are_in_the_replay_ring_in_version_order() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promoted(launcher, host)
    host.answer_all()
    replayed = [
        event
        for blob in launcher.log.reader().blobs_from(1, 10**9)
        for event in launcher._events_in(blob)  # noqa: SLF001 - the harness's own decoding
    ]
    assert replayed == launcher.events
    assert [event.version for event in replayed] == list(range(1, len(replayed) + 1))
    assert sum(isinstance(event, SagaStarted | SagaCompleted) for event in replayed) == 6


def test_a_private_answer_goes_to_nobody_but_its_sender() -> None:
    launcher = PlayedLauncher()
    good, bad = launcher.filled_host("good", "1" * 32), launcher.filled_host("bad", "2" * 32)
    before = list(good.received)
    bad.say_raw(b"\xc1")
    assert isinstance(bad.received[-1], Refused)
    assert good.received == before


def test_drift_is_reported_once_and_repaired_from_the_inventory() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, two] = launcher.engine.state.mirror.hosts["host-1"].pool
    host.report(ReportPoolDrift(at_sequence=host.sequence, missing=(), surplus=(two,)))
    assert isinstance(host.received[-2], NotRegistered)
    from_inventory = launcher.engine.state.mirror.hosts["host-1"]
    host.register(inventory=(InventoryWindow(one, "pool", None),))
    assert list(from_inventory.pool) == [one]
    [removed] = launcher.of_type(PoolWindowRemoved)
    assert (removed.label, removed.reconciled) == (two, True)


def test_an_empty_pool_is_refilled_without_a_promote() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=3)
    launcher.advance(0.001)
    assert len(host.answer_all()) == 3


def test_a_ready_window_that_died_is_replaced_after_a_second() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    label = next(iter(launcher.engine.state.mirror.hosts["host-1"].pool))
    host.report(ReportPoolWindowRemoved(label=label, reason="died"))
    launcher.advance(0.9)
    assert host.commands == []
    launcher.advance(0.2)
    assert len(host.answer_all()) == 1
    assert len(launcher.engine.state.mirror.hosts["host-1"].pool) == 2


def test_an_add_that_comes_after_its_saga_closed_changes_the_mirror_and_no_bracket() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promoted(launcher, host)
    [command] = host.commands
    launcher.advance(5.1)
    terminals = len(launcher.of_type(SagaFailed)) + len(launcher.of_type(SagaCompleted))
    label = host.add(command.identity)
    assert launcher.of_type(PoolWindowAdded)[-1].saga_id is None
    assert label in launcher.engine.state.mirror.hosts["host-1"].pool
    assert terminals == len(launcher.of_type(SagaFailed)) + len(launcher.of_type(SagaCompleted))


def test_a_report_that_names_another_hosts_saga_completes_nothing() -> None:
    launcher = PlayedLauncher()
    one, two = launcher.filled_host("one", "1" * 32), launcher.filled_host("two", "2" * 32)
    promoted(launcher, one)
    [command] = one.commands
    completed = len(launcher.of_type(SagaCompleted))
    two.report(ReportPoolWindowAdded(label=two.new_label(), identity=command.identity))
    assert len(launcher.of_type(SagaCompleted)) == completed
    assert [m.fault for m in two.received if isinstance(m, Refused)] == ["foreign_saga"]
    one.answer_all()
    assert len(launcher.of_type(SagaCompleted)) == completed + 1


def test_a_repeated_report_is_acknowledged_and_makes_no_second_event() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    before = len(launcher.events)
    host.sequence -= 1
    host.report(ReportPoolWindowAdded(label="anything", identity=CommandIdentity(LOG_ID, 1, 0)))
    assert len(launcher.events) == before
    assert isinstance(host.received[-1], Acknowledge)
    assert launcher.engine.link.duplicates == 1


def test_a_host_that_reads_takes_any_number_of_steps_in_one_pass() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=100)
    frames = [
        encode(
            Reports(
                sequence=host.sequence + 1 + 3 * number,
                reports=[as_map(each) for each in promote_reports(label, f"promote-{number}")],
            )
        )
        for number, label in enumerate(launcher.pool_of(host))
    ]
    host.say_raw(*frames)
    assert launcher.of_type(SagaFailed) == []
    assert len(host.commands) == 100
