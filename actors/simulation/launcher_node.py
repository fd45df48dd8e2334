"""A launcher of the simulated world: its passes are production's, its sockets simulated."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from actors.engine import Engine
from actors.engine_keeper import EngineGaveUpError, EngineKeeper, MakeEngine
from actors.launcher_passes import FRAMES_A_PASS, LauncherPasses
from actors.simulation.launcher_port import (
    Doom,
    DoomedLog,
    LauncherKilledError,
    SimulatedPort,
)
from actors.simulation.machine_clock import MachineClock
from actors.simulation.node import Laziness, Node
from actors.simulation.simulated_saga_log import SimulatedSagaLog
from actors.simulation.sockets import Publisher, Router, Sockets
from transport.event_stream.query_session import PageLimits, QuerySession
from transport.memory_network import Frames


@dataclass(frozen=True, slots=True)
class LauncherHooks:
    """What a launcher tells the world; each is called at the moment itself.

    Attributes:
        outage: the log could not be written for the reason given; "" when it can again.
        ended: its process is gone: it was killed at the armed moment, or gave up.
        crashed: its engine raised something that nobody asked for.
    """

    outage: Callable[[str], None]
    ended: Callable[[str], None]
    crashed: Callable[[Exception], None]


def _nothing() -> None:
    """Do nothing."""


class _WatchedKeeper(EngineKeeper):
    """Tells of each engine that raised."""

    def __init__(self, make: MakeEngine, budget: int, crashed: Callable[[Exception], None]) -> None:
        super().__init__(make, budget)
        self._crashed = crashed

    def replace(self, error: Exception, now: int) -> None:
        """Tell of the one that raised, and make another."""
        self._crashed(error)
        super().replace(error, now)


class LauncherNode(Node):
    """One life of the launcher.

    Args:
        sockets: where it binds.
        clock: of its machine.
        make: makes its engine.
        budget: see `EngineKeeper`.
        log: outlives it.
        generator: chance for what its loop is free to do.
        laziness: how often it hears late that something came.
        short_pass: how often a pass reads only some of what waits, from 0 to 1.
        pages: how much one answer to a question has.
        hooks: what it tells the world.

    Attributes:
        doom: the moment of a pass in which it is to be killed.
        when_killed: called when it was.
    """

    def __init__(
        self,
        *,
        sockets: Sockets,
        clock: MachineClock,
        make: MakeEngine,
        budget: int,
        log: SimulatedSagaLog,
        generator: Random,
        laziness: Laziness,
        short_pass: float,
        pages: PageLimits,
        hooks: LauncherHooks,
    ) -> None:
        super().__init__(sockets.network, clock, laziness, self._round)
        self.doom = Doom()
        self.when_killed: Callable[[], None] = _nothing
        self._generator = generator
        self._short_pass = short_pass
        self._hooks = hooks
        self._sockets = sockets
        self._router = sockets.router = Router(self.hear, generator)
        self._publisher = sockets.publisher = Publisher(generator)
        self._crash_asked = False
        self._stops = 0
        reader = log.reader()
        self._port = SimulatedPort(
            router=self._router,
            publisher=self._publisher,
            clock=lambda: self.now,
            doom=self.doom,
            outage=hooks.outage,
            published=reader.view().last,
        )
        keeper = _WatchedKeeper(make, budget, self._engine_crashed)
        self._passes = LauncherPasses(keeper, DoomedLog(log, self.doom), self._port)
        self._query = QuerySession(reader, keeper.engine.view, pages)
        self._questions: list[tuple[Frames, Callable[[Frames], None]]] = []
        self.wake()

    @property
    def engine(self) -> Engine:
        """The engine that runs now."""
        return self._passes.engine

    @property
    def published(self) -> int:
        """The last version that it published."""
        return self._port.published

    @property
    def outage(self) -> str | None:
        """Why its log could not be written when it last tried; None if it could."""
        return self._passes.outage

    @property
    def at_rest(self) -> bool:
        """Whether no pass waits for the log."""
        return not self._passes.waits_for_log

    def crash_coordinator(self) -> None:
        """Let the coordinator crash in the next pass."""
        self._crash_asked = True
        self._passes.crash_coordinator()
        self.wake()

    def stop(self) -> None:
        """Have it end in order, as SIGTERM does."""
        self._stops += 1
        self.wake()

    def ask(self, question: Frames, answer: Callable[[Frames], None]) -> None:
        """Take a question; its answer comes when the process runs."""
        self._questions.append((question, answer))
        if not self.standing:
            self._answer()

    def go_on(self) -> None:
        """End a stand-still."""
        self._answer()
        super().go_on()

    def die(self) -> None:
        """End at once: only the log stays."""
        super().die()
        self._router.close()
        self._publisher.close()
        self._sockets.router = self._sockets.publisher = None

    def _answer(self) -> None:
        questions, self._questions = self._questions, []
        for question, answer in questions:
            answer(self._query.answer(question[0]))

    # --- one round ----------------------------------------------------------------------------

    def _round(self) -> None:
        frames = FRAMES_A_PASS
        if self._generator.random() < self._short_pass:
            frames = self._generator.randrange(4)
        try:
            self._passes.beat()
            ended = self._passes.must_give_up(self._stops)
            if not ended:
                self._passes.go_round(self._stops, frames)
                ended = self._passes.finished
        except LauncherKilledError:
            self._hooks.ended("killed")
            self.when_killed()
            return
        except EngineGaveUpError:
            ended = True
        if ended:
            self._hooks.ended("ended")
            return
        self.wake_at(self.now + self._passes.wait())

    def _engine_crashed(self, error: Exception) -> None:
        if not self._crash_asked:
            self._hooks.crashed(error)
        self._crash_asked = False
