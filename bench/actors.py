"""What supervised actors cost: `python -m bench.actors`.

Three figures, each with what it must be and what it should be: CPU for the start and stop of a
supervised dispatched actor, CPU for a tell between two on one dispatcher, memory of many idle
supervised ones.
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.dispatched_actor import DispatchedActor
from actors.dispatcher import Dispatcher
from actors.supervision.actor_supervise import SupervisorHandle, supervise
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, Restart, SupervisorSpec
from actors.supervision.handle import Handle

ROUNDS = 5
LIVES = 5_000
TELLS = 200_000
IDLE = 100_000
MICROSECONDS = 1e6
MEGABYTES = 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report."""

    name: str
    unit: str
    value: float
    must: float
    goal: float

    def line(self) -> str:
        """Give the line for people."""
        verdict = "goal" if self.value <= self.goal else "must" if self.value <= self.must else "-"
        return (
            f"{self.name:<52} {self.value:8.2f} {self.unit:<3} "
            f"must {self.must:g}, goal {self.goal:g}: {verdict}"
        )


class Player(DispatchedActor):
    """Tells a number that is one less to its peer, until there is none."""

    def __init__(self, peers: dict[str, Handle], peer: str) -> None:
        super().__init__()
        self._peers = peers
        self._peer = peer

    def on_receive(self, message: int) -> None:
        """Pass on what is left."""
        if message:
            self._peers[self._peer].tell(message - 1)


class Idle(DispatchedActor):
    """Does nothing."""


def main() -> int:
    """Measure and print; the exit status says whether every figure is as it must be."""
    figures = [
        Figure("start and stop of a supervised dispatched actor", "us", best(lives), 60, 40),
        Figure("a tell between two on one dispatcher", "us", best(tells), 4, 2),
        Figure(f"memory of {IDLE:,} idle supervised actors", "MB", idle_memory(), 400, 250),
    ]
    for figure in figures:
        print(figure.line())
    return int(any(figure.value > figure.must for figure in figures))


def best(measure: Callable[[], float]) -> float:
    """Give the best of some rounds, in microseconds of CPU."""
    return min(measure() for _ in range(ROUNDS)) * MICROSECONDS


def lives() -> float:
    """Measure a life of a temporary child: added, started, terminated, forgotten."""
    dispatcher, tree = new_tree()
    specs = [ChildSpec(number, Worker(Idle), Restart.TEMPORARY) for number in range(LIVES)]
    seconds = cpu_of(lambda: live_all(tree, dispatcher, specs))
    tree.stop(timeout=10)
    return seconds / LIVES


def live_all(tree: SupervisorHandle, dispatcher: Dispatcher, specs: list[ChildSpec]) -> None:
    """Let each child live once."""
    for spec in specs:
        tree.start_child(spec)
        tree.terminate_child(spec.name)
        dispatcher.run_until_idle()


def tells() -> float:
    """Measure a tell and its handling, by handles."""
    peers = dict[str, Handle]()
    dispatcher, tree = new_tree(
        ChildSpec("ping", Worker(Player, peers, "pong")),
        ChildSpec("pong", Worker(Player, peers, "ping")),
    )
    peers |= {name: tree.child(name) for name in ("ping", "pong")}
    peers["ping"].tell(TELLS)
    seconds = cpu_of(dispatcher.run_until_idle)
    tree.stop(timeout=10)
    return seconds / TELLS


def idle_memory() -> float:
    """Measure the growth of the resident set, in megabytes."""
    dispatcher, tree = new_tree()
    gc.collect()
    before = resident()
    handles = [tree.start_child(ChildSpec(number, Worker(Idle))) for number in range(IDLE)]
    dispatcher.run_until_idle()
    gc.collect()
    grown = resident() - before
    del handles
    return grown / MEGABYTES


def new_tree(*children: ChildSpec) -> tuple[Dispatcher, SupervisorHandle]:
    """Start a tree on a dispatcher of its own."""
    dispatcher = Dispatcher()
    return dispatcher, supervise(SupervisorSpec(children), dispatcher=dispatcher)


def cpu_of(work: Callable[[], Any]) -> float:
    """Give the CPU seconds of some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def resident() -> int:
    """Give the resident set of this process, in bytes."""
    statm = Path("/proc/self/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
