"""The live tree of a supervisor, made without asking any actor, so also while one hangs."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from actors.supervision.actor_child import ChildSlot
from actors.supervision.actor_supervision import ActorSupervision
from actors.supervision.supervisor_child import ChildFacts, ChildState
from actors.timers import SECOND


@dataclass(frozen=True, slots=True)
class TreeNode:
    """What is to be seen of a child, at the moment of asking.

    Attributes:
        is_supervisor: whether it is a nested supervisor.
        incarnation: how often it was started, by the supervisor that now is.
        restarts: its restarts in the window that now ends.
        depth: how many messages wait for it.
        message_age: for how many seconds the message in work has been; None if there is none.
        last_failure: of its last abnormal end.
    """

    name: Hashable
    is_supervisor: bool
    state: ChildState
    incarnation: int
    restarts: int
    depth: int
    message_age: float | None
    last_failure: str | None
    children: tuple["TreeNode", ...] = ()

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The node and all under it, a line each, for people."""
        parts = [f"{'  ' * indent}{self.name}", str(self.state), f"incarnation {self.incarnation}"]
        if self.restarts:
            parts.append(f"{self.restarts} restarts")
        if not self.is_supervisor:
            parts.append(f"{self.depth} waiting")
        if self.message_age is not None:
            parts.append(f"in work for {self.message_age:.3f} s")
        if self.last_failure is not None:
            parts.append(f"last failure: {self.last_failure}")
        yield "  ".join(parts)
        for child in self.children:
            yield from child.lines(indent + 1)


def tree_of(supervision: ActorSupervision) -> tuple[TreeNode, ...]:
    """The children of a supervisor, in the order of their start; from any thread."""
    now = supervision.options.clock()
    return tuple(
        _node(facts, supervision.slots.get(facts.name)) for facts in supervision.machine.facts(now)
    )


def _node(facts: ChildFacts, slot: ChildSlot | None) -> TreeNode:
    life = None if slot is None else slot.life
    age = None if life is None else life.message_age()
    nested = None if life is None else life.nested
    depth = slot.post.depth() if slot is not None and slot.post is not None else 0
    return TreeNode(
        name=facts.name,
        is_supervisor=nested is not None or (slot is not None and slot.inner is not None),
        state=facts.state,
        incarnation=facts.incarnation,
        restarts=facts.restarts,
        depth=depth,
        message_age=None if age is None else age / SECOND,
        last_failure=None if facts.last_failure is None else str(facts.last_failure),
        children=() if nested is None else tree_of(nested),
    )
