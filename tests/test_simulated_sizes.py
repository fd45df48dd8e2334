"""Worlds in which so little fits that everything is many: blobs, pages, parts of registrations."""

from random import Random

import pytest
from msgspec.structs import replace

from actors.simulation import read_profile, run_seed
from actors.simulation.sizes import Sizes, draw_sizes
from transport import host_session
from transport.event_stream import query_session
from transport.history_lines import LogLine
from transport.messages import Register, SnapshotAnswer


def test_a_world_has_usual_sizes_unless_chance_says_otherwise() -> None:
    assert draw_sizes(Random(1), 0.0) == Sizes()
    tiny = draw_sizes(Random(1), 1.0)
    assert tiny.blob_limit <= 600
    assert tiny.part_limit <= 4
    assert tiny.held_bytes <= 2_000
    assert tiny.pages.rows <= 6


def test_a_system_is_sound_where_everything_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[int] = []
    restless: list[int] = []

    def register(**fields: object) -> Register:
        made = Register(**fields)  # type: ignore[arg-type]
        parts.append(made.parts)
        return made

    def snapshot(**fields: object) -> SnapshotAnswer:
        made = SnapshotAnswer(**fields)  # type: ignore[arg-type]
        restless.append(made.total - len(made.rows))
        return made

    monkeypatch.setattr(host_session, "Register", register)
    monkeypatch.setattr(query_session, "SnapshotAnswer", snapshot)
    profile = read_profile("cruel")
    tiny = replace(profile, loop=replace(profile.loop, tiny_sizes=1.0))
    runs = [run_seed(seed, tiny) for seed in range(3)]
    assert [run.violations for run in runs] == [[], [], []]
    assert max(parts) > 1
    assert max(restless) > 0
    for run in runs:
        log = run.lines[-1]
        assert isinstance(log, LogLine)
        events = [last - first + 1 for first, last in log.journal]
        assert sum(events) < 6 * len(events)
