"""One supervisor of a tree of processes: its machine, and what it has running."""

import random
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from actors.supervision.child_spec import ChildSpec, SupervisorSpec
from actors.supervision.process_events import Path
from actors.supervision.process_incarnation import Incarnation
from actors.supervision.process_spec import ProcessSpec
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_errors import SpecError


@dataclass(eq=False, slots=True)
class Node:
    """A supervisor in the tree.

    Attributes:
        path: its name, after those of the supervisors above it; empty for the topmost.
        incarnation: which of its parent's child it is.
        processes, nodes: what lives of its children, by name.
        ahead: processes that were started before their turn, by name.
        timers: when each is due, by key.
        was_ready: all children of its spec were started.
    """

    path: Path
    incarnation: int
    parent: "Node | None"
    machine: Supervisor
    processes: dict[Hashable, Incarnation] = field(default_factory=dict)
    nodes: dict[Hashable, "Node"] = field(default_factory=dict)
    ahead: dict[Hashable, Incarnation] = field(default_factory=dict)
    timers: dict[Hashable, int] = field(default_factory=dict)
    was_ready: bool = False

    def family(self) -> Iterator["Node"]:
        """Give this node and all below it."""
        yield self
        for node in list(self.nodes.values()):
            yield from node.family()

    def next_due(self) -> int | None:
        """Give when a timer or a process of this node alone is due."""
        dues = [each.next_due for each in self.processes.values()]
        return min((due for due in (*dues, *self.timers.values()) if due is not None), default=None)

    def due_timers(self, now: int) -> list[Hashable]:
        """Give the keys of the timers that are due, the earliest first."""
        due = sorted((at, number) for number, at in enumerate(self.timers.values()) if at <= now)
        keys = list(self.timers)
        return [keys[number] for _, number in due]

    def starts_with(self, first: ChildSpec) -> list[ChildSpec]:
        """Give the children after one that need not wait for it, and were not started yet."""
        specs = self.machine.spec.children
        if first not in specs:
            return []
        after = takewhile(_is_alongside, specs[specs.index(first) + 1 :])
        return [spec for spec in after if spec.name not in self.ahead]

    def stops_with(self, last: Hashable) -> list[Incarnation]:
        """Give what lives of the children before one that need not wait for its end."""
        infos = self.machine.which_children()
        position = [info.name for info in infos].index(last)
        found = []
        while position > 0 and _is_alongside(infos[position].spec):
            position -= 1
            if infos[position].name in self.processes:
                found.append(self.processes[infos[position].name])
        return found


def make_node(
    spec: SupervisorSpec,
    generator: random.Random,
    *,
    parent: Node | None = None,
    name: Hashable = None,
    incarnation: int = 1,
) -> Node:
    """Make a supervisor that is not started yet.

    Raises:
        SpecError: the spec contradicts itself, or a child of it is no process.
    """
    for child in spec.children:
        if not isinstance(child.start, ProcessSpec | SupervisorSpec):
            msg = f"child {child.name!r} must start a ProcessSpec or SupervisorSpec"
            raise SpecError(msg)
    path = () if parent is None else (*parent.path, name)
    return Node(path, incarnation, parent, Supervisor(spec, generator=generator))


def _is_alongside(spec: ChildSpec) -> bool:
    return isinstance(spec.start, ProcessSpec) and spec.start.alongside
