"""`CancelSaga`: an operator ends a saga, through the coordinator, on the link."""

from actors.engine import EngineSettings
from tests.launcher_harness import OPERATOR, PlayedHost, PlayedLauncher
from transport.codec import encode
from transport.messages import (
    CancelRefused,
    CancelSaga,
    Goodbye,
    Ping,
    Refused,
    SagaCancelled,
    SagaFailed,
    SagaStarted,
)


def promoted(launcher: PlayedLauncher) -> PlayedHost:
    """Give a host whose promote's saga, 3, waits for its command's report."""
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    return host


def test_an_open_saga_is_cancelled_once_and_the_second_request_is_told_so() -> None:
    launcher = PlayedLauncher()
    promoted(launcher)
    assert launcher.cancel(3, "not wanted") == SagaCancelled(number=1, saga_id=3)
    [failed] = launcher.of_type(SagaFailed)
    assert (failed.saga_id, failed.reason) == (3, "cancelled: not wanted")
    assert launcher.cancel(3) == CancelRefused(
        number=1, saga_id=3, reason="saga 3 is closed already"
    )
    assert len(launcher.of_type(SagaFailed)) == 1


def test_the_answer_waits_for_the_commit_that_ends_the_saga() -> None:
    launcher = PlayedLauncher()
    promoted(launcher)
    request = encode(CancelSaga(number=7, saga_id=3, reason="r"))
    launcher.engine.receive(OPERATOR, [request], launcher.now)
    done = launcher.engine.end_pass()
    [message] = [each for each in done.messages if each.connection == OPERATOR]
    assert message.frames == [encode(SagaCancelled(number=7, saga_id=3))]
    assert any(type(row).__name__ == "SagaClosed" for row in done.rows)


def test_a_saga_that_never_began_is_named_with_the_last_one_that_did() -> None:
    launcher = PlayedLauncher()
    launcher.filled_host()
    answer = launcher.cancel(99)
    assert isinstance(answer, CancelRefused)
    assert answer.reason == "saga 99 never began: the last one was 2"
    assert launcher.of_type(SagaFailed) == []


def test_a_command_that_was_never_sent_goes_with_its_saga() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    launcher.unreachable.add(host.connection)
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.commands.clear()
    launcher.cancel(launcher.of_type(SagaStarted)[-1].saga_id)
    launcher.unreachable.clear()
    host.register(first_held=host.sequence + 1)
    assert host.commands == []
    launcher.advance(1.1)
    assert 3 not in [each.identity.saga_id for each in host.commands if each.identity]
    assert host.commands


def test_a_registered_peer_that_sends_it_has_the_wrong_role_and_nothing_happens() -> None:
    launcher = PlayedLauncher()
    host = promoted(launcher)
    host.say(CancelSaga(number=1, saga_id=3, reason="r"), Ping(last=host.sequence))
    assert host.refusals() == ["wrong_role"]
    assert launcher.engine.link.faults["wrong_role"] == 1  # type: ignore[index]
    assert launcher.of_type(SagaFailed) == []


def test_an_operator_is_no_host_before_or_after_it_asked() -> None:
    launcher = PlayedLauncher(EngineSettings())
    promoted(launcher)
    launcher.cancel(3)
    launcher.engine.receive(OPERATOR, [encode(Goodbye())], launcher.now)
    launcher.end_pass()
    faults = [each.fault for each in launcher.strangers[OPERATOR] if isinstance(each, Refused)]
    assert faults == ["not_registered"]


def test_a_reason_as_long_as_a_text_may_be_still_fits_its_bracket() -> None:
    launcher = PlayedLauncher()
    promoted(launcher)
    assert isinstance(launcher.cancel(3, "r" * 1024), SagaCancelled)
    [failed] = launcher.of_type(SagaFailed)
    assert len(failed.reason) == 1024
