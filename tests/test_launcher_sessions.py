import pytest
from msgspec.structs import replace

from tests.launcher_harness import PlayedLauncher, promote_reports
from transport.codec import MESSAGE_LIMIT, as_map, encode
from transport.frame_fault import FrameFault
from transport.messages import (
    Acknowledge,
    CommandIdentity,
    Goodbye,
    HostLeft,
    HostRegistered,
    NotRegistered,
    Ping,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
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
    SagaFailed,
    SagaStarted,
    WindowOpened,
)


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
    assert host.refusals() == [FrameFault.WRONG_TYPE] * 2


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
    assert host.refusals() == [FrameFault.OUT_OF_TURN]


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
    assert host.refusals() == [FrameFault.CONTRADICTION]
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
    assert host.refusals() == [FrameFault.CONTRADICTION]


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
    assert host.refusals() == []


def test_a_cold_open_starts_no_saga() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=0)
    host.report(ReportWindowOpened(label=host.new_label(), promote_id="promote-1", cold=True))
    assert launcher.of_type(WindowOpened)[0].cold
    assert launcher.of_type(SagaStarted) == []


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
    assert host.refusals() == [FrameFault.CONTRADICTION]
    assert launcher.of_type(PoolWindowPromoted) == []


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


def test_a_pool_that_a_cancelled_saga_leaves_short_is_refilled() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.commands.clear()
    launcher.cancel(3)
    launcher.advance(2.2)
    assert len(host.answer_all()) == 1
    assert len(launcher.pool_of(host)) == 2


def test_a_cancelled_saga_ends_once_and_its_late_report_changes_the_mirror_only() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    launcher.cancel(3, "by the operator")
    launcher.cancel(3, "once more")
    host.answer_all()
    [failed] = launcher.of_type(SagaFailed)
    assert (failed.saga_id, failed.reason) == (3, "cancelled: by the operator")
    assert launcher.of_type(PoolWindowAdded)[-1].saga_id is None
    assert len(launcher.pool_of(host)) == 2
