"""Both checkers find the same histories sound, and the same ones wrong."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from tests.checker_histories import closed_history, open_history
from tests.checker_spoils import SPOILS as LINE_SPOILS
from tests.checker_spoils import Spoil as LineSpoil
from tests.second_checker import violations
from tests.spoiled_histories import ALLOWED, SOUND, SPOILS, Spoil
from tests.told_histories import Line
from transport.checker import check
from transport.history_lines import HistoryLine

MIRROR = "the second compares what was told with what hosts have at the end, not on the way there"
DIFFERENT: dict[str, str] = {
    "a_host_without_a_fault_waits_beyond_its_deadline": "the second leaves 5 s to spare",
    "there_are_two_logs": "the second takes a command of another log for none of this one",
    "a_pool_is_drained_that_has_windows": MIRROR,
    "a_user_closes_a_window_that_nobody_had": MIRROR,
    "a_window_is_added_twice": MIRROR,
    "a_host_leaves_and_its_windows_stay": MIRROR,
    "a_window_is_opened_that_was_not_promoted": MIRROR,
    "a_truncated_observer_is_not_told_of_an_open_bracket": (
        "the second takes brackets from what all observers were told together"
    ),
    "a_window_is_ready_after_its_saga_completed": "the second compares labels, not times",
    "a_command_is_sent_long_after_the_log_went_out": (
        "the second goes by events: what was committed before may be sent in an outage"
    ),
    "a_close_is_never_told": "the second asks for promotes",
}
"""Spoils that one checker catches alone, each with the reason."""


def as_lines(maps: Iterable[Line]) -> list[HistoryLine]:
    return [msgspec.json.decode(msgspec.json.encode(each), type=HistoryLine) for each in maps]


def as_maps(lines: Iterable[HistoryLine]) -> list[Line]:
    maps: list[dict[str, Any]] = [msgspec.json.decode(msgspec.json.encode(line)) for line in lines]
    return maps


def first_finds(maps: Iterable[Line]) -> list[str]:
    """Give what the first checker finds; a line that cannot be read is found wrong too."""
    try:
        lines = as_lines(maps)
    except msgspec.ValidationError as error:
        return [f"unreadable: {error}"]
    return [f"{int(each.invariant)}: {each.message}" for each in check(lines)]


def second_finds(maps: Iterable[Line]) -> list[str]:
    return [f"{invariant}: {message}" for invariant, message in violations(maps)]


def agree_that_it_is_wrong(name: str, maps: list[Line]) -> None:
    first, second = first_finds(maps), second_finds(maps)
    if name in DIFFERENT:
        assert bool(first) != bool(second), (first, second)
    else:
        assert first, f"only the second finds: {second}"
        assert second, f"only the first finds: {first}"


# --- sound ----------------------------------------------------------------------------------------

MADE = {
    f"{number}, {name}": make
    for number, each in enumerate((SOUND, ALLOWED), 1)
    for name, make in each.items()
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_both_find_nothing_in_a_sound_history(make: Callable[[], list[Line]]) -> None:
    maps = make()
    assert (first_finds(maps), second_finds(maps)) == ([], [])


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("make", [open_history, closed_history])
def test_both_find_nothing_in_a_simulated_history(
    make: Callable[[int], tuple[HistoryLine, ...]], seed: int
) -> None:
    maps = as_maps(make(seed))
    assert (first_finds(maps), second_finds(maps)) == ([], [])


# --- spoiled --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "spoil"), SPOILS.items(), ids=SPOILS)
def test_both_find_a_spoiled_history_wrong(name: str, spoil: Spoil) -> None:
    agree_that_it_is_wrong(name, spoil.spoil(SOUND[spoil.of]()))


@pytest.mark.parametrize("spoil", LINE_SPOILS, ids=lambda spoil: spoil.name)
def test_both_find_a_history_wrong_that_was_spoiled_as_lines(spoil: LineSpoil) -> None:
    agree_that_it_is_wrong(spoil.name, as_maps(spoil.change(list(open_history()))))


def test_every_exception_is_of_a_spoil() -> None:
    assert DIFFERENT.keys() <= SPOILS.keys() | {spoil.name for spoil in LINE_SPOILS}
