"""The pytest plugin: fixtures for tests of sagas, active wherever muxsaga is installed.

It is loaded into every run of pytest, so it imports nothing but pytest itself: a fixture brings
what it needs when a test asks for it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from actors.saga_test_kit import (
        BothOrders,
        CrashAtEveryStep,
        SimulatedSystems,
        SystemsOfProcesses,
    )


@pytest.fixture
def simulated_system(
    request: pytest.FixtureRequest, tmp_path: Path
) -> "Iterator[SimulatedSystems]":
    """Make simulated systems: whole ones, under virtual time, each from a seed.

    Each is brought to rest and judged by the checker when the test is over.
    """
    from actors.saga_test_kit import SimulatedSystems  # noqa: PLC0415 - see the module's head

    systems = SimulatedSystems()
    yield systems
    _fail_with(None if _is_interrupted(request) else systems.complaint(tmp_path))


@pytest.fixture
def process_system(
    request: pytest.FixtureRequest, tmp_path: Path
) -> "Iterator[SystemsOfProcesses]":
    """Make systems of real processes, with a relay in every link.

    Each is brought to rest and judged by the checker when the test is over; no process is left.
    """
    from actors.saga_test_kit import SystemsOfProcesses  # noqa: PLC0415 - see the module's head

    systems = SystemsOfProcesses()
    try:
        yield systems
        complaint = None if _is_interrupted(request) else systems.complaint(tmp_path)
    finally:
        systems.discard()
    _fail_with(complaint)


@pytest.fixture
def crash_at_every_step() -> "CrashAtEveryStep":
    """Run a scenario without a crash, and then with one at each of its steps."""
    from actors.saga_test_kit import CrashAtEveryStep  # noqa: PLC0415 - see the module's head

    return CrashAtEveryStep()


@pytest.fixture
def both_orders() -> "BothOrders":
    """Run a scenario in which two things race, once in each order."""
    from actors.saga_test_kit import BothOrders  # noqa: PLC0415 - see the module's head

    return BothOrders()


def _is_interrupted(request: pytest.FixtureRequest) -> bool:
    """Say whether the user pressed Ctrl-C: then nobody wants to wait for a judgement."""
    return request.session.exitstatus == pytest.ExitCode.INTERRUPTED


def _fail_with(complaint: str | None) -> None:
    if complaint is not None:
        pytest.fail(complaint, pytrace=False)
