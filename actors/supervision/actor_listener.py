"""What an adapter's supervisor tells whoever runs it: the tree's root, or its own supervisor."""

from collections.abc import Hashable
from typing import Protocol

from actors.supervision.child_spec import ExitReason


class SupervisionListener(Protocol):
    """Told what becomes of a supervisor, in the tree's thread."""

    def ready(self) -> None:
        """Every child of the spec was started."""

    def given_up(self, name: Hashable, reason: ExitReason) -> None:
        """A child was over its own budget."""

    def ended(self, reason: ExitReason) -> None:
        """The supervisor is over."""
