import pytest

from tests.supervised_actor_cases import THREADS_CANNOT, TURNS_CANNOT, differences
from tests.supervised_actors import Dispatched, Threaded
from tests.supervisor_case_language import Case
from tests.supervisor_cases import OTP_CASES


def crashes_a_supervisor(case: Case) -> bool:
    """Whether a supervisor itself is to crash; here it is no actor that could."""
    groups = {str(each.name) for each in case.spec.children if hasattr(each.start, "children")}
    return any(
        step.verb in {"crash", "exit", "shut"} and step.path[-1] in groups for step in case.steps
    )


POSSIBLE = [case for case in OTP_CASES if not crashes_a_supervisor(case)]
IN_TURNS = [case for case in POSSIBLE if not case.verbs & TURNS_CANNOT]
IN_THREADS = [case for case in POSSIBLE if not case.verbs & THREADS_CANNOT]


@pytest.mark.parametrize("case", IN_TURNS, ids=lambda case: case.title)
def test_dispatched_actors_do_as_otp(case: Case) -> None:
    assert differences(case, Dispatched) == []


@pytest.mark.parametrize("case", IN_THREADS, ids=lambda case: case.title)
def test_threading_actors_do_as_otp(case: Case) -> None:
    assert differences(case, Threaded) == []


def test_most_of_the_cases_can_be_run() -> None:
    assert len(IN_TURNS) >= 60
    assert len(IN_THREADS) >= 60
