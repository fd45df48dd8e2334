"""The processes of a run under their supervisor: none is restarted, and one that dies ends it."""

from types import TracebackType
from typing import Self

from actors.command_line.child_specs import LAUNCHER
from actors.command_line.command_error import INTERRUPTED, CommandError
from actors.supervision.child_spec import SupervisorSpec
from actors.supervision.process_events import ChildStarting, ProcessEnded, ProcessEvent
from actors.supervision.process_supervisor import ProcessSupervisor
from transport.process_signals import StopSignals


class InterruptedRunError(CommandError):
    """The user asked to stop."""

    def __init__(self) -> None:
        super().__init__("interrupted", INTERRUPTED)


class RunChildren:
    """A run's processes; as a context manager it stops them at the end, in order, come what may.

    Args:
        spec: all of them.
        signals: what interrupts a wait; the second request is final.

    Attributes:
        pids: every process's id, by name.
        bad_ends: says of every process that did not end well how it did.
    """

    def __init__(self, spec: SupervisorSpec, signals: StopSignals) -> None:
        self.pids: dict[str, int] = {}
        self.bad_ends: list[str] = []
        self._signals = signals
        self._supervisor = ProcessSupervisor(spec)
        self._ended: set[str] = set()
        self._problem: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()
        self._supervisor.close()

    @property
    def launcher_ended(self) -> bool:
        """Whether the launcher is gone."""
        return LAUNCHER in self._ended or self._supervisor.ended is not None

    def fileno(self) -> int:
        """Give a descriptor that is readable when `check` may find something."""
        return self._supervisor.fileno()

    def start_all(self) -> None:
        """Start them, and wait until all are ready.

        Raises:
            CommandError: one cannot be; says which and why.
            InterruptedRunError: the user asked to stop.
        """
        self._supervisor.start()
        while not self._supervisor.ready:
            self._look(None)
            if self._signals.look():
                raise InterruptedRunError
            if self._problem is not None:
                raise CommandError(self._problem)

    def check(self) -> None:
        """Look after them, without waiting.

        Raises:
            CommandError: one ended; says which and how.
        """
        self.look()
        if self._problem is not None:
            msg = f"{self._problem}, while the run was on"
            raise CommandError(msg)

    def stop(self) -> None:
        """Begin to stop them, the launcher first; `look` goes on with it."""
        self._supervisor.stop()

    def look(self) -> None:
        """Look after them, without waiting, whether they live or not."""
        self._look(0)

    def stop_all(self) -> None:
        """Stop them in order, each within its time; at the user's second request, at once."""
        self.stop()
        while self._supervisor.ended is None:
            self._look(None)
            if self._signals.look() > 1:
                self._supervisor.kill()

    def _look(self, timeout: float | None) -> None:
        for event in self._supervisor.poll(timeout, others=self._signals.filenos()):
            self._note(event)

    def _note(self, event: ProcessEvent) -> None:
        match event:
            case ChildStarting(path=(name,), pid=int(pid)):
                self.pids[str(name)] = pid
            case ProcessEnded(path=(name,)):
                self._ended.add(str(name))
                if event.reason.abnormal:
                    self.bad_ends.append(event.story)
                self._problem = self._problem or event.story
            case _:
                pass
