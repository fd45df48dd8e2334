"""An observer of the simulated world: what `transport.zeromq.observer` is, on simulated sockets."""

from collections.abc import Callable
from functools import partial

from actors.simulation.launcher_node import LauncherNode
from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Laziness, Node
from actors.simulation.sockets import LinkFaults, Sockets, Subscriber
from transport.event_stream.items import Item
from transport.event_stream.observer_session import ObserverSession
from transport.memory_network import Frames

TICK = 100_000_000
"""The session is given the time at least this often, in nanoseconds."""


class ObserverNode(Node):
    """One life of an observer.

    Args:
        sockets: what it connects to.
        clock: of its machine.
        session: decides everything.
        launcher: gives the launcher that lives; None while there is none.
        take: takes what it is handed.
        laziness: how often it hears late that something came.
        faults: of its links.
    """

    def __init__(
        self,
        *,
        sockets: Sockets,
        name: str,
        clock: MachineClock,
        session: ObserverSession,
        launcher: Callable[[], LauncherNode | None],
        take: Callable[[Item], None],
        laziness: Laziness,
        faults: LinkFaults,
    ) -> None:
        super().__init__(sockets.network, clock, laziness, self._round)
        self.name = name
        self.session = session
        self.faults = faults
        self._launcher = launcher
        self._take = take
        self.subscriber = Subscriber(sockets, self.hear, faults)
        self._answers: list[Frames] = []
        self.wake()

    def die(self) -> None:
        """End at once."""
        super().die()
        self.subscriber.close()

    def launcher_died(self) -> None:
        """See that the launcher's process is gone."""
        self.subscriber.launcher_died()

    def _round(self) -> None:
        while (frames := self.subscriber.receive()) is not None:
            for frame in frames:
                self.session.receive_stream(frame, self.now)
        answers, self._answers = self._answers, []
        for answer in answers:
            self.session.receive_answer(answer, self.now)
        self.session.tick(self.now)
        for question in self.session.questions():
            self._send_later(partial(self._ask, [question]))
        for item in self.session.items():
            self._take(item)
        due = self.session.deadline
        self.wake_at(max(self.now + 1, min(due or self.now + TICK, self.now + TICK)))

    def _send_later(self, action: Callable[[], None]) -> None:
        """Let a question or an answer arrive, or be lost."""
        if self.faults.questions > 0:
            self.faults.questions -= 1
            return
        self.network.at(self.network.clock.now + self.network.delay(), action)

    def _ask(self, question: Frames) -> None:
        launcher = self._launcher()
        if launcher is not None:
            launcher.ask(question, lambda frames: self._send_later(lambda: self._answered(frames)))

    def _answered(self, frames: Frames) -> None:
        if self.alive:
            self._answers.append(frames)
            self.hear()
