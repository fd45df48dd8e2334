from pathlib import Path
from typing import Any

import pytest
import zmq

from actors.memory_saga_log import MemorySagaLog
from actors.query_thread import QueryThread
from tests.event_stream_builders import SaidLauncher
from transport.endpoints import ipc_endpoint
from transport.zeromq.query_client import QueryTimeoutError, ask_status


class FailsOnce(SaidLauncher):
    def status(self) -> dict[str, Any]:
        if "asked" not in self.said:
            self.said["asked"] = True
            msg = "out of reach"
            raise OSError(msg)
        return self.said


def test_a_question_that_cannot_be_answered_does_not_end_the_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    launcher = FailsOnce({"state": "well"})

    endpoint = ipc_endpoint(tmp_path / "query")
    with zmq.Context() as context:
        thread = QueryThread(context, endpoint, MemorySagaLog("f" * 32).reader(), launcher)
        thread.start()
        with pytest.raises(QueryTimeoutError):
            ask_status(endpoint, timeout=0.5)
        assert ask_status(endpoint, timeout=20)["state"] == "well"
        thread.stop()
    assert "out of reach" in caplog.text
