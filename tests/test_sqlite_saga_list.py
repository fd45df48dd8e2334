from pathlib import Path

import pytest

from actors.command_line.diag_sagas import saga_lines
from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.sqlite_saga_list import LogUnreadableError, newest_sagas
from actors.sqlite_saga_log import SqliteSagaLog
from transport.codec import encode
from transport.messages import CommandIdentity, SpawnPoolWindow

SECOND = 1_000_000_000


def opened(saga_id: int) -> SagaOpened:
    return SagaOpened(saga_id, "pool_refill", {"host": "desk"}, None, "desk", "1" * 32, 5)


def issued(saga_id: int) -> StepIssued:
    command = SpawnPoolWindow(identity=CommandIdentity("f" * 32, saga_id, 0))
    return StepIssued(saga_id, 0, "host", encode(command))


def test_the_newest_sagas_are_read_while_the_log_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = SqliteSagaLog(path, new_log_id="f" * 32, wall=lambda: 7 * SECOND)
    log.commit([opened(1), issued(1), StepClosed(1, 0, None), SagaClosed(1, "label", None)])
    log.commit([opened(2), issued(2), StepClosed(2, 0, "bad"), SagaClosed(2, None, "bad")])
    log.commit([opened(3), issued(3)])
    third, second, first = newest_sagas(path)
    assert [saga["state"] for saga in (third, second, first)] == ["open", "failed", "completed"]
    assert third["steps"][0]["state"] == "awaited"
    assert second["steps"][0] == {
        "step": 0,
        "target": "host",
        "command": "SpawnPoolWindow",
        "state": "failed",
        "failure": "bad",
    }
    assert len(newest_sagas(path, 1)) == 1
    assert list(saga_lines(second)) == [
        (
            "2  pool_refill(host=desk)  failed  from 1970-01-01T00:00:07.000+00:00  "
            "to 1970-01-01T00:00:07.000+00:00  bad"
        ),
        "    step 0  SpawnPoolWindow to host  failed  bad",
    ]
    log.close()


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    absent, nonsense = tmp_path / "absent", tmp_path / "nonsense"
    with pytest.raises(LogUnreadableError, match="there is no log"):
        newest_sagas(absent)
    assert not absent.exists()
    nonsense.write_bytes(b"nonsense" * 200)
    with pytest.raises(LogUnreadableError, match="cannot be read: file is not a database"):
        newest_sagas(nonsense)
