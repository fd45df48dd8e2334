"""One window's life, as a state machine."""

from enum import Enum

from transport.messages import CommandIdentity


class WindowState(Enum):
    """Where a window is in its life."""

    CREATING = "creating"
    READY = "ready"
    POOLED = "pooled"
    PROMOTED = "promoted"
    CLOSING = "closing"
    CLOSED = "closed"
    CRASHED = "crashed"


class Happening(Enum):
    """What can happen to a window."""

    BECAME_READY = "became ready"
    ADDED = "was added to the pool"
    SHOWN = "was shown to the user"
    DEMOTED = "was handed back"
    USER_CLOSED = "was closed by the user"
    REAPED = "had its panes reaped"
    DISCARDED = "was discarded"
    CRASHED = "crashed"


class IllegalTransitionError(Exception):
    """A window cannot do what it was told to; names its state and the happening."""


def next_state(state: WindowState, happening: Happening) -> WindowState:
    """Give the state that follows.

    Raises:
        IllegalTransitionError: nothing follows.
    """
    s, h = WindowState, Happening
    match state, happening:
        case s.CREATING, h.BECAME_READY:
            following = s.READY
        case s.READY, h.ADDED:
            following = s.POOLED
        case ((s.READY | s.POOLED), h.SHOWN):
            following = s.PROMOTED
        case s.PROMOTED, h.DEMOTED:
            following = s.POOLED
        case s.PROMOTED, h.USER_CLOSED:
            following = s.CLOSING
        case s.CLOSING, h.REAPED:
            following = s.CLOSED
        case ((s.CREATING | s.READY | s.POOLED), h.DISCARDED):
            following = s.CLOSED
        case ((s.CREATING | s.READY | s.POOLED | s.PROMOTED | s.CLOSING), h.CRASHED):
            following = s.CRASHED
        case _:
            msg = f"a window that is {state.value} cannot be one that {happening.value}"
            raise IllegalTransitionError(msg)
    return following


class Window:
    """A window.

    Attributes:
        identity: of the command that asked for it; None for one that was opened cold.
        label: given when it is ready, so that failed creations leave no hole in the numbers.
    """

    __slots__ = ("identity", "label", "state")

    def __init__(self, identity: CommandIdentity | None = None) -> None:
        self.identity = identity
        self.state = WindowState.CREATING
        self.label = ""

    def undergo(self, happening: Happening) -> None:
        """Go on to the next state.

        Raises:
            IllegalTransitionError: this cannot happen to it now.
        """
        self.state = next_state(self.state, happening)
