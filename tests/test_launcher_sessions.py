import pytest
from msgspec.structs import replace

from actors.engine import EngineSettings
from tests.launcher_harness import PlayedHost, PlayedLauncher, promote_reports
from transport.codec import MESSAGE_LIMIT, as_map, encode
from transport.frame_fault import FrameFault
from transport.messages import (
    Acknowledge,
    CommandIdentity,
    Goodbye,
    HostLeft,
    HostRegistered,
    InventoryWindow,
    LauncherStopping,
    NotRegistered,
    Ping,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    Refused,
    Register,
    Registered,
    Report,
    ReportActionFailed,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolNotLast,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowClosed,
    ReportWindowOpened,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)


def refusals(host: PlayedHost) -> list[str]:
    return [message.fault for message in host.received if isinstance(message, Refused)]


def test_a_frame_before_register_is_answered_not_registered_and_changes_nothing() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.report(ReportWindowClosed(label="a"))
    assert [type(message) for message in host.received] == [NotRegistered, Refused]
    assert refusals(host) == [FrameFault.NOT_REGISTERED]
    assert launcher.events == []


def test_a_register_of_another_protocol_is_refused_with_both_versions() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.say(Register(protocol=2, host="h", epoch="1" * 32, first_held=1, as_of=0, pool_target=2))
    [refused] = host.received
    assert isinstance(refused, Refused)
    assert refused.fault == FrameFault.WRONG_PROTOCOL
    assert "2" in refused.detail
    assert "1" in refused.detail


def test_a_new_host_is_an_event_and_its_pool_is_filled_at_once() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=2)
    [registered] = launcher.of_type(HostRegistered)
    assert registered.pool_target == 2
    assert isinstance(host.received[0], Registered)
    launcher.advance(0.001)
    assert len(host.commands) == 2


def test_reports_after_a_gap_are_asked_for_once_a_pass_and_not_taken() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    before = len(launcher.events)
    gap = Reports(sequence=host.sequence + 2, reports=[as_map(ReportWindowClosed(label="x"))])
    host.say(gap, gap)
    answers = [message for message in host.received if isinstance(message, Acknowledge)]
    assert answers[-1] == Acknowledge(taken=host.sequence, low_water=3, resend=True)
    assert sum(answer.resend for answer in answers) == 1
    assert len(launcher.events) == before


def test_a_ping_that_names_a_later_report_shows_a_lost_tail() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.say(Ping(last=host.sequence))
    assert host.received[-1] == Acknowledge(taken=host.sequence, low_water=3, resend=False)
    host.say(Ping(last=host.sequence + 1))
    assert host.received[-1] == Acknowledge(taken=host.sequence, low_water=3, resend=True)


def test_a_malformed_report_is_asked_for_once_more_and_then_takes_its_number() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    raw = {**as_map(ReportWindowClosed(label="x")), "label": 7}
    spoiled = Reports(sequence=host.sequence + 1, reports=[raw])
    host.say(spoiled)
    assert host.received[-1] == Acknowledge(taken=host.sequence, low_water=3, resend=True)
    host.say(spoiled)
    assert host.received[-1] == Acknowledge(taken=host.sequence + 1, low_water=3, resend=False)
    assert refusals(host) == [FrameFault.WRONG_TYPE] * 2


def test_a_report_that_is_whole_the_second_time_is_taken() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    good = as_map(ReportPoolWindowRemoved(label=one, reason="died"))
    host.say(Reports(sequence=host.sequence + 1, reports=[{**good, "reason": "bored"}]))
    host.say(Reports(sequence=host.sequence + 1, reports=[good]))
    assert launcher.of_type(PoolWindowRemoved)[0].label == one


def test_reports_that_overlap_what_is_taken_are_out_of_turn() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    raw = [as_map(ReportWindowClosed(label="x"))] * 2
    host.say(Reports(sequence=host.sequence, reports=raw))
    assert refusals(host) == [FrameFault.OUT_OF_TURN]


PROMOTE = promote_reports("LABEL", "promote-1")


@pytest.mark.parametrize(
    "reports",
    [
        PROMOTE[:1],
        PROMOTE[:2],
        PROMOTE[1:],
        (PROMOTE[0], PROMOTE[2]),
        (PROMOTE[1], PROMOTE[0], PROMOTE[2]),
        (PROMOTE[0], ReportPoolWindowPromoted(label="LABEL", promote_id="promote-2"), PROMOTE[2]),
        (*PROMOTE[:2], ReportWindowOpened(label="LABEL", promote_id="promote-2")),
        (*PROMOTE[:2], ReportWindowOpened(label="LABEL", promote_id="promote-1", cold=True)),
        (*PROMOTE, ReportWindowClosed(label="never opened")),
        (ReportPoolWindowRemoved(label="LABEL", reason="promoted"), *PROMOTE[1:]),
        (ReportPoolWindowRemoved(label="LABEL", reason="died", promote_id="promote-1"),),
        (ReportPoolWindowRemoved(label="no such", reason="died"),),
        (ReportPoolWindowAdded(label="LABEL"),),
        (ReportPoolWindowAdded(label="window-" + "1" * 32 + "-99"),),
        (ReportPoolWindowAdded(label=""),),
        (ReportPoolWindowAdded(label="window-" + "2" * 32 + "-9"),),
        (ReportWindowOpened(label="LABEL", promote_id="p", cold=True),),
        (ReportWindowOpened(label="window-" + "1" * 32 + "-99", promote_id="p"),),
        (ReportWindowClosed(label="LABEL"),),
        (ReportPanesReaped(label="LABEL"),),
        (ReportPoolNotLast(label="LABEL"),),
        (ReportActionFailed(reason="none asked"),),
        (ReportPoolDrained(label="LABEL", identity=CommandIdentity("0" * 32, 1, 0)),),
    ],
)
def test_a_frame_that_contradicts_the_mirror_is_refused_whole(reports: tuple[Report, ...]) -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    one = launcher.pool_of(host)[0]
    named = [replace(each, label=one) if labelled(each) else each for each in reports]
    before, pool = len(launcher.events), launcher.pool_of(host)
    host.report(*named)
    assert len(launcher.events) == before
    assert launcher.pool_of(host) == pool
    assert refusals(host) == [FrameFault.CONTRADICTION]
    assert NotRegistered() in host.received
    assert host.received[-1] == Acknowledge(taken=host.sequence, low_water=3, resend=False)


def labelled(report: Report) -> bool:
    return getattr(report, "label", None) == "LABEL"


def test_a_closed_label_never_comes_back() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.report(ReportPoolWindowRemoved(label=one, reason="died"))
    launcher.advance(1.1)
    [command] = host.commands
    host.report(ReportPoolWindowAdded(label=one, identity=command.identity))
    assert refusals(host) == [FrameFault.CONTRADICTION]


def test_a_demoted_window_comes_back_organically_and_may_be_promoted_again() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    host.report(ReportPoolWindowAdded(label=one))
    added = launcher.of_type(PoolWindowAdded)[-1]
    assert (added.label, added.saga_id) == (one, None)
    host.promote(one, "promote-2")
    assert len(launcher.of_type(PoolWindowPromoted)) == 2
    assert refusals(host) == []


def test_a_cold_open_starts_no_saga() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=0)
    host.report(ReportWindowOpened(label=host.new_label(), promote_id="promote-1", cold=True))
    assert launcher.of_type(WindowOpened)[0].cold
    assert launcher.of_type(SagaStarted) == []


def test_the_inventory_of_a_host_that_never_left_adds_what_is_missing_and_removes_ghosts() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, two] = launcher.pool_of(host)
    host.promote(two, "promote-1")
    new = host.new_label()
    started = len(launcher.of_type(SagaStarted))
    host.register(
        inventory=(InventoryWindow(one, "open", None), InventoryWindow(new, "pool", None))
    )
    mirror = launcher.engine.state.mirror.hosts[host.name]
    assert (list(mirror.pool), list(mirror.opened)) == ([new], [one])
    differences = [each for each in launcher.events if getattr(each, "reconciled", False)]
    assert {type(each) for each in differences} == {
        WindowClosed,
        PoolWindowRemoved,
        WindowOpened,
        PoolWindowAdded,
    }
    assert [each.crash_detected for each in differences if isinstance(each, WindowClosed)] == [True]
    assert len(launcher.of_type(SagaStarted)) == started


def test_an_inventory_window_that_a_pending_step_asked_for_completes_its_saga() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=1)
    launcher.advance(0.001)
    [command] = host.commands
    label = host.new_label()
    host.sequence += 1
    host.register(first_held=2, inventory=(InventoryWindow(label, "pool", command.identity),))
    [completed] = launcher.of_type(SagaCompleted)
    assert completed.result == label
    assert launcher.of_type(PoolWindowAdded)[0].reconciled


def test_held_reports_that_join_on_are_taken_before_the_inventory_is_compared() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, two] = launcher.pool_of(host)
    held = Reports(
        sequence=host.sequence + 1,
        reports=[as_map(ReportPoolWindowRemoved(label=one, reason="died"))],
    )
    first = host.sequence + 1
    host.sequence += 1
    before = len(launcher.events)
    host.register(first_held=first, inventory=(InventoryWindow(two, "pool", None),))
    assert len(launcher.events) == before
    host.say(held)
    [removed] = launcher.of_type(PoolWindowRemoved)
    assert not removed.reconciled


def test_an_inventory_in_parts_is_compared_when_it_is_whole() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    labels = [host.new_label() for _ in range(3)]
    parts = [
        Register(
            host=host.name,
            epoch=host.epoch,
            first_held=8,
            as_of=7,
            pool_target=3,
            part=number,
            parts=3,
            inventory=(InventoryWindow(label, "pool", None),),
        )
        for number, label in enumerate(labels, 1)
    ]
    host.say(parts[0])
    host.say(parts[1])
    assert host.received == []
    host.say(parts[2])
    assert launcher.pool_of(host) == labels
    assert isinstance(host.received[0], Registered)
    assert host.received[0].taken == 7


def test_parts_that_do_not_follow_each_other_are_out_of_turn() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.say(
        Register(host="h", epoch="1" * 32, first_held=1, as_of=0, pool_target=1, part=2, parts=2)
    )
    assert refusals(host) == [FrameFault.OUT_OF_TURN]


def test_a_new_epoch_closes_the_old_ones_windows_and_fails_its_sagas() -> None:
    launcher = PlayedLauncher()
    old = launcher.filled_host()
    [one, _] = launcher.pool_of(old)
    old.promote(one, "promote-1")
    new = launcher.host(old.name, "2" * 32)
    new.register()
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "host restarted"
    [closed] = launcher.of_type(WindowClosed)
    assert (closed.label, closed.crash_detected, closed.reconciled) == (one, True, True)
    assert launcher.of_type(HostLeft)[0].reason == "restarted"
    launcher.advance(0.001)
    assert len(new.commands) == 2


def test_a_goodbye_closes_windows_without_crash_and_fails_open_sagas() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    host.say(Goodbye())
    assert launcher.of_type(SagaFailed)[0].reason == "host left"
    assert not launcher.of_type(WindowClosed)[0].crash_detected
    launcher.advance(40)
    assert len(launcher.of_type(SagaStarted)) == 3


def test_a_service_may_only_settle_what_it_serves() -> None:
    launcher = PlayedLauncher()
    service = launcher.host("service")
    service.register(role="service", serves=("SpawnPoolWindow",))
    service.report(ReportWindowClosed(label="a"))
    assert refusals(service) == [FrameFault.WRONG_ROLE]


def test_a_name_keeps_its_role() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    for epoch in (host.epoch, "2" * 32):
        service = launcher.host(host.name, epoch)
        service.sequence = host.sequence
        service.register(role="service", serves=("Draw",))
        assert refusals(service) == [FrameFault.WRONG_ROLE]
    launcher.restart()
    service = launcher.host(host.name, "2" * 32)
    service.register(role="service", serves=("Draw",))
    assert refusals(service) == [FrameFault.WRONG_ROLE]


def test_a_service_that_serves_nothing_is_refused() -> None:
    service = PlayedLauncher().host("service")
    service.register(role="service", serves=())
    assert refusals(service) == [FrameFault.WRONG_ROLE]


def test_a_register_that_holds_reports_it_has_not_made_is_out_of_range() -> None:
    host = PlayedLauncher().host()
    host.register(first_held=7)
    assert refusals(host) == [FrameFault.OUT_OF_RANGE]


def test_a_second_service_for_one_command_type_is_refused() -> None:
    launcher = PlayedLauncher()
    launcher.host("one", "1" * 32).register(role="service", serves=("Draw",))
    second = launcher.host("two", "2" * 32)
    second.register(role="service", serves=("Draw",))
    assert refusals(second) == [FrameFault.SERVICE_TAKEN]


def test_every_pending_step_goes_out_again_after_a_register_and_only_then() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=3)
    for number, label in enumerate(launcher.pool_of(host)):
        host.promote(label, f"promote-{number}")
    sent = [command.identity for command in host.commands]
    host.commands.clear()
    host.say(Ping(last=host.sequence))
    assert host.commands == []
    host.register(
        inventory=tuple(
            InventoryWindow(label, "open", None)
            for label in launcher.engine.state.mirror.hosts[host.name].opened
        )
    )
    assert [command.identity for command in host.commands] == sent


def test_a_stopping_launcher_tells_hosts_finishes_what_is_open_and_starts_no_refill() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    launcher.engine.stop(launcher.now)
    launcher.end_pass()
    assert LauncherStopping() in host.received
    finished = [launcher.engine.finished]
    host.answer_all()
    finished.append(launcher.engine.finished)
    assert finished == [False, True]


def test_a_launcher_that_stops_at_once_fails_what_is_still_open() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.report(*promote_reports(one, "promote-1"))
    launcher.engine.stop(launcher.now)
    launcher.advance(4)
    finished = [launcher.engine.finished]
    launcher.engine.stop_now(launcher.now)
    launcher.end_pass()
    finished.append(launcher.engine.finished)
    assert finished == [False, True]
    assert launcher.of_type(SagaFailed)[0].reason == "launcher shutting down"


def test_a_stopping_launcher_waits_ten_seconds_at_most() -> None:
    launcher = PlayedLauncher(EngineSettings(timeouts={"pool_respawn_on_promote": 60}))
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    launcher.engine.stop(launcher.now)
    launcher.advance(9.9)
    assert launcher.of_type(SagaFailed) == []
    launcher.advance(0.3)
    assert launcher.of_type(SagaFailed)[0].reason == "launcher shutting down"


def test_versions_rise_by_one_over_everything() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    for number in range(20):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.answer_all()
    versions = [event.version for event in launcher.events]
    assert versions == list(range(1, len(versions) + 1))
    ids = [event.saga_id for event in launcher.of_type(SagaStarted)]
    assert ids == list(range(1, 23))


def test_an_unreadable_frame_takes_no_number_and_is_counted() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.say_raw(b"\xc1", encode(Ping(last=host.sequence))[:-1])
    assert launcher.engine.link.faults[FrameFault.NOT_MESSAGEPACK] == 2
    assert launcher.engine.link.peers[host.name].taken == host.sequence


def test_a_promote_that_is_reported_twice_in_one_frame_is_a_contradiction() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    removed, promoted, opened = promote_reports(one, "promote-1")
    host.report(removed, promoted, promoted, opened)
    assert refusals(host) == [FrameFault.CONTRADICTION]
    assert launcher.of_type(PoolWindowPromoted) == []


def test_an_epoch_that_said_goodbye_cannot_register_again() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.say(Goodbye())
    host.register()
    assert refusals(host) == [FrameFault.OUT_OF_TURN]


def test_the_ends_of_very_many_sagas_fit_into_blobs_that_can_be_read() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=40)
    for number in range(6000):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
        host.report(ReportPoolWindowAdded(label=launcher.opened_of(host)[0]))
    host.say(Goodbye())
    assert len(launcher.of_type(SagaFailed)) == 6000
    blobs = launcher.log.reader().blobs_from(1, 10**9)
    assert max(map(len, blobs)) <= MESSAGE_LIMIT


def test_parts_of_different_registrations_do_not_make_one() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    parts = [
        Register(
            host="h", epoch="1" * 32, first_held=1, as_of=0, pool_target=target, part=part, parts=2
        )
        for part, target in ((1, 2), (2, 3))
    ]
    host.say(*parts)
    assert refusals(host) == [FrameFault.OUT_OF_TURN]


def test_what_a_host_said_before_its_connection_ended_is_still_taken() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, two] = launcher.pool_of(host)
    launcher.unreachable.add(host.connection)
    host.report(ReportPoolWindowRemoved(label=one, reason="died"))
    host.report(ReportPoolWindowRemoved(label=two, reason="died"))
    host.say(Goodbye())
    assert len(launcher.of_type(PoolWindowRemoved)) == 2
    assert [event.reason for event in launcher.of_type(HostLeft)] == ["goodbye"]
