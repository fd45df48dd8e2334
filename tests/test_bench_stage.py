import signal
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import pytest

from bench.stage import Stage


def wait_for_the_end(settings: object, life_line: int, pipe: Connection) -> int:
    with open(life_line, "rb") as line:
        return len(line.read())


class AskedToEndError(Exception):
    """Raised by SIGTERM, as the command raises `SystemExit`."""


def ask_to_end(number: int, frame: object) -> None:
    raise AskedToEndError


@pytest.mark.parametrize(
    ("number", "raised"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, AskedToEndError)],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_signal_while_a_process_starts_ends_that_process_too(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, raised: type[BaseException]
) -> None:
    before = signal.signal(signal.SIGTERM, ask_to_end)
    started: list[SpawnProcess] = []
    start = SpawnProcess.start

    def interrupted_start(process: SpawnProcess) -> None:
        signal.raise_signal(number)  # nothing of it is to be felt before the child is whole
        start(process)
        started.append(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted_start)
    try:
        with pytest.raises(raised), Stage() as stage:
            stage.start("waiting", wait_for_the_end, None)
    finally:
        signal.signal(signal.SIGTERM, before)
    (process,) = started
    with pytest.raises(ValueError, match="closed"):
        process.is_alive()
