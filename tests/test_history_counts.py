import pytest
from msgspec.structs import replace

from tests.event_stream_builders import (
    EPOCH,
    LOG,
    added,
    closed,
    completed,
    failed,
    label,
    numbered,
    origin,
    promote,
    registered,
    started,
)
from transport.event_stream import Batch
from transport.history import lines_of
from transport.history_counts import Counts, PoolCount, count
from transport.history_lines import (
    EventLine,
    HistoryLine,
    HostLine,
    OpenBracket,
    ProcessLine,
    TruncatedLine,
)
from transport.messages import CommandIdentity, Event, PoolWindowRemoved, WindowOpened

MILLISECOND = 1_000_000
FAULTS = (
    "open",
    "failed_sagas",
    "unclosed",
    "duplicate_terminals",
    "terminals_without_start",
    "strays",
    "foreign_completions",
    "repeated_respawns",
    "version_gaps",
    "divergences",
)

EVENTS: tuple[Event, ...] = (
    registered(),
    added(1),
    added(2),
    *promote(1, "p1"),
    started(7, cause=5),
    *promote(2, "p2"),
    started(8, cause=9),
    added(4, saga_id=8),
    completed(8, label(4)),
    added(3, saga_id=7),
    completed(7, label(3)),
    closed(1),
    started(9, cause=16, name="window_cleanup_cascade"),
    completed(9, "not_last"),
)
FIRST_ADD, FIRST_DONE, SECOND_ADD, SECOND_DONE = 11, 12, 13, 14
"""Indexes of the two fills' events; event number i has version i + 1."""


def host_lines() -> list[HistoryLine]:
    made = ((3, 7), (4, 8))
    return [
        HostLine(0, "desk", EPOCH, "promoted", label=label(1), promote_id="p1"),
        HostLine(2 * MILLISECOND, "desk", EPOCH, "promoted", label=label(2), promote_id="p2"),
        *(
            HostLine(
                9,
                "desk",
                EPOCH,
                "ready",
                label=label(number),
                identity=CommandIdentity(LOG, saga, 0),
            )
            for number, saga in made
        ),
    ]


def told(*events: Event, observer: str = "renderer", first: int = 1) -> list[HistoryLine]:
    return [
        line
        for event in numbered(*events, first=first)
        for line in lines_of(Batch((event,), at_ns=event.version * MILLISECOND), observer)
    ]


def sound() -> list[HistoryLine]:
    return [ProcessLine(0, "launcher", 1, "started"), *host_lines(), *told(*EVENTS)]


def with_event(index: int, event: Event) -> list[HistoryLine]:
    events = list(EVENTS)
    events[index] = event
    return [*host_lines(), *told(*events)]


def wrong(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in FAULTS if getattr(counts, name)}


def test_a_sound_history_is_clean_and_adds_up() -> None:
    counts = count(sound())
    assert wrong(counts) == {}
    assert (counts.promotes, counts.completed, counts.failed, counts.cold) == (2, 2, 0, 0)
    assert counts.cleanups == 1
    assert counts.pool == {"desk": PoolCount(target=2, size=2)}


def test_latency_is_from_the_hosts_promote_to_the_observers_completion() -> None:
    assert count(sound()).latency_ms == {"p50": 11.0, "p90": 15.0, "p99": 15.0, "max": 15.0}


def test_percentiles_are_exact_by_nearest_rank() -> None:
    lines: list[HistoryLine] = []
    version = 1
    for number in range(1, 101):
        key = f"p{number}"
        events = (*promote(number, key), started(number, version + 1))
        events = (*events, completed(number, label(number)))
        lines.append(HostLine(0, "desk", EPOCH, "promoted", promote_id=key))
        for event in numbered(*events, first=version):
            lines.extend(lines_of(Batch((event,), at_ns=number * MILLISECOND), "renderer"))
        version += len(events)
    assert count(lines).latency_ms == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}


def test_an_empty_history_is_all_zero() -> None:
    counts = count([])
    assert (counts.promotes, counts.latency_ms, counts.pool, wrong(counts)) == (0, {}, {}, {})


def test_a_cold_promote_counts_without_a_saga() -> None:
    opened = WindowOpened(label=label(9), promote_id="p9", cold=True, origin=origin(9))
    cold = HostLine(9, "desk", EPOCH, "promoted", label=label(9), promote_id="p9", cold=True)
    for lines in ([*sound(), cold], [*sound(), *told(opened, first=20)]):
        counts = count(lines)
        assert (counts.promotes, counts.cold, counts.open) == (3, 1, 0)


def test_a_doubled_terminal_is_caught() -> None:
    lines = [*sound(), *told(completed(7, label(3)), first=19)]
    assert wrong(count(lines)) == {"duplicate_terminals": 1}


def test_a_doubled_line_is_caught() -> None:
    lines = sound()
    assert wrong(count([*lines, lines[-1]])) == {"duplicate_terminals": 1, "version_gaps": 1}


def test_a_dropped_event_is_caught() -> None:
    lines = sound()
    dropped = next(line for line in lines if isinstance(line, EventLine))
    lines.remove(dropped)
    assert wrong(count(lines)) == {"version_gaps": 1}


def test_two_swapped_lines_are_caught() -> None:
    lines = sound()
    lines[-1], lines[-2] = lines[-2], lines[-1]
    assert count(lines).version_gaps == 2


def test_a_fill_that_names_a_foreign_window_is_caught() -> None:
    lines = with_event(FIRST_DONE, completed(8, label(2)))
    assert wrong(count(lines)) == {"foreign_completions": 1}


def test_swapped_labels_are_caught() -> None:
    events = list(EVENTS)
    events[FIRST_DONE] = completed(8, label(3))
    events[SECOND_DONE] = completed(7, label(4))
    assert wrong(count([*host_lines(), *told(*events)])) == {"foreign_completions": 2}


def test_a_fill_by_an_organic_add_is_caught() -> None:
    lines = with_event(FIRST_ADD, added(4))
    assert wrong(count(lines)) == {"foreign_completions": 1}


def test_a_fill_by_another_host_is_caught() -> None:
    lines = with_event(SECOND_ADD, added(3, saga_id=7, host="other"))
    assert wrong(count(lines)) == {"foreign_completions": 1}


def test_a_window_that_the_host_made_for_another_saga_is_caught() -> None:
    identity = CommandIdentity(LOG, 99, 0)
    line = HostLine(9, "desk", EPOCH, "ready", label=label(3), identity=identity)
    assert wrong(count([*sound(), line])) == {"foreign_completions": 1}


def test_a_window_that_the_host_made_for_nobody_is_caught() -> None:
    line = HostLine(9, "desk", EPOCH, "ready", label=label(3))
    assert wrong(count([*sound(), line])) == {"foreign_completions": 1}


def test_a_missing_terminal_is_caught() -> None:
    lines = with_event(SECOND_DONE, added(20))
    assert wrong(count(lines)) == {"open": 1, "unclosed": 1}


def test_a_terminal_without_a_start_is_caught() -> None:
    lines = [*sound(), *told(completed(70, label(3)), first=19)]
    assert wrong(count(lines)) == {"terminals_without_start": 1}


def test_an_event_of_a_closed_bracket_is_caught() -> None:
    assert wrong(count([*sound(), *told(added(21, saga_id=7), first=19)])) == {"strays": 1}


def test_a_failed_saga_is_counted() -> None:
    counts = count(with_event(SECOND_DONE, failed(7)))
    assert (counts.completed, counts.failed, wrong(counts)) == (1, 1, {"failed_sagas": 1})


def test_a_promote_that_no_event_tells_of_is_open() -> None:
    line = HostLine(9, "desk", EPOCH, "promoted", label=label(9), promote_id="p9")
    counts = count([*sound(), line])
    assert (counts.promotes, wrong(counts)) == (3, {"open": 1})


def test_a_second_saga_of_one_promote_is_caught() -> None:
    more = (started(10, cause=5), added(21, saga_id=10), completed(10, label(21)))
    assert wrong(count([*sound(), *told(*more, first=19)])) == {"repeated_respawns": 1}


def test_two_observers_that_were_told_the_same_are_clean() -> None:
    counts = count([*sound(), *told(*EVENTS, observer="other")])
    assert (counts.promotes, counts.completed, wrong(counts)) == (2, 2, {})


def test_two_observers_that_were_told_different_things_are_caught() -> None:
    events = list(EVENTS)
    events[1] = added(30)
    assert wrong(count([*sound(), *told(*events, observer="other")])) == {"divergences": 1}


def test_a_marked_truncation_is_no_gap_and_its_open_brackets_count_as_started() -> None:
    mark = TruncatedLine(0, "renderer", 14, (OpenBracket(7, "pool_respawn_on_promote"),))
    counts = count([mark, *told(*EVENTS[13:], first=14)])
    assert (counts.completed, counts.cleanups, wrong(counts)) == (1, 1, {})


def test_a_bracket_that_closed_where_history_is_truncated_is_not_unclosed() -> None:
    mark = TruncatedLine(0, "renderer", 16)
    counts = count([*told(*EVENTS[:7]), mark, *told(*EVENTS[15:], first=16)])
    assert wrong(counts) == {}


def test_pools_are_counted_after_the_last_promotes_bracket_and_before_users_close_windows() -> None:
    before_closing = EVENTS[: FIRST_DONE + 3]
    died = PoolWindowRemoved(label=label(3), reason="died", origin=origin(90))
    short = (*before_closing, died)
    assert count(told(*short)).pool == {"desk": PoolCount(target=2, size=1)}
    healed = (*short, added(9))
    closing = (
        *healed,
        closed(1),
        PoolWindowRemoved(label=label(9), reason="drained", origin=origin(91)),
    )
    assert count(told(*closing)).pool == {"desk": PoolCount(target=2, size=2)}


@pytest.mark.parametrize("name", ["pool_refill", "pool_respawn_on_promote"])
def test_a_fill_without_a_known_trigger_needs_a_window_of_its_own(name: str) -> None:
    events = (registered(), started(1, None, name), added(1, saga_id=1), completed(1, label(1)))
    assert count(told(*events)).foreign_completions == 0
    foreign = (*events[:2], replace(events[2], saga_id=None), events[3])
    assert count(told(*foreign)).foreign_completions == 1


def test_a_respawn_whose_start_is_truncated_has_no_latency() -> None:
    brackets = (OpenBracket(3, "pool_respawn_on_promote"),)
    promoted = HostLine(1, "host-1", "1" * 32, "promoted", label="w", promote_id="p")
    completed: dict[str, object] = {
        "type": "SagaCompleted",
        "version": 9,
        "saga_id": 3,
        "origin": None,
        "result": "w",
    }
    lines: list[HistoryLine] = [
        TruncatedLine(2, "run", 9, brackets),
        promoted,
        EventLine(3, "run", completed),
    ]
    assert count(lines).latency_ms == {}
