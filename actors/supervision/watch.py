"""Watching: being told, once, that an incarnation of a child ended, and how."""

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pykka import ActorDeadError

from actors.supervision.child_spec import ExitReason
from actors.supervision.dead_letters import Tellable
from actors.supervision.mailbox_options import SupervisionMessage

if TYPE_CHECKING:
    from actors.supervision.handle import Handle

logger = logging.getLogger("muxsaga")


@dataclass(frozen=True, slots=True)
class Terminated(SupervisionMessage):
    """Told to a watcher; it comes in whatever the bound of the watcher's mailbox.

    Attributes:
        name: the child's name.
        incarnation: which of its incarnations ended; 0 if there never was one.
    """

    name: Hashable
    incarnation: int
    reason: ExitReason


def watch(target: "Handle", watcher: Tellable) -> None:
    """Have a watcher told `Terminated` when the child's incarnation ends, exactly once.

    If the child is down, the watcher is told at once, of its last end. To watch the next
    incarnation too, watch again. Watching twice is watching once.
    """
    target.post.watch(watcher)


def unwatch(target: "Handle", watcher: Tellable) -> None:
    """Tell a watcher nothing more; what is in its mailbox already still comes."""
    target.post.unwatch(watcher)


def tell_safely(receiver: Tellable, message: Any) -> bool:
    """Tell a receiver that may be dead, or full, and say whether it took the message."""
    try:
        receiver.tell(message)
    except ActorDeadError:
        return False
    except Exception:
        logger.exception("A receiver refused %r:", message)
        return False
    return True
