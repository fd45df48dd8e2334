"""A host's inventory against the mirror, in every combination, with what should become of each.

The oracle is a table of what a difference means (`MEANING`), and one rule: a window that a pending
step asked for, and of which nothing was known, answers that step.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Literal

import pytest

from tests.launcher_harness import LOG_ID, PlayedHost, PlayedLauncher
from transport.codec import as_map
from transport.frame_fault import FrameFault
from transport.labels import window_label
from transport.messages import (
    CommandIdentity,
    Event,
    InventoryWindow,
    Origin,
    Ping,
    Place,
    PoolWindowAdded,
    PoolWindowRemoved,
    Registered,
    Reports,
    ReportWindowClosed,
    ReportWindowOpened,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
    WindowOpened,
)

InMirror = Literal["pool", "open", "closed", "unknown"]
InInventory = Literal["pool", "open", "absent"]
AskedBy = Literal["pending step", "closed saga", "another host's saga", "another log", "nobody"]
Held = Literal["nothing held", "held reports join on", "held reports do not join on"]

MEANING: dict[tuple[InMirror, InInventory], list[str]] = {
    ("pool", "pool"): [],
    ("pool", "open"): ["removed: promoted", "opened"],
    ("pool", "absent"): ["removed: died"],
    ("open", "pool"): ["added"],
    ("open", "open"): [],
    ("open", "absent"): ["closed: crash"],
    ("closed", "pool"): [],
    ("closed", "open"): [],
    ("closed", "absent"): [],
    ("unknown", "pool"): ["added"],
    ("unknown", "open"): ["opened"],
    ("unknown", "absent"): [],
}

ANSWER: dict[InInventory, list[str]] = {
    "pool": ["added: answer", "completed"],
    "open": ["added: answer", "completed", "removed: promoted", "opened"],
}
"""What a window means that was made for a pending step, where nothing was known of it."""


@dataclass(frozen=True)
class Case:
    mirror: InMirror
    inventory: InInventory
    asked_by: AskedBy
    held: Held

    def __str__(self) -> str:
        return f"{self.mirror}, {self.inventory}, {self.asked_by}, {self.held}"

    @property
    def answers(self) -> bool:
        return self.mirror == "unknown" and self.asked_by == "pending step"

    @property
    def expected(self) -> list[str]:
        if self.answers:
            return ANSWER[self.inventory]
        return MEANING[self.mirror, self.inventory]


def cases() -> list[Case]:
    mirrors: tuple[InMirror, ...] = ("pool", "open", "closed", "unknown")
    askers: tuple[AskedBy, ...] = (
        "pending step",
        "closed saga",
        "another host's saga",
        "another log",
        "nobody",
    )
    held: tuple[Held, ...] = (
        "nothing held",
        "held reports join on",
        "held reports do not join on",
    )
    places: tuple[InInventory, ...] = ("pool", "open")
    there = [Case(*each) for each in product(mirrors, places, askers, held)]
    gone = [Case(mirror, "absent", "nobody", each) for mirror, each in product(mirrors, held)]
    return there + gone


class Scene:
    """A host with a saga pending, and the window in question in one place after another."""

    def __init__(self, case: Case) -> None:
        self.launcher = PlayedLauncher()
        self.host = self.launcher.filled_host(target=3)
        promoted, bystander, self.filled = self.launcher.pool_of(self.host)
        self.other = self.launcher.filled_host("host-2", "2" * 32, target=1)
        self.other.promote(self.launcher.pool_of(self.other)[0], "promote-1")
        self.host.promote(promoted, "promote-1")
        self.pending = pending_step(self.host)
        self.label = self._window(case.mirror)
        self.inventory = [
            InventoryWindow(promoted, "open", None),
            InventoryWindow(bystander, "pool", None),
        ]
        if case.mirror != "pool":
            self.inventory.append(InventoryWindow(self.filled, "pool", None))
        if case.inventory != "absent":
            named = InventoryWindow(self.label, case.inventory, self.identity(case.asked_by))
            self.inventory.append(named)

    def _window(self, where: InMirror) -> str:
        """Give a window that the mirror has there."""
        if where == "pool":
            return self.filled
        label = self.host.new_label()
        if where != "unknown":
            self.host.report(ReportWindowOpened(label=label, promote_id="cold-1", cold=True))
        if where == "closed":
            self.host.report(ReportWindowClosed(label=label, crash_detected=True))
        return label

    def identity(self, asked_by: AskedBy) -> CommandIdentity | None:
        match asked_by:
            case "pending step":
                return self.pending
            case "closed saga":
                return CommandIdentity(LOG_ID, self.pending.saga_id - 1, 0)
            case "another host's saga":
                return pending_step(self.other)
            case "another log":
                return CommandIdentity("0" * 32, self.pending.saga_id, self.pending.step)
            case "nobody":
                return None

    def register(self, held: Held) -> list[Event]:
        """Register with the inventory, say what is held, and give what came of the comparison."""
        host, before = self.host, len(self.launcher.events)
        taken = host.sequence
        self.host.commands.clear()
        if held == "nothing held":
            host.register(pool_target=3, inventory=tuple(self.inventory))
            return self.launcher.events[before:]
        # A window that was opened cold, whose report no launcher has taken.
        label = host.new_label()
        self.inventory.append(InventoryWindow(label, "open", None))
        report = ReportWindowOpened(label=label, promote_id="cold-2", cold=True)
        lost = 0 if held == "held reports join on" else 2
        host.sequence = taken + lost + 1
        host.register(pool_target=3, first_held=taken + lost + 1, inventory=tuple(self.inventory))
        host.say(Reports(sequence=host.sequence, reports=[as_map(report)]))
        events = self.launcher.events[before:]
        opened = [e for e in events if isinstance(e, WindowOpened) and e.label == label]
        assert [each.reconciled for each in opened] == [lost > 0]
        return [each for each in events if each not in opened]


def pending_step(host: PlayedHost) -> CommandIdentity:
    [command] = host.commands
    assert command.identity is not None
    return command.identity


def story(event: Event) -> str:
    """Give what a reconciled event says, in the oracle's words."""
    match event:
        case PoolWindowAdded(saga_id=saga_id):
            return "added" if saga_id is None else "added: answer"
        case PoolWindowRemoved(reason=reason):
            return f"removed: {reason}"
        case WindowOpened():
            return "opened"
        case WindowClosed(crash_detected=crash_detected):
            return "closed: crash" if crash_detected else "closed"
        case SagaCompleted():
            return "completed"
        case _:
            return repr(event)


def place_in(launcher: PlayedLauncher, host: PlayedHost) -> dict[str, Place]:
    mirror = launcher.engine.state.mirror.hosts[host.name]
    pool: dict[str, Place] = dict.fromkeys(mirror.pool, "pool")
    opened: dict[str, Place] = dict.fromkeys(mirror.opened, "open")
    return pool | opened


def settle_down(scene: Scene) -> None:
    """Answer everything that is asked, until nothing can be asked any more."""
    for _ in range(4):
        for host in (scene.host, scene.other):
            host.answer_all()
            host.say(Ping(last=host.sequence))
        scene.launcher.advance(1.1)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_an_inventory_makes_the_mirror_true_and_answers_what_it_can(case: Case) -> None:
    scene = Scene(case)
    launcher, host = scene.launcher, scene.host
    triggered = [e for e in launcher.of_type(SagaStarted) if e.cause is not None]

    events = scene.register(case.held)

    about_refills = [e for e in events if isinstance(e, SagaStarted) and e.cause is None]
    differences = [e for e in events if e not in about_refills]
    assert list(map(story, differences)) == case.expected
    assert {e.label for e in differences if hasattr(e, "label")} <= {scene.label}
    assert all(e.reconciled for e in differences if hasattr(e, "reconciled"))
    origins = {e.origin for e in differences if hasattr(e, "reconciled")}
    assert origins <= {Origin(host.name, host.epoch, host.sequence)}

    # No saga is started by them; the one whose step they answer is completed with that window.
    assert [e for e in launcher.of_type(SagaStarted) if e.cause is not None] == triggered
    completed = [e for e in events if isinstance(e, SagaCompleted)]
    answers = [(scene.pending.saga_id, scene.label)] if case.answers else []
    assert [(e.saga_id, e.result) for e in completed] == answers

    # The mirror is what the host has; a window that is closed for ever does not come back.
    inventory = {window.label: window.place for window in scene.inventory}
    if case.mirror == "closed":
        inventory.pop(scene.label, None)
    assert place_in(launcher, host) == inventory

    # The host is told where it stands, and the pending step goes out again unless it is answered.
    [registered] = [e for e in host.received[-3:] if isinstance(e, Registered)]
    joins = case.held != "held reports do not join on"
    assert registered.taken == host.sequence - (case.held == "held reports join on")
    assert joins or launcher.engine.link.peers[host.name].taken == host.sequence
    # (It goes out with the registration where held reports are still to be taken before.)
    asked = [command.identity for command in host.commands]
    is_early = case.held == "held reports join on"
    assert asked.count(scene.pending) == (is_early or not case.answers)
    if case.answers:
        host.commands = [each for each in host.commands if each.identity != scene.pending]

    # In the end every bracket is closed once and the pool is whole.
    settle_down(scene)
    assert launcher.of_type(SagaFailed) == []
    started = Counter(each.saga_id for each in launcher.of_type(SagaStarted))
    assert Counter(each.saga_id for each in launcher.of_type(SagaCompleted)) == started
    assert len(launcher.pool_of(host)) >= 3


@pytest.mark.parametrize("place", ["pool", "open"])
@pytest.mark.parametrize("asked_by", ["pending step", "nobody"])
def test_a_label_of_another_epoch_is_no_window_and_answers_nothing(
    place: Place, asked_by: AskedBy
) -> None:
    scene = Scene(Case("unknown", "absent", "nobody", "nothing held"))
    before = place_in(scene.launcher, scene.host)
    identity = scene.identity(asked_by)
    scene.inventory.append(InventoryWindow(window_label("9" * 32, 1), place, identity))
    assert scene.register("nothing held") == []
    assert place_in(scene.launcher, scene.host) == before
    assert [command.identity for command in scene.host.commands] == [scene.pending]


@pytest.mark.parametrize("place", ["pool", "open"])
def test_of_two_windows_that_claim_one_step_the_first_answers_it_and_the_second_is_organic(
    place: Place,
) -> None:
    scene = Scene(Case("unknown", "pool", "pending step", "nothing held"))
    second = scene.host.new_label()
    scene.inventory.append(InventoryWindow(second, place, scene.pending))
    events = scene.register("nothing held")
    mine = [each for each in events if each.saga_id == scene.pending.saga_id]
    assert list(map(story, mine)) == ["added: answer", "completed"]
    assert events[-1].saga_id is None
    assert place_in(scene.launcher, scene.host)[second] == place


def test_after_a_restart_an_inventory_older_than_the_last_report_taken_is_refused() -> None:
    scene = Scene(Case("unknown", "absent", "nobody", "nothing held"))
    launcher, host = scene.launcher, scene.host
    launcher.restart()
    taken = host.sequence
    before = place_in(launcher, host)
    host.sequence = taken - 1
    host.register(pool_target=3, first_held=taken)
    assert host.refusals() == [FrameFault.OUT_OF_TURN]
    assert place_in(launcher, host) == before
    host.sequence = taken
    host.register(pool_target=3, inventory=tuple(scene.inventory))
    host.answer_all()
    assert launcher.engine.link.peers[host.name].taken == host.sequence > taken
