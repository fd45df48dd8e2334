"""What a saga's end brings can always be published and written down."""

import pytest

from actors.engine import EngineSettings
from actors.outcome_text import OUTCOME_LIMIT, outcome_text
from actors.saga import Done, Saga
from actors.saga_actor import Turn
from actors.sagas import PoolRespawnOnPromote
from tests.launcher_harness import PlayedLauncher
from transport.messages import SagaCompleted, SagaFailed

NO_UTF8 = "no such file: \udcff"
"""As Python writes a file name whose byte 255 is no UTF-8."""


def test_a_text_that_can_be_published_is_left_as_it_is() -> None:
    assert outcome_text("geöffnet") == "geöffnet"


def test_a_long_text_is_cut() -> None:
    assert outcome_text("ö" * (OUTCOME_LIMIT + 1)) == "ö" * OUTCOME_LIMIT


def test_what_utf8_cannot_say_is_replaced() -> None:
    assert outcome_text(NO_UTF8) == "no such file: ?"


def test_a_saga_that_crashes_with_such_a_text_fails_alone() -> None:
    begun = False

    def before_turn(saga: Saga, message: Turn) -> None:
        if begun:
            raise OSError(NO_UTF8)

    launcher = PlayedLauncher(EngineSettings(before_saga_turn=before_turn))
    host = launcher.filled_host()
    begun = True
    host.promote(launcher.pool_of(host)[0], "promote-1")
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "saga actor crashed: OSError: no such file: ?"


def test_a_saga_that_cannot_be_made_anew_for_such_a_text_fails_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(_saga: Saga, **_input: object) -> None:
        raise OSError(NO_UTF8)

    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    monkeypatch.setattr(PoolRespawnOnPromote, "__init__", made)
    launcher.restart()
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "OSError: no such file: ?"
    assert launcher.engine.view.status()["sagas"]["failed"] == 1


def test_a_result_that_utf8_cannot_say_completes_its_saga(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    monkeypatch.setattr(PoolRespawnOnPromote, "start", lambda _saga, _context: Done(NO_UTF8))
    host.promote(launcher.pool_of(host)[0], "promote-1")
    assert launcher.of_type(SagaCompleted)[-1].result == "no such file: ?"
