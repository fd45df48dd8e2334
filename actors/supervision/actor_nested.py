"""A supervisor under a supervisor. It runs in the tree's thread and costs no thread of its own."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from actors.supervision.actor_life import LifeListener
from actors.supervision.child_spec import ExitReason, SupervisorSpec

if TYPE_CHECKING:
    from actors.supervision.actor_child import ChildSlot
    from actors.supervision.actor_supervision import ActorSupervision


class NestedLife:
    """One incarnation of a nested supervisor: it listens to the supervisor, and is its child.

    Attributes:
        supervision: the nested supervisor.
    """

    __slots__ = ("_is_up", "_listener", "_parent", "supervision")

    def __init__(
        self,
        spec: SupervisorSpec,
        listener: LifeListener,
        parent: ActorSupervision,
        slots: dict[Hashable, ChildSlot],
    ) -> None:
        self.supervision = type(parent)(spec, parent.loop, parent.options, self, slots)
        self._parent = parent
        self._listener = listener
        self._is_up = False

    # -- as a child

    def start(self) -> None:
        """Begin."""
        self.supervision.start()

    def stop(self, reason: ExitReason) -> None:
        """Stop all children, and end."""
        del reason
        self.supervision.stop()

    def kill(self, reason: ExitReason | None = None) -> None:
        """End all children by force, and end."""
        del reason
        self.supervision.kill()

    def message_age(self) -> int | None:
        """A supervisor has no message in work."""
        return None

    # -- as what listens to the supervisor

    def ready(self) -> None:
        """Every child of the spec was started."""
        self._is_up = True
        self._listener.life_started()

    def given_up(self, name: Hashable, reason: ExitReason) -> None:
        """A child was over its own budget."""
        self._parent.listener.given_up(name, reason)

    def ended(self, reason: ExitReason) -> None:
        """The supervisor is over."""
        if self._is_up:
            self._listener.life_ended(reason)
        else:
            self._listener.life_not_started(reason)
