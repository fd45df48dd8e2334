import signal
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import pytest

from bench.stage import Stage


def wait_for_the_end(settings: object, life_line: int, pipe: Connection) -> int:
    with open(life_line, "rb") as line:
        return len(line.read())


def test_ctrl_c_while_a_process_starts_ends_that_process_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[SpawnProcess] = []
    start = SpawnProcess.start

    def interrupted_start(process: SpawnProcess) -> None:
        start(process)
        started.append(process)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(SpawnProcess, "start", interrupted_start)
    with pytest.raises(KeyboardInterrupt), Stage() as stage:
        stage.start("waiting", wait_for_the_end, None)
    (process,) = started
    with pytest.raises(ValueError, match="closed"):
        process.is_alive()
