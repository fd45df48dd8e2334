"""Supervises OS processes by the rules of `Supervisor`: starts, watches, stops, restarts them.

One thread and one loop. It can be the program's own (`run`), or be embedded in another one: that
one polls `fileno` beside its own descriptors, wakes up at `next_due`, and calls `poll(0)`.

Supervisors under supervisors run in the same loop of the same process: only leaves are processes.
A child that ends takes along what it has started itself, as far as that is in its process group.
"""

import math
import random
import select
import time
from collections.abc import Callable, Hashable, Sequence
from types import TracebackType
from typing import Self

from actors.supervision.child_spec import SECOND, ChildSpec, ExitReason, SupervisorSpec
from actors.supervision.process_events import ProcessEvent
from actors.supervision.process_node import make_node
from actors.supervision.process_tree import ProcessTree
from actors.supervision.supervisor import Supervisor


class ProcessSupervisor:
    """A supervisor whose children are OS processes, or supervisors of such.

    It belongs to one thread, best the main one (`process_death` says why). As a context manager it
    starts its children, and at the end stops them in order, come what may.

    Args:
        spec: its children's `start` are `ProcessSpec`s and `SupervisorSpec`s.
        generator: chance, for the backoff.
        clock: nanoseconds; only differences count.

    Raises:
        SpecError: the spec contradicts itself.
    """

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        generator: random.Random | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        chance = generator or random.Random()  # noqa: S311 - it only spreads restarts
        self._clock = clock
        self._tree = ProcessTree(make_node(spec, chance), chance, clock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- questions -------------------------------------------------------------------------------

    @property
    def machine(self) -> Supervisor:
        """The topmost supervisor's rules, for questions: `which_children`, `count_children`."""
        return self._tree.root.machine

    @property
    def ready(self) -> bool:
        """Whether every child of the spec was started."""
        return self._tree.root.was_ready

    @property
    def ended(self) -> ExitReason | None:
        """How it ended, if it did; no process of it is left then."""
        return self._tree.ended

    def pid(self, *path: Hashable) -> int | None:
        """Give the process id of a child that lives; its name follows its supervisors' names."""
        *above, name = path
        node = self._tree.root
        for each in above:
            if each not in node.nodes:
                return None
            node = node.nodes[each]
        child = node.processes.get(name)
        return None if child is None else child.pid

    # --- requests --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to start the children, in order; `poll` goes on with it."""
        self._tree.carry_out(self._tree.root, self.machine.start(self._clock()))

    def stop(self) -> None:
        """Begin to stop the children, in the reverse order; `poll` goes on with it."""
        self._tree.carry_out(self._tree.root, self.machine.stop(self._clock()))

    def kill(self) -> None:
        """End all children by force; `poll` sees to it."""
        self._tree.carry_out(self._tree.root, self.machine.kill(self._clock()))

    def start_child(self, spec: ChildSpec) -> None:
        """Add a child; see `Supervisor.start_child`."""
        self._tree.carry_out(self._tree.root, self.machine.start_child(spec, self._clock()))

    def terminate_child(self, name: Hashable) -> None:
        """Stop a child for good; see `Supervisor.terminate_child`."""
        self._tree.carry_out(self._tree.root, self.machine.terminate_child(name, self._clock()))

    def restart_child(self, name: Hashable) -> None:
        """Start a stopped child; see `Supervisor.restart_child`."""
        self._tree.carry_out(self._tree.root, self.machine.restart_child(name, self._clock()))

    def delete_child(self, name: Hashable) -> None:
        """Forget a stopped child; see `Supervisor.delete_child`."""
        self._tree.carry_out(self._tree.root, self.machine.delete_child(name, self._clock()))

    # --- the loop --------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Give a descriptor that is readable when a process said something or ended."""
        return self._tree.selector.fileno()

    @property
    def next_due(self) -> int | None:
        """When, by the clock, `poll` has something to do if no process does anything before."""
        if self._tree.events:
            return self._clock()
        dues = [node.next_due() for node in self._tree.root.family()]
        return min((due for due in dues if due is not None), default=None)

    def poll(self, timeout: float | None = 0, *, others: Sequence[int] = ()) -> list[ProcessEvent]:
        """Wait until something happens, deal with it, and tell it.

        Args:
            timeout: seconds to wait at most; None waits as long as it takes.
            others: descriptors that end the wait when they are readable.
        """
        if self.ended is None:
            self._wait(timeout, others)
            self._tree.take(self._tree.selector.select(0))
        told = list(self._tree.events)
        self._tree.events.clear()
        return told

    def _wait(self, timeout: float | None, others: Sequence[int]) -> None:
        due, waits = self.next_due, [] if timeout is None else [timeout]
        if due is not None:
            waits.append(max(0.0, (due - self._clock()) / SECOND))
        poll = select.poll()
        for fileno in (self.fileno(), *others):
            poll.register(fileno, select.POLLIN)
        poll.poll(math.ceil(min(waits) * 1000) if waits else None)

    def run(self) -> ExitReason:
        """Go round until it is over, and give how it ended."""
        while self.ended is None:
            self.poll(None)
        return self.ended

    def close(self) -> None:
        """Stop all children, each within its own time, and let go of everything."""
        if self.ended is None:
            self.stop()
            self.run()
        self._tree.selector.close()
