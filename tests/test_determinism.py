import pytest

from actors.simulation import SimulationSettings, simulate
from actors.simulation.world import json_lines
from tests import determinism


@pytest.mark.timeout(300)
def test_fifty_seeds_give_the_same_history_twice_and_under_another_hash_seed() -> None:
    assert determinism.compare(range(50)) == []


def test_another_seed_gives_another_history() -> None:
    one, two = (
        b"".join(json_lines(simulate(SimulationSettings(seed=seed, promotes=3)))) for seed in (1, 2)
    )
    assert one != two
