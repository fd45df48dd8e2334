"""What supervised processes run in tests; importable, since they are spawned."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from actors.supervision.child_spec import ChildSpec, SupervisorSpec
from actors.supervision.process_events import ChildStarting, SupervisorReady
from actors.supervision.process_spec import ParentLink, ProcessSpec
from actors.supervision.process_supervisor import ProcessSupervisor
from transport.process_signals import StopSignals


def beating(parent: ParentLink) -> int:
    """A loop as it should be."""
    with StopSignals(parent.life_line) as signals:
        parent.ready()
        while not signals.look():
            signals.beat()
            select.select(signals.filenos(), [], [], 0.1)
            if signals.orphaned:
                return 1
    return 0


def hanging(parent: ParentLink) -> int:
    """A loop that looks at nothing any more."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.ready()
    while True:
        time.sleep(3600)


def never_ready(parent: ParentLink) -> int:
    return hanging(_Deaf(parent.life_line))


@dataclass
class _Deaf:
    life_line: int

    def ready(self) -> None:
        """Nobody is told."""


def refusing(parent: ParentLink) -> int:
    msg = "the door is shut"
    raise ValueError(msg)


def broken_at_start(parent: ParentLink) -> int:
    raise LookupError(parent.life_line)


def broken_later(parent: ParentLink) -> int:
    parent.ready()
    msg = "the last words"
    raise ValueError(msg)


@dataclass(frozen=True)
class Exiting:
    """Ends with a status as soon as it is ready."""

    status: int

    def __call__(self, parent: ParentLink) -> int:
        parent.ready()
        return self.status


@dataclass(frozen=True)
class WithChild:
    """Starts a process of its own, writes its id, and hangs."""

    note: Path

    def __call__(self, parent: ParentLink) -> int:
        own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        self.note.write_text(str(own.pid))
        return hanging(parent)


def family() -> SupervisorSpec:
    return SupervisorSpec(
        tuple(
            ChildSpec(name, ProcessSpec(entry, alongside=True))
            for name, entry in (("beating", beating), ("hanging", hanging), ("stopped", beating))
        )
    )


def supervise() -> None:
    """Supervise a family, say who is in it, and go on until killed."""
    with ProcessSupervisor(family()) as supervisor:
        while True:
            for event in supervisor.poll(None):
                match event:
                    case ChildStarting(path=(name,), pid=pid):
                        _say(f"{name} {pid}")
                    case SupervisorReady():
                        _say(f"ready {os.getpid()}")
                    case _:
                        pass


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["thread"]:
        thread = threading.Thread(target=supervise, daemon=True)
        thread.start()
        thread.join()
    else:
        supervise()
