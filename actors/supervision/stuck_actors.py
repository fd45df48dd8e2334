"""Actors that are alive and get nowhere: how they are noticed, and what can be done.

A thread cannot be killed. So the ladder is: tell the actor to stop; give it its deadline; abandon
it, which is to start the next incarnation beside the thread that hangs; and abandon no more than a
budget allows, for each such thread keeps its memory and its locks. Over the budget a start fails
with `TooManyStuckError`, so that the supervisor gives up by its own rules and says why; a program
that would rather end at once hands in a callback, for example `exit_process`.

An actor on a dispatcher hangs together with all the others, and only somebody outside can notice:
`DispatcherWatchdog`.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from actors.dispatcher import Dispatcher
from actors.timers import SECOND

EXIT_STATUS = 70
"""EX_SOFTWARE of sysexits.h."""


class TooManyStuckError(RuntimeError):
    """As many threads hang as may hang; no other actor is started in their place."""


@dataclass(frozen=True, slots=True)
class StuckReport:
    """Told to the callback that may give up the process.

    Attributes:
        stuck: how many threads hang.
        detail: for people.
    """

    stuck: int
    detail: str


GiveUp = Callable[[StuckReport], None]
"""Called when nothing but the end of the process helps; it may return, and is not called again."""


def exit_process(report: StuckReport) -> None:
    """Give up the process: say why on stderr, and exit without waiting for any thread."""
    sys.stderr.write(f"giving up: {report.detail}\n")
    sys.stderr.flush()
    os._exit(EXIT_STATUS)


class StuckBudget:
    """Counts the threads that were abandoned and still hang.

    Args:
        limit: how many may hang at a time.
        give_up: called once, when one more would have to.
    """

    def __init__(self, limit: int = 8, give_up: GiveUp | None = None) -> None:
        self.limit = limit
        self.abandoned = 0
        self._give_up = give_up
        self._threads: list[Thread] = []
        self._lock = Lock()

    @property
    def hanging(self) -> int:
        """How many abandoned threads still hang; one that came back and ended counts no more."""
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            return len(self._threads)

    def abandon(self, thread: Thread) -> None:
        """Count a thread that is left alone."""
        with self._lock:
            self.abandoned += 1
            self._threads.append(thread)

    def check(self) -> None:
        """Refuse to let another actor take the place of one that hangs, if they are too many.

        Raises:
            TooManyStuckError: they are.
        """
        if not self._threads or (hanging := self.hanging) < self.limit:
            return
        detail = f"{hanging} abandoned threads hang, the limit is {self.limit}"
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            give_up(StuckReport(hanging, detail))
        raise TooManyStuckError(detail)


class DispatcherWatchdog:
    """A thread that gives up the process when a dispatcher is in one turn for too long.

    Args:
        deadline: seconds that a turn may take.
        give_up: called once, from the watchdog's thread.
    """

    def __init__(self, dispatcher: Dispatcher, deadline: float, give_up: GiveUp) -> None:
        self._dispatcher = dispatcher
        self._deadline = deadline
        self._give_up = give_up
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="dispatcher-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(self._deadline / 4):
            seconds = turn_age(self._dispatcher) / SECOND
            if seconds > self._deadline:
                detail = f"a dispatched actor has been in one turn for {seconds:.3g} s"
                self._give_up(StuckReport(1, detail))
                return


def turn_age(dispatcher: Dispatcher) -> int:
    """Give for how long the turn under way has been, in nanoseconds; from any thread."""
    began = dispatcher.turn_began
    return 0 if dispatcher.current is None else max(0, dispatcher.clock() - began)
