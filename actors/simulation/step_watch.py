"""Who is told of every step of a simulated world, and can let a process die of it."""

from actors.saga import Saga
from actors.saga_actor import Turn
from actors.simulation.launcher_port import Doing, Moment
from transport.history_lines import HostLine


class StepWatch:
    """Lets every step pass; a class that does otherwise overrides what it needs."""

    def launcher_moment(self, moment: Moment, doing: Doing) -> None:
        """Hear that the launcher is at a moment of a pass.

        Raises:
            LauncherKilledError: to have it killed there.
        """

    def saga_turn(self, saga: Saga, turn: Turn) -> None:
        """Hear that a saga is about to be handed something.

        Raises:
            InjectedCrashError: to have its actor crash there.
        """

    def peer_step(self, line: HostLine) -> None:
        """Hear what a host or service did, in a round of its loop.

        Raises:
            PeerKilledError: to have it killed there.
        """
