import pytest

from actors.simulation import read_profile, run_seed
from actors.simulation.world import json_lines
from tests import determinism


@pytest.mark.parametrize(("profile", "seeds"), [("calm", range(20)), ("cruel", range(8))])
@pytest.mark.timeout(300)
def test_seeds_give_the_same_history_twice_and_under_another_hash_seed(
    profile: str, seeds: range
) -> None:
    assert determinism.compare(seeds, profile) == []


def test_another_seed_gives_another_history() -> None:
    calm = read_profile("calm")
    one, two = (b"".join(json_lines(run_seed(seed, calm).lines)) for seed in (1, 2))
    assert one != two
