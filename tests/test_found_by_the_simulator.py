"""Bugs that the simulator found, each with what led to it, by hand."""

import pytest

from actors.saga_log import SagaOpened, SagaRecord
from actors.saga_recovery import EXTENSIONS, RECOVERY_GRACE, recovered_deadline
from tests.launcher_harness import SECOND, PlayedLauncher
from transport.codec import as_map
from transport.messages import (
    NotRegistered,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolDrift,
    ReportPoolWindowAdded,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowClosed,
    SagaCompleted,
    SagaFailed,
)

HOUR = 3600 * SECOND
TIMEOUT = 30 * SECOND


def record(deadline: int, extensions: int = 0) -> SagaRecord:
    opened = SagaOpened(1, "saga", {}, None, None, None, deadline)
    return SagaRecord(opened, deadline, extensions)


def test_a_private_answer_that_a_full_connection_did_not_take_is_given_later() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, _] = launcher.pool_of(host)
    launcher.full.add(host.connection)
    host.report(ReportPoolDrift(at_sequence=host.sequence, missing=(), surplus=(one,)))
    assert not any(isinstance(each, NotRegistered) for each in host.received)
    launcher.full.clear()
    launcher.engine.stream_heartbeat("ok")
    launcher.end_pass()
    assert [each for each in host.received if isinstance(each, NotRegistered)] == [NotRegistered()]


@pytest.mark.parametrize("extensions", [0, EXTENSIONS])
def test_a_wall_clock_set_back_keeps_no_recovered_saga_open(extensions: int) -> None:
    wall = 10 * HOUR
    ahead = record(wall + HOUR, extensions)
    assert recovered_deadline(ahead, wall, TIMEOUT) == wall + TIMEOUT


def test_a_recovered_saga_has_its_own_deadline_and_five_seconds_at_least() -> None:
    wall = 10 * HOUR
    late, soon = wall + 20 * SECOND, wall - HOUR
    assert recovered_deadline(record(late), wall, TIMEOUT) == late
    assert recovered_deadline(record(soon), wall, TIMEOUT) == wall + RECOVERY_GRACE
    assert recovered_deadline(record(soon, EXTENSIONS), wall, TIMEOUT) == soon


def test_a_saga_whose_report_was_refused_does_not_wait_for_its_deadline() -> None:
    """A window had vanished unseen, so the drain that the host reports contradicts the mirror."""
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, vanished] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    [left] = host.answer_all()
    host.report(ReportWindowClosed(label=one))
    [reap] = host.commands
    host.report(ReportPanesReaped(identity=reap.identity, label=one))
    drain = host.commands[-1]
    drained = (
        ReportPoolWindowRemoved(label=left, reason="drained"),
        ReportPoolDrained(identity=drain.identity, label=one),
    )
    first = host.report(*drained)
    assert host.refusals() == ["contradiction"]
    host.register()
    assert vanished not in launcher.pool_of(host)
    assert host.commands[-1] == drain
    host.say(Reports(sequence=first, reports=[as_map(each) for each in drained]))
    assert launcher.of_type(SagaFailed)[-1].reason == "the report that settles its step was refused"


def test_a_duplicate_ends_no_saga_that_waits_for_another_report() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    [one, two] = launcher.pool_of(host)
    host.promote(one, "promote-1")
    [command] = host.commands
    [label] = host.answer_all()
    added = ReportPoolWindowAdded(identity=command.identity, label=label)
    answered = host.sequence
    host.promote(two, "promote-2")
    host.say(Reports(sequence=answered, reports=[as_map(added)]))
    host.answer_all()
    assert launcher.of_type(SagaFailed) == []
    assert len(launcher.of_type(SagaCompleted)) == 4
