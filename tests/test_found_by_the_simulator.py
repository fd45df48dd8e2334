"""Bugs that the simulator found, each with what led to it, by hand."""

from tests.launcher_harness import PlayedLauncher
from transport.messages import NotRegistered, ReportPoolDrift


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
