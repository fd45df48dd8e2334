"""Bugs put in on purpose: each patch fits the code, and the simulator finds what it puts in."""

from pathlib import Path

import pytest

from tests.bug_patches import PatchError, PlantedBug, copy_of_the_product, planted_bugs, put_in
from tests.plant_bugs import look_for

BUGS = {bug.name: bug for bug in planted_bugs()}


def test_there_are_twenty_four() -> None:
    assert len(BUGS) == 24


@pytest.fixture(scope="module")
def sources() -> Path:
    return Path(__file__).parent.parent


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_patch_changes_one_line_of_the_product_as_it_is(bug: PlantedBug, sources: Path) -> None:
    assert max(len(bug.removed), len(bug.added)) == 1
    before = (sources / bug.file).read_text().splitlines()
    with copy_of_the_product() as copy:
        put_in(bug, copy)
        text = (copy / bug.file).read_text()
    compile(text, bug.file, "exec")
    after = text.splitlines()
    assert sorted(after) == sorted([*_less(before, bug.removed), *bug.added])


def _less(lines: list[str], removed: tuple[str, ...]) -> list[str]:
    kept = [*lines]
    for line in removed:
        kept.remove(line)
    return kept


def test_a_patch_that_does_not_fit_is_named(tmp_path: Path) -> None:
    bug = BUGS["fence_off"]
    other = tmp_path / "other.patch"
    other.write_text(bug.path.read_text().replace(bug.removed[0], "    something else"))
    with (
        copy_of_the_product() as copy,
        pytest.raises(PatchError, match=r"fence_off\.patch does not"),
    ):
        put_in(PlantedBug(bug.name, bug.words, bug.file, bug.removed, bug.added, other), copy)


@pytest.mark.parametrize(
    "name",
    ["terminal_published_before_commit", "deadline_not_cancelled", "pending_step_not_reissued"],
)
def test_the_simulator_finds_a_bug_within_a_few_seeds(name: str) -> None:
    find = look_for(BUGS[name], seeds=4, jobs=1)
    assert find.seeds is not None, find.message
