"""The children of one supervisor, in the order of their start, and what can be asked about them."""

from collections.abc import Hashable, Iterator

from actors.supervision.child_spec import ChildSpec, SupervisorSpec
from actors.supervision.supervisor_child import (
    ALIVE,
    DUE,
    Child,
    ChildCounts,
    ChildFacts,
    ChildInfo,
    ChildState,
    StartCause,
)
from actors.supervision.supervisor_errors import (
    AlreadyPresentError,
    AlreadyStartedError,
    ChildNotFoundError,
    ChildRestartingError,
    ChildRunningError,
)

_ACTIVE = frozenset({ChildState.RUNNING, ChildState.STOPPING})
_HELD = ALIVE | {ChildState.ENDED}
"""OTP's child has a pid: its end, if it came, was not dealt with."""


class ChildTable:
    """Children by name. Reading it from another thread is safe, and sees each child as it is."""

    __slots__ = ("_children", "_positions")

    def __init__(self) -> None:
        self._children: dict[Hashable, Child] = {}
        self._positions = 0

    def __iter__(self) -> Iterator[Child]:
        """Go through a copy, in the order of start, so that children may come and go meanwhile."""
        return iter(list(self._children.values()))

    def add(self, spec: ChildSpec, cause: StartCause) -> Child:
        """Append a child that waits for its start; raise OTP's error if there is one."""
        present = self._children.get(spec.name)
        if present is not None:
            error = AlreadyStartedError if present.state in _HELD else AlreadyPresentError
            raise error(spec.name)
        self._positions += 1
        child = self._children[spec.name] = Child(spec, self._positions, cause)
        return child

    def forget(self, child: Child) -> None:
        """Drop the child and its spec."""
        child.state = ChildState.STOPPED
        del self._children[child.spec.name]

    def find(self, name: Hashable) -> Child:
        """The child of that name; raise `ChildNotFoundError` without one."""
        child = self._children.get(name)
        if child is None:
            raise ChildNotFoundError(name)
        return child

    def find_stopped(self, name: Hashable) -> Child:
        """The child of that name if it is down for good; else raise OTP's error."""
        child = self.find(name)
        if child.state in _HELD:
            raise ChildRunningError(name)
        if child.state in DUE:
            raise ChildRestartingError(name)
        return child

    def incarnation(self, name: Hashable, incarnation: int) -> Child | None:
        """The child of that name, if this is its living incarnation."""
        child = self._children.get(name)
        if child is None or child.incarnation != incarnation or child.state not in ALIVE:
            return None
        return child

    def waiting(self, name: Hashable, incarnation: int) -> Child | None:
        """The child of that name, if it waits for its backoff after this incarnation."""
        child = self._children.get(name)
        if child is None or child.incarnation != incarnation:
            return None
        return child if child.state is ChildState.BACKOFF else None

    def infos(self) -> list[ChildInfo]:
        """A line for every child."""
        return [ChildInfo(each.spec.name, each.state, each.incarnation, each.spec) for each in self]

    def counts(self) -> ChildCounts:
        """OTP's four numbers."""
        children = list(self)
        supervisors = sum(isinstance(each.spec.start, SupervisorSpec) for each in children)
        return ChildCounts(
            specs=len(children),
            active=sum(each.state in _ACTIVE for each in children),
            supervisors=supervisors,
            workers=len(children) - supervisors,
        )


def facts_of(child: Child, now: int) -> ChildFacts:
    """What a live tree shows of the child."""
    state, window = child.state, child.window
    return ChildFacts(
        name=child.spec.name,
        state=state,
        incarnation=child.incarnation,
        restarts=0 if window is None else window.within(now),
        started_at=child.started_at if state is ChildState.RUNNING else None,
        due=child.due if state is ChildState.BACKOFF and child.due else None,
        last_failure=child.last_failure,
    )
