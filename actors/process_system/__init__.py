"""A whole system of real processes, run from Python: for chaos, and for users' own tests."""

from actors.process_system.process_system import ProcessSystem
from actors.process_system.settings import ProcessSystemSettings
from actors.process_system.system_error import ProcessSystemError, SystemInterruptedError

__all__ = ["ProcessSystem", "ProcessSystemError", "ProcessSystemSettings", "SystemInterruptedError"]
