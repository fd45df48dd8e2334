"""What a child is that is an OS process: the `start` of its `ChildSpec`.

A child is started with multiprocessing's *spawn* on a picklable entry, in a session of its own:
Ctrl-C in a terminal reaches only the parent, which then stops its children in their order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class ParentLink(Protocol):
    """What a child process has of its parent.

    Attributes:
        life_line: a descriptor that reads end of file when the parent is gone; for
            `transport.process_signals.StopSignals`, whose `beat` also tells over it that the loop
            lives. Whoever takes it closes it.
    """

    life_line: int

    def ready(self) -> None:
        """Tell the parent, once, that this process does now what it is for."""


Entry = Callable[[ParentLink], int]
"""What runs in a child; picklable. Gives the exit status."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What a process is started with, and what is expected of it.

    Attributes:
        entry: what it runs.
        ready_within: seconds from its start until it must be ready.
        silence: seconds without a beat of its loop after which it is killed and counts as crashed;
            None for an entry that does not beat. Loops beat at least once a second.
        final_statuses: exit statuses after which it is never started again, even if it is
            permanent: an end that is as it should be, and says so.
        refusals: exceptions whose text alone says why it cannot start, without a traceback.
        output: file to which what it writes is added; None for the parent's stderr.
        alongside: its order to the child before it does not matter: it is started while that one
            is not ready yet, and that one is told to stop with it when all stop.
    """

    entry: Entry
    ready_within: float = 30.0
    silence: float | None = None
    final_statuses: frozenset[int] = frozenset()
    refusals: tuple[type[Exception], ...] = (OSError, ValueError)
    output: Path | None = None
    alongside: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """An entry from a function that knows nothing of its parent.

    It is ready at once, and ends with exit status 0 when the function returns.
    """

    function: Callable[[], object]

    def __call__(self, parent: ParentLink) -> int:
        """Run it."""
        parent.ready()
        self.function()
        return 0
