import random

import pytest

from actors.supervision.child_spec import SupervisorSpec
from actors.supervision.supervisor import Supervisor
from tests.supervisor_cases import OTP_CASES
from tests.supervisor_random_trees import difference
from tests.supervisor_stepped_cases import differences
from tests.supervisor_wrong import WRONG

ENOUGH = 100
"""Random trees within which each mistake shows."""


@pytest.mark.parametrize("wrong", WRONG)
def test_the_cases_catch_a_wrong_supervisor(wrong: type[Supervisor]) -> None:
    def make(spec: SupervisorSpec, generator: random.Random) -> Supervisor:
        return wrong(spec, generator=generator)

    assert [case.title for case in OTP_CASES if differences(case, make)]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_comparison_with_the_model_catches_a_wrong_supervisor(wrong: type[Supervisor]) -> None:
    def make(spec: SupervisorSpec, generator: random.Random) -> Supervisor:
        return wrong(spec, generator=generator)

    assert [seed for seed in range(ENOUGH) if difference(seed, make)]
