"""What everything that is done to a system, or with it, stands on: its processes, and waiting."""

from collections.abc import Callable

from actors.process_system.processes import ProcessState, SystemProcesses
from actors.process_system.system_error import ProcessSystemError
from actors.process_system.system_loop import SystemLoop

WAIT_SECONDS = 30.0


class RunningSystem:
    """A system's processes by name, and its loop. It belongs to one thread.

    Args:
        loop: everything that is open in it.
    """

    def __init__(self, loop: SystemLoop) -> None:
        self._loop = loop

    @property
    def processes(self) -> SystemProcesses:
        """Its processes, for those who must not wait: `kill`, `suspend` and `resume` at once."""
        return self._loop.processes

    @property
    def names(self) -> tuple[str, ...]:
        """The processes' names."""
        return tuple(self.processes.states)

    def is_ready(self, name: str) -> bool:
        """Say whether a process is ready, and does not stand still.

        Raises:
            ProcessSystemError: there is no such process.
        """
        return self.processes.states[self._known(name)] is ProcessState.READY

    def poll(self, seconds: float) -> None:
        """Take what happens, waiting for it at most so long, and at most 50 ms."""
        self._loop.poll(seconds)

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        """Take what happens until something holds.

        Args:
            holds: asked after everything that happens, and at least every 50 ms.
            what: is waited for, for people.
            seconds: to wait at most.

        Raises:
            ProcessSystemError: it does not come in time, or the system is over; says how it is.
        """
        self._loop.wait_for(holds, what, seconds)

    def _known(self, name: str) -> str:
        if name not in self.processes.states:
            msg = f"there is no process {name!r}; there are {', '.join(self.names)}"
            raise ProcessSystemError(msg)
        return name
