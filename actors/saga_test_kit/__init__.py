"""For tests of sagas: whole systems that a test breaks, and that are judged in the end.

The pytest plugin (`actors.pytest_plugin`) gives them as fixtures. What is exported here is for
annotations, and for tests without pytest.
"""

from actors.saga_test_kit.both_orders import Race, both_orders
from actors.saga_test_kit.bracket import Bracket, BracketBook, OpenBracket
from actors.saga_test_kit.every_step import crash_at_every_step
from actors.saga_test_kit.expected import BracketNotSeenError
from actors.saga_test_kit.failed_runs import ScenarioFailedError
from actors.saga_test_kit.given_systems import (
    BothOrders,
    CrashAtEveryStep,
    SimulatedSystems,
    SystemsOfProcesses,
)
from actors.saga_test_kit.process_system import SystemOfProcesses
from actors.saga_test_kit.simulated_system import SimulatedSystem
from actors.saga_test_kit.system import NotInTimeError, RefusedError, System
from actors.saga_test_kit.verdict import Verdict
from transport.checker import Ending

__all__ = [
    "BothOrders",
    "Bracket",
    "BracketBook",
    "BracketNotSeenError",
    "CrashAtEveryStep",
    "Ending",
    "NotInTimeError",
    "OpenBracket",
    "Race",
    "RefusedError",
    "ScenarioFailedError",
    "SimulatedSystem",
    "SimulatedSystems",
    "System",
    "SystemOfProcesses",
    "SystemsOfProcesses",
    "Verdict",
    "both_orders",
    "crash_at_every_step",
]
