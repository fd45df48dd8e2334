from msgspec.structs import replace

from actors.challenges import OPEN_LIMIT, Challenges
from actors.engine import EngineSettings
from tests.launcher_harness import PlayedLauncher, promote_reports
from transport.codec import as_map
from transport.frame_fault import FrameFault
from transport.messages import (
    Fenced,
    Goodbye,
    HostLeft,
    InventoryWindow,
    LauncherStopping,
    NotRegistered,
    Ping,
    PoolWindowAdded,
    PoolWindowRemoved,
    Refused,
    Register,
    RegisterAgain,
    Registered,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowClosed,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)


def test_a_frame_before_register_is_answered_not_registered_and_changes_nothing() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.report(ReportWindowClosed(label="a"))
    assert [type(message) for message in host.received] == [NotRegistered, Refused]
    assert host.refusals() == [FrameFault.NOT_REGISTERED]
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
    assert host.refusals() == [FrameFault.OUT_OF_TURN]


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
    assert service.refusals() == [FrameFault.WRONG_ROLE]


def test_a_name_keeps_its_role() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    for epoch in (host.epoch, "2" * 32):
        service = launcher.host(host.name, epoch)
        service.sequence = host.sequence
        service.register(role="service", serves=("Draw",))
        assert service.refusals() == [FrameFault.WRONG_ROLE]
    launcher.restart()
    service = launcher.host(host.name, "2" * 32)
    service.register(role="service", serves=("Draw",))
    assert service.refusals() == [FrameFault.WRONG_ROLE]


def test_a_service_that_serves_nothing_is_refused() -> None:
    service = PlayedLauncher().host("service")
    service.register(role="service", serves=())
    assert service.refusals() == [FrameFault.WRONG_ROLE]


def test_a_register_that_holds_reports_it_has_not_made_is_out_of_range() -> None:
    host = PlayedLauncher().host()
    host.register(first_held=7)
    assert host.refusals() == [FrameFault.OUT_OF_RANGE]


def test_a_second_service_for_one_command_type_is_refused() -> None:
    launcher = PlayedLauncher()
    launcher.host("one", "1" * 32).register(role="service", serves=("Draw",))
    second = launcher.host("two", "2" * 32)
    second.register(role="service", serves=("Draw",))
    assert second.refusals() == [FrameFault.SERVICE_TAKEN]


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


def test_an_epoch_that_said_goodbye_cannot_register_again() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.say(Goodbye())
    host.register()
    assert host.refusals() == [FrameFault.OUT_OF_TURN]


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
    assert host.refusals() == [FrameFault.OUT_OF_TURN]


def test_after_a_restart_an_earlier_epoch_of_a_service_is_fenced_as_a_hosts_is() -> None:
    launcher = PlayedLauncher()
    earlier = launcher.host("painter", "1" * 32)
    earlier.register(role="service", serves=("Draw",))
    launcher.restart()
    later = launcher.host("painter", "2" * 32)
    later.register(role="service", serves=("Draw",))
    launcher.restart()
    earlier.register(role="service", serves=("Draw",))
    assert isinstance(earlier.received[-1], Fenced)
    later.register(role="service", serves=("Draw",))
    assert isinstance(later.received[-1], Registered)
    assert launcher.engine.state.services == {"Draw": ("painter", later.epoch)}


def test_a_new_epoch_takes_a_living_one_s_place_once_it_has_shown_that_it_lives() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host("host-1", "1" * 32)
    successor = launcher.host("host-1", "2" * 32)
    register = Register(host="host-1", epoch="2" * 32, first_held=1, as_of=0, pool_target=2)
    successor.say(register)
    [asked] = successor.received
    assert isinstance(asked, RegisterAgain)
    assert launcher.engine.link.peers["host-1"].epoch == "1" * 32
    successor.say(replace(register, confirms=asked.token))
    assert isinstance(successor.received[-1], Registered)
    assert launcher.engine.link.peers["host-1"].epoch == "2" * 32


def test_what_a_dead_process_said_before_it_died_fences_nobody_however_late_it_is_read() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host("host-1", "1" * 32)
    dead, living = launcher.host("host-1", "2" * 32), launcher.host("host-1", "3" * 32)
    register = Register(host="host-1", epoch="2" * 32, first_held=1, as_of=0, pool_target=2)
    dead.say(register)
    [asked] = dead.received
    assert isinstance(asked, RegisterAgain)
    living.register()
    dead.say(replace(register, confirms=asked.token))
    dead.say(register)
    assert launcher.engine.link.peers["host-1"].epoch == "3" * 32
    living.say(Ping(last=0))
    assert not any(isinstance(message, Fenced) for message in living.received)
    assert launcher.engine.link.is_fresh("host-1", launcher.now)


def test_a_token_is_its_connection_s_own() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host("host-1", "1" * 32)
    one, other = launcher.host("host-1", "2" * 32), launcher.host("host-1", "3" * 32)
    register = Register(host="host-1", epoch="2" * 32, first_held=1, as_of=0, pool_target=2)
    one.say(register)
    [asked] = one.received
    assert isinstance(asked, RegisterAgain)
    other.say(replace(register, epoch="3" * 32, confirms=asked.token))
    assert isinstance(other.received[-1], RegisterAgain)


def test_the_place_of_a_host_that_left_is_free() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host("host-1", "1" * 32)
    host.say(Goodbye())
    successor = launcher.host("host-1", "2" * 32)
    successor.say(Register(host="host-1", epoch="2" * 32, first_held=1, as_of=0, pool_target=2))
    assert isinstance(successor.received[-1], Registered)


def test_a_launcher_that_was_restarted_asks_who_would_take_the_place_of_a_host_in_its_log() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host("host-1", "1" * 32)
    launcher.restart()
    successor = launcher.host("host-1", "2" * 32)
    register = Register(host="host-1", epoch="2" * 32, first_held=1, as_of=0, pool_target=2)
    successor.say(register)
    assert isinstance(successor.received[-1], RegisterAgain)


def test_so_many_connections_can_be_asked_at_once_that_none_is_kept_out_and_not_more() -> None:
    challenges = Challenges()
    first = challenges.pose("desk", b"first")
    tokens = [challenges.pose("desk", str(number).encode()) for number in range(OPEN_LIMIT)]
    assert not challenges.is_answer("desk", b"first", first)
    assert challenges.is_answer("desk", str(OPEN_LIMIT - 1).encode(), tokens[-1])
    assert challenges.is_answer("desk", b"0", tokens[0])
