import pytest

from tests.supervisor_case_language import Case
from tests.supervisor_cases import OTP_CASES
from tests.supervisor_stepped_cases import differences


@pytest.mark.parametrize("case", OTP_CASES, ids=lambda case: case.title)
def test_the_stepped_tree_does_as_otp(case: Case) -> None:
    assert differences(case) == []


def test_there_are_at_least_sixty_cases_with_a_title_each() -> None:
    assert len({case.title for case in OTP_CASES}) == len(OTP_CASES) >= 60
