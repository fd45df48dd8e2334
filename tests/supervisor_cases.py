"""OTP's rules, case by case, for every adapter; the language is in `supervisor_case_language`."""

from tests.supervisor_cases_lifetime import AUTO_SHUTDOWN_CASES, SHUTDOWN_CASES, START_CASES
from tests.supervisor_cases_nested import NESTED_CASES
from tests.supervisor_cases_requests import REQUEST_CASES, ROUND_CASES
from tests.supervisor_cases_restarts import INTENSITY_CASES, RESTART_CASES

OTP_CASES = (
    *RESTART_CASES,
    *INTENSITY_CASES,
    *START_CASES,
    *SHUTDOWN_CASES,
    *AUTO_SHUTDOWN_CASES,
    *REQUEST_CASES,
    *ROUND_CASES,
    *NESTED_CASES,
)
