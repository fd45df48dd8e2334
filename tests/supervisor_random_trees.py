"""Compares the supervisor with the reference model, on random trees with random failures.

    python -m tests.supervisor_random_trees --cases 10000

It prints each case that differs, with the actions that led to it, and exits 1 if there is one.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.supervision.child_spec import (
    SHUTDOWN,
    AutoShutdown,
    Backoff,
    ChildSpec,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.stepped import MakeSupervisor, SteppedTree, make_supervisor
from actors.supervision.supervisor_errors import SupervisionError
from actors.supervision.supervisor_scripted import Path
from tests.supervisor_reference_model import ReferenceSupervisor

ACTIONS = 30
NAMES = "abcde"
DEEPEST = 3


def random_child(name: str, auto: AutoShutdown, depth: int, draw: random.Random) -> ChildSpec:
    restart = draw.choice(list(Restart))
    can_be_significant = auto is not AutoShutdown.NEVER and restart is not Restart.PERMANENT
    nested = depth < DEEPEST and draw.random() < 0.25
    return ChildSpec(
        name=name,
        start=random_supervisor(depth + 1, draw) if nested else None,
        restart=restart,
        shutdown=draw.choice([0, None, 1.0, 1.0, 2.5]),
        significant=can_be_significant and draw.random() < 0.6,
        budget=random_intensity(draw) if draw.random() < 0.2 else None,
    )


def random_intensity(draw: random.Random) -> Intensity:
    return Intensity(draw.choice([0, 1, 2, 3, 5, 8]), draw.choice([0.5, 1.0, 2.0, 5.0]))


def random_supervisor(depth: int, draw: random.Random) -> SupervisorSpec:
    auto = draw.choice([AutoShutdown.NEVER] * (3 if depth else 6) + list(AutoShutdown))
    names = NAMES[: draw.randint(0 if depth else 2, 4)]
    return SupervisorSpec(
        children=tuple(random_child(name, auto, depth, draw) for name in names),
        strategy=draw.choice(list(Strategy)),
        intensity=random_intensity(draw),
        auto_shutdown=auto,
        backoff=draw.choice([Backoff(), Backoff(first=0.5, cap=3.0, healthy_after=2.0)]),
        shutdown_total=draw.choice([None, None, 0, 1.0, 3.0]),
    )


@dataclass
class Comparison:
    """Two trees of the same spec; every action is done to both."""

    seed: int
    make: MakeSupervisor
    actions: list[str] = field(default_factory=list)
    difference: str = ""

    def __post_init__(self) -> None:
        self.draw = random.Random(f"actions {self.seed}")
        spec = random_supervisor(0, self.draw)
        self.tree = SteppedTree(spec, seed=self.seed, make=self.make)
        self.model = SteppedTree(spec, seed=self.seed, make=ReferenceSupervisor)
        self.compared = 0

    def run(self) -> str:
        """Give the difference and what led to it, or nothing."""
        if self.draw.random() < 0.3:
            self.change_script()
        self.do("start", lambda tree: tree.start())
        for _ in range(ACTIONS):
            if self.difference or self.tree.ended:
                break
            self.act()
        self.do("stop", lambda tree: tree.stop())
        self.do("advance 100", lambda tree: tree.advance(100))
        return self.difference and f"seed {self.seed}: {self.difference}\n  " + "\n  ".join(
            self.actions
        )

    def act(self) -> None:
        choices = (self.end_a_child, self.wait, self.change_script, self.request, self.end_the_root)
        self.draw.choices(choices, weights=(9, 6, 5, 5, 0.2))[0]()

    def do(self, text: str, action: Callable[[SteppedTree], None]) -> None:
        if self.difference:
            return
        self.actions.append(text)
        mine, theirs = (self.outcome(tree, action) for tree in (self.tree, self.model))
        self.actions.append(f"  {mine} {' '.join(map(str, self.tree.history[self.compared :]))}")
        if mine != theirs or self.seen(self.tree) != self.seen(self.model):
            happened = " ".join(map(str, self.model.history[self.compared :]))
            self.difference = f"the model says {theirs} {happened}"
        self.compared = len(self.tree.history)

    def outcome(self, tree: SteppedTree, action: Callable[[SteppedTree], None]) -> str:
        try:
            action(tree)
        except (SupervisionError, LookupError) as error:
            return f"{type(error).__name__}"
        return ""

    def seen(self, tree: SteppedTree) -> object:
        supervisors = [(), *(path for path in tree.lives() if tree.is_supervisor(*path))]
        return (
            [
                (each.at, str(each), each.reason and each.reason.kind)
                for each in tree.history[self.compared :]
            ],
            tree.lives(),
            tree.next_due(),
            [tree.supervisor(*path).which_children() for path in supervisors],
        )

    # -- actions

    def some_path(self) -> Path:
        return self.draw.choice([*self.tree.lives(), (self.draw.choice(NAMES),)])

    def some_child(self, under: Path) -> Path:
        """One that the supervisor knows, dead or alive; sometimes one that it need not know."""
        known = [each.name for each in self.tree.supervisor(*under).which_children()]
        return (*under, self.draw.choice([*known, *known, self.draw.choice(NAMES)]))

    def some_supervisor(self) -> Path:
        return self.draw.choice(
            [(), *(path for path in self.tree.lives() if self.tree.is_supervisor(*path))]
        )

    def end_a_child(self) -> None:
        path = self.some_path()
        verb = self.draw.choice(["crash", "crash", "exit", "shut"])
        match verb:
            case "crash":
                self.do(f"crash {path}", lambda tree: tree.crash(*path))
            case "exit":
                self.do(f"exit {path}", lambda tree: tree.exit(*path))
            case _:
                self.do(f"shut {path}", lambda tree: tree.exit(*path, reason=SHUTDOWN))

    def wait(self) -> None:
        seconds = self.draw.choice([0.1, 0.5, 1.0, 1.0, 2.0, 5.0])
        self.do(f"wait {seconds}", lambda tree: tree.advance(seconds))

    def change_script(self) -> None:
        path = self.some_path()
        attribute, value = self.draw.choice(
            [
                ("failing_starts", self.draw.randint(1, 3)),
                ("start_takes", self.draw.choice([0.0, 0.5, 1.0, None])),
                ("stop_takes", self.draw.choice([0.0, 0.5, 1.0, None])),
                ("unkillable", self.draw.random() < 0.5),
            ]
        )
        self.do(
            f"script {path} {attribute}={value}",
            lambda tree: setattr(tree.script(*path), attribute, value),
        )

    def request(self) -> None:
        under = self.some_supervisor()
        path = self.some_child(under)
        match self.draw.choice(["add", "terminate", "restart", "delete"]):
            case "add":
                auto = self.tree.supervisor(*under).spec.auto_shutdown
                spec = random_child(self.draw.choice(NAMES), auto, len(under) + 1, self.draw)
                self.do(
                    f"add under {under} {spec}", lambda tree: tree.start_child(spec, under=under)
                )
            case "terminate":
                self.do(f"terminate {path}", lambda tree: tree.terminate_child(*path))
            case "restart":
                self.do(f"restart {path}", lambda tree: tree.restart_child(*path))
            case _:
                self.do(f"delete {path}", lambda tree: tree.delete_child(*path))

    def end_the_root(self) -> None:
        if self.draw.random() < 0.5:
            self.do("stop", lambda tree: tree.stop())
        else:
            self.do("kill", lambda tree: tree.kill())


def difference(seed: int, make: MakeSupervisor = make_supervisor) -> str:
    """Run one case; give what differs, or nothing."""
    return Comparison(seed, make).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first case's seed")
    options = parser.parse_args()
    found = 0
    for seed in range(options.first, options.first + options.cases):
        text = difference(seed)
        if text:
            found += 1
            sys.stdout.write(text + "\n")
    sys.stdout.write(f"{options.cases} cases, {found} with a difference\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
