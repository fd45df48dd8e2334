import pytest

from tests.supervisor_random_trees import difference


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_the_supervisor_does_what_the_reference_model_does(first: int) -> None:
    assert [text for seed in range(first, first + 50) if (text := difference(seed))] == []
