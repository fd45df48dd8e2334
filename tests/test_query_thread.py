from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.memory_saga_log import MemorySagaLog
from actors.query_thread import QueryThread
from transport.endpoints import ipc_endpoint
from transport.zeromq.query_client import QueryTimeoutError, ask_status


def test_a_question_that_cannot_be_answered_does_not_end_the_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[dict[str, Any]] = [{"state": "well"}]

    def status() -> dict[str, Any]:
        if len(answers) == 1 and "asked" not in answers[0]:
            answers[0]["asked"] = True
            msg = "out of reach"
            raise OSError(msg)
        return answers[0]

    endpoint = ipc_endpoint(tmp_path / "query")
    with zmq.Context() as context:
        thread = QueryThread(context, endpoint, MemorySagaLog("f" * 32).reader(), status)
        thread.start()
        with pytest.raises(QueryTimeoutError):
            ask_status(endpoint, timeout=0.5)
        assert ask_status(endpoint, timeout=20)["state"] == "well"
        thread.stop()
    assert "out of reach" in caplog.text
