"""Both checkers find the same histories sound, and the same ones wrong."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from actors.simulation import read_profile, run_seed
from tests.checker_edits import Spoil as LineSpoil
from tests.checker_histories import closed_history, open_history
from tests.checker_spoils import SPOILS as LINE_SPOILS
from tests.second_checker import violations
from tests.spoiled_histories import ALLOWED, SOUND, SPOILS, Spoil
from tests.told_histories import Line
from transport.checker import check
from transport.history_lines import HistoryLine


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


def agree_that_it_is_wrong(maps: list[Line]) -> None:
    first, second = first_finds(maps), second_finds(maps)
    assert first, f"only the second finds: {second}"
    assert second, f"only the first finds: {first}"


# --- sound ----------------------------------------------------------------------------------------

MADE = SOUND | ALLOWED


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


@pytest.mark.parametrize("seed", range(3))
def test_both_find_nothing_in_a_cruel_history(seed: int) -> None:
    maps = as_maps(run_seed(seed, read_profile("cruel")).lines)
    assert (first_finds(maps), second_finds(maps)) == ([], [])


# --- spoiled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_both_find_a_spoiled_history_wrong(spoil: Spoil) -> None:
    agree_that_it_is_wrong(spoil.spoil(SOUND[spoil.of]()))


@pytest.mark.parametrize("spoil", LINE_SPOILS, ids=lambda spoil: spoil.name)
def test_both_find_a_history_wrong_that_was_spoiled_as_lines(spoil: LineSpoil) -> None:
    agree_that_it_is_wrong(as_maps(spoil.change(list(open_history()))))
