"""The systems that one test was given: made as it asks, and judged when it is over."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import TypedDict, Unpack

from actors.saga_test_kit.both_orders import Scenario as RaceScenario
from actors.saga_test_kit.both_orders import both_orders
from actors.saga_test_kit.every_step import Scenario, crash_at_every_step
from actors.saga_test_kit.process_system import SystemOfProcesses
from actors.saga_test_kit.simulated_system import SimulatedSystem
from actors.saga_test_kit.verdict import Verdict
from actors.simulation.step_watch import StepWatch
from transport.checker import Ending
from transport.history import HistoryWriter


class SystemOptions(TypedDict, total=False):
    """How a system is; see `SimulatedSystem` and `SystemOfProcesses`."""

    extensions: Sequence[str]
    hosts: int
    pool_target: int
    seed: int
    endings: Sequence[Ending]


class SimulatedSystems:
    """Makes simulated systems for one test."""

    def __init__(self) -> None:
        self._judged: list[SimulatedSystem] = []

    def __call__(self, *, judged: bool = True, **options: Unpack[SystemOptions]) -> SimulatedSystem:
        """Make a system, whole and at rest.

        Args:
            judged: its history is judged when the test is over; False for a test that spoils it.
            options: see `SimulatedSystem`.

        Raises:
            ValueError: an extension cannot be used; names it.
        """
        system = SimulatedSystem(**options)
        if judged:
            self._judged.append(system)
        return system

    def complaint(self, directory: Path) -> str | None:
        """Judge every system; say what is wrong, or None.

        Args:
            directory: a bad history is kept there, for `muxsaga check`.
        """
        texts = []
        for number, system in enumerate(self._judged, 1):
            verdict = system.end()
            if verdict.complaints:
                head = f"the simulated system of seed {system.seed} did not keep its promises"
                texts.append(told(head, verdict, directory / f"simulated-{number}.jsonl"))
        return "\n".join(texts) or None


class SystemsOfProcesses:
    """Makes systems of real processes for one test; each has a directory of its own."""

    def __init__(self) -> None:
        self._systems: list[SystemOfProcesses] = []
        self._judged: list[SystemOfProcesses] = []
        self._directories: list[TemporaryDirectory[str]] = []

    def __call__(
        self, *, judged: bool = True, **options: Unpack[SystemOptions]
    ) -> SystemOfProcesses:
        """Start a system, and wait until every pool is whole.

        Args:
            judged: its history is judged when the test is over; False for a test that spoils it.
            options: see `SystemOfProcesses`.

        Raises:
            ValueError: an extension cannot be used; names it.
            ProcessSystemError: a process cannot start.
        """
        # Not where pytest keeps files: paths of Unix sockets have to be short.
        directory = TemporaryDirectory(prefix="muxsaga-")
        self._directories.append(directory)
        system = SystemOfProcesses(Path(directory.name), **options)
        self._systems.append(system)
        if judged:
            self._judged.append(system)
        return system

    def complaint(self, directory: Path) -> str | None:
        """End and judge every system; say what is wrong, or None; see `SimulatedSystems`."""
        texts = []
        for number, system in enumerate(self._judged, 1):
            verdict = system.end()
            if verdict.complaints:
                head = "the system of processes did not keep its promises"
                texts.append(told(head, verdict, directory / f"processes-{number}.jsonl"))
        return "\n".join(texts) or None

    def discard(self) -> None:
        """End every process that is left, and remove the directories."""
        for system in self._systems:
            system.discard()
        for directory in self._directories:
            directory.cleanup()


class CrashAtEveryStep:
    """Runs a scenario with a crash at each of its steps; see `crash_at_every_step`."""

    def __call__(
        self,
        scenario: Scenario,
        *,
        crash: str | Sequence[str] = ("launcher", "sagas"),
        **options: Unpack[SystemOptions],
    ) -> list[str]:
        """Run it; give what the crashes were.

        Args:
            scenario: called with a new system each time; raises if something does not come.
            crash: what crashes: `launcher`, `sagas`, names of hosts and services; one or several.
            options: of every system; see `SimulatedSystem`.

        Raises:
            ScenarioFailedError: it did not go well every time; says at which steps.
            ValueError: nothing of that name can crash in it, or an extension cannot be used.
        """
        __tracebackhide__ = True

        def make(watch: StepWatch) -> SimulatedSystem:
            return SimulatedSystem(**options, watch=watch)

        return crash_at_every_step(make, scenario, crash)


class BothOrders:
    """Runs a scenario with either order of its race; see `both_orders`."""

    def __call__(self, scenario: RaceScenario, **options: Unpack[SystemOptions]) -> None:
        """Run it twice.

        Args:
            scenario: called with a new system and a race each time; raises if something does not
                come as it is to.
            options: of both systems; see `SimulatedSystem`.

        Raises:
            ScenarioFailedError: an order failed; says which.
            ValueError: the scenario has no race, or an extension cannot be used.
        """
        __tracebackhide__ = True
        both_orders(lambda: SimulatedSystem(**options), scenario)


def told(head: str, verdict: Verdict, file: Path) -> str:
    """Keep a bad history, and tell of it."""
    with HistoryWriter(file) as writer:
        writer.write(verdict.lines)
    return f"{head}:\n{indent(str(verdict), '  ')}\n  the whole history: {file}"
