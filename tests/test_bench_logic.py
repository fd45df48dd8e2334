"""The cores make promotes in one thread, and each part's cost is told."""

import json

import pytest

from actors.memory_saga_log import MemorySagaLog
from bench.__main__ import main
from bench.logic import LOG_ID, PARTS, System


@pytest.mark.parametrize("log", ["memory", "process", "power"])
def test_each_part_has_a_cost(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["logic", "--concurrency", "2", "--promotes", "40", "--log", log, "--json"]
    assert main(given) == 0
    cost = json.loads(capsys.readouterr().out)["us_per_promote"]
    assert list(cost) == list(PARTS)
    assert all(each > 0 for each in cost.values())


def test_every_promote_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemorySagaLog(LOG_ID)
    System(log, concurrency=3).measure(60)
    contents = log.load()
    assert len(contents.open_sagas) <= 3
    opened = contents.mirror.hosts["bench-0"].opened
    assert len(opened) >= 60
    assert main(["logic", "--promotes", "60", "--concurrency", "3"]) == 0
    assert "3 in flight, one thread" in " ".join(capsys.readouterr().out.split())
