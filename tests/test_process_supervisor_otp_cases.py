import pytest

from tests.supervisor_case_language import Case
from tests.supervisor_cases import OTP_CASES
from tests.supervisor_process_cases import fits, process_differences

# Python 3.12 warns of a fork in a process with threads: pytest-timeout's only waits.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

CASES = [case for case in OTP_CASES if fits(case)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_supervised_processes_do_as_otp(case: Case) -> None:
    assert process_differences(case) == []


def test_nearly_all_cases_fit_processes() -> None:
    assert len(CASES) >= 100
