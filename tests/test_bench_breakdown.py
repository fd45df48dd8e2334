from pathlib import Path

import pytest

from actors.pass_times import Moment, Note, PassTimes, read_notes
from bench.breakdown import SEGMENTS, breakdown
from bench.measured import MeasuredPromote
from bench.promote_ledger import VoidRunError
from bench.scene import PromoteEvents
from bench.spawn_times import Spawn

W, A, RS, R = Moment.WAITS, Moment.AWAKE, Moment.READS, Moment.READ
D, DD, C, CC = Moment.DISPATCHES, Moment.DISPATCHED, Moment.COMMITS, Moment.COMMITTED

PROMOTE = """
W    1000 0   the launcher waits
A    3000 0   a promote's reports are there
RS   3001 0
R    3010 0
D    3040 3   30: its three events
DD   3100 4   60: its saga starts
RS   3105 0
R    3106 0   nothing is left
C    3110 0   10: the rest of the pass
CC   3400 0   290: the commit
W    3450 0   50: published, and the command sent
A    3950 0   somebody else's report, while the host works
RS   3951 0
R    3960 0
D    3970 4
DD   3980 4
RS   3985 0
R    3986 0
C    3990 0
CC   4010 0
W    4050 0
A    4250 0   the report of the new window
RS   4251 0
R    4260 0
D    4285 5   25: its event
DD   4325 6   40: the end of its saga
RS   4330 0
R    4331 0
C    4335 0   10: the rest of the pass
CC   4635 0   300: the commit
W    4700 0
"""

ONE = (
    MeasuredPromote("p", began=2000, taken=2500, completed=5000),
    PromoteEvents(saga_id=1, trigger=2, terminal=6),
)


def notes(text: str) -> list[Note]:
    moments = {"W": W, "A": A, "RS": RS, "R": R, "D": D, "DD": DD, "C": C, "CC": CC}
    rows = [line.split()[:3] for line in text.strip().splitlines()]
    return [Note(moments[moment], int(at), int(version)) for moment, at, version in rows]


def nanoseconds(
    *promotes: tuple[MeasuredPromote, PromoteEvents],
    text: str = PROMOTE,
    spawn: Spawn | None = None,
) -> dict[str, int]:
    parts = breakdown(promotes, notes(text), {} if spawn is None else {1: spawn})
    return {segment: round(microseconds * 1000) for segment, microseconds in parts.items()}


def test_every_nanosecond_of_a_promote_is_in_one_segment() -> None:
    parts = nanoseconds(ONE)
    assert list(parts) == list(SEGMENTS)
    assert parts == {
        "trigger": 500,
        "spawn": 0,
        "wire": 500 + 500 + 200,
        "queue": 10 + 10 + (3950 - 3450 - 500) + (4050 - 3950) + 10 + 10,
        "reducer": 30 + 25,
        "saga": 60 + 40,
        "commit": 290 + 300,
        "send": 50,
        "fan_out": 365,
    }
    assert sum(parts.values()) == ONE[0].latency


def test_the_turns_before_ones_own_in_a_pass_are_queue() -> None:
    first = "D    3020 1\nDD   3030 1\n"
    text = PROMOTE.replace("D    3040 3", f"{first}D    3040 3")
    parts = nanoseconds(ONE, text=text)
    alone = nanoseconds(ONE)
    assert parts["queue"] == alone["queue"] + 20
    assert parts["reducer"] == alone["reducer"] - 20
    assert sum(parts.values()) == ONE[0].latency


@pytest.mark.parametrize(
    ("spawn", "of_spawn", "of_wire", "of_queue"),
    [
        ((3550, 3750), 200, 200, 0),  # while the launcher waits
        ((3900, 4000), 100, 50, 50),
        ((3400, 3440), 0, 0, 0),  # before the launcher's pass has ended
        ((3400, 3500), 50, 50, 0),
    ],
)
def test_the_time_in_which_a_window_is_made_is_told_apart(
    spawn: Spawn, of_spawn: int, of_wire: int, of_queue: int
) -> None:
    parts, alone = nanoseconds(ONE, spawn=spawn), nanoseconds(ONE)
    assert parts["spawn"] == of_spawn
    assert parts["wire"] == alone["wire"] - of_wire
    assert parts["queue"] == alone["queue"] - of_queue
    assert sum(parts.values()) == ONE[0].latency


def test_a_breakdown_is_a_mean_over_promotes() -> None:
    promote, versions = ONE
    later = promote._replace(completed=promote.completed + 100)
    assert nanoseconds(ONE, (later, versions))["fan_out"] == 365 + 50


@pytest.mark.parametrize("text", [PROMOTE[: PROMOTE.index("D    4285")], PROMOTE[:-15]])
def test_times_that_lack_a_promote_void_its_run(text: str) -> None:
    with pytest.raises(VoidRunError, match="do not have version 6"):
        nanoseconds(ONE, text=text)


def test_notes_are_read_as_they_were_taken(tmp_path: Path) -> None:
    times = PassTimes()
    times.note(Moment.COMMITS)
    times.note(Moment.DISPATCHED, 7)
    times.write(tmp_path / "times")
    first, second = read_notes(tmp_path / "times")
    assert (first.moment, second.moment, second.version) == (Moment.COMMITS, Moment.DISPATCHED, 7)
    assert 0 < first.at_ns <= second.at_ns
