"""Asks and tells against actors that others stop and restart: is any of them lost?

`python -m tests.closing_inbox_soak --asks 1000000` does it under the supervision, where nothing
may be lost; with `--plain` it races plain Pykka, which loses some.

Threads of askers talk to a few actors, while another thread crashes, stops and restarts these.
Every ask is waited for; at the end the tells that were handled and those that are dead letters must
make up all that were sent.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pykka

from actors.supervision.actor_supervise import SupervisorHandle, supervise
from actors.supervision.actor_worker import Worker
from actors.supervision.child_spec import ChildSpec, Intensity, SupervisorSpec
from actors.supervision.dead_letters import DeadLetter
from actors.supervision.handle import Handle
from actors.supervision.mailbox_options import Mail, MailOptions
from actors.supervision.supervisor_errors import SupervisionError

SWITCH_INTERVAL = 10e-6
PATIENCE = 30.0
"""An ask that is not answered in so many seconds counts as lost."""

PLAIN_PATIENCE = 0.5
"""The same, of plain Pykka, which is known to lose some."""

DISTURBANCE_EVERY = 0.0005
"""Seconds between two rounds of disturbance; in between, the asks get on."""

TARGETS = 4
ASKERS = 4
CRASH, STOP = "crash", "stop"
TELL_EVERY = 2


class Target(pykka.ThreadingActor):
    """Counts the tells that it handles; the list outlives the incarnations."""

    def __init__(self, handled: list[None]) -> None:
        super().__init__()
        self._handled = handled

    def on_receive(self, message: Any) -> Any:
        if message == CRASH:
            raise RuntimeError(message)
        if message == STOP:
            self.stop()
        elif message is None:
            self._handled.append(None)
        return message


@dataclass
class Outcome:
    """What a soak counted."""

    asks: int = 0
    answered: int = 0
    dead: int = 0
    unanswered: int = 0
    wrong: int = 0
    tells: int = 0
    handled: int = 0
    dead_letters: int = 0
    incarnations: int = 0

    @property
    def lost_tells(self) -> int:
        return self.tells - self.handled - self.dead_letters

    @property
    def is_good(self) -> bool:
        return (self.unanswered, self.wrong, self.lost_tells) == (0, 0, 0)


class BuriedTells:
    """Counts the tells among the dead letters."""

    def __init__(self) -> None:
        self.seen = list[None]()

    def tell(self, message: Any) -> None:
        if isinstance(message, DeadLetter) and message.message is None:
            self.seen.append(None)


@contextmanager
def switch_interval(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def soak(asks: int) -> Outcome:
    """Race asks and tells with stops and restarts, under the supervision."""
    handled, tells_made, buried = list[None](), list[None](), BuriedTells()
    with switch_interval(SWITCH_INTERVAL):
        tree = supervise(tree_of_targets(handled), is_daemon=True, timeout=PATIENCE)
        tree.dead_letters.subscribe(buried)
        try:
            handles = [tree.child(number) for number in range(TARGETS)]
            outcome = race(asks, handles, lambda: disturb(tree, handles), tells_made)
            outcome.incarnations = sum(handle.incarnation for handle in handles)
        finally:
            tree.stop(timeout=PATIENCE)
    outcome.tells = len(tells_made)
    outcome.handled = len(handled)
    outcome.dead_letters = len(buried.seen)
    return outcome


def tree_of_targets(handled: list[None]) -> SupervisorSpec:
    """Half of the targets keep their mail, half drop it; they may be restarted for ever."""
    return SupervisorSpec(
        tuple(
            ChildSpec(
                number,
                Worker(Target, handled).with_mail(
                    MailOptions(mail=Mail.KEEP if number % 2 else Mail.DROP)
                ),
            )
            for number in range(TARGETS)
        ),
        intensity=Intensity(restarts=1_000_000_000, period=0.001),
    )


def disturb(tree: SupervisorHandle, handles: list[Handle]) -> None:
    """Once each: a crash, a stop of its own, a stop from outside, a termination and restart."""
    for number, handle in enumerate(handles):
        match (handle.incarnation + number) % 4:
            case 0:
                handle.ask(STOP, block=False)
            case 1:
                handle.tell(CRASH)
            case 2:
                ref = handle.post.ref
                if ref is not None:
                    ref.stop(block=False)
            case _:
                try:
                    tree.terminate_child(handle.name, timeout=PATIENCE)
                    tree.restart_child(handle.name, timeout=PATIENCE)
                except SupervisionError:
                    continue


def race(
    asks: int, receivers: list[Any], disturbance: Callable[[], None], tells_made: list[None]
) -> Outcome:
    """Let the askers race with the disturbance until all asks are made."""
    outcomes = [Outcome() for _ in range(ASKERS)]
    numbers = count()
    is_over = threading.Event()

    def ask_all(outcome: Outcome) -> None:
        while (number := next(numbers)) < asks:
            receiver = receivers[number % len(receivers)]
            if number % TELL_EVERY == 0:
                receiver.tell(None)
                tells_made.append(None)
            ask_one(receiver, number, outcome)

    def disturb_until_over() -> None:
        while not is_over.wait(DISTURBANCE_EVERY):
            disturbance()

    askers = [threading.Thread(target=ask_all, args=(each,)) for each in outcomes]
    disturber = threading.Thread(target=disturb_until_over)
    for thread in (*askers, disturber):
        thread.start()
    for thread in askers:
        thread.join()
    is_over.set()
    disturber.join()
    return Outcome(
        asks=sum(each.asks for each in outcomes),
        answered=sum(each.answered for each in outcomes),
        dead=sum(each.dead for each in outcomes),
        unanswered=sum(each.unanswered for each in outcomes),
        wrong=sum(each.wrong for each in outcomes),
    )


def ask_one(receiver: Any, number: int, outcome: Outcome) -> None:
    outcome.asks += 1
    try:
        answer = receiver.ask(("ask", number), timeout=PATIENCE)
    except pykka.ActorDeadError:
        outcome.dead += 1
    except pykka.Timeout:
        outcome.unanswered += 1
    else:
        outcome.answered += 1
        outcome.wrong += answer != ("ask", number)


class PlainReceiver:
    """An address of plain Pykka actors: when one is stopped, another takes its place."""

    def __init__(self, handled: list[None]) -> None:
        self._handled = handled
        self.ref = Target.start(handled)

    def tell(self, message: Any) -> None:
        while True:
            try:
                self.ref.tell(message)
            except pykka.ActorDeadError:
                continue
            return

    def ask(self, message: Any, timeout: float) -> Any:
        return self.ref.ask(message, timeout=min(timeout, PLAIN_PATIENCE))

    def replace(self) -> None:
        old, self.ref = self.ref, Target.start(self._handled)
        old.stop(block=False)


def soak_plain(asks: int) -> Outcome:
    """Race asks and tells with stops, of plain Pykka actors."""
    handled, tells_made = list[None](), list[None]()
    with switch_interval(SWITCH_INTERVAL):
        receivers = [PlainReceiver(handled) for _ in range(TARGETS)]

        def replace_all() -> None:
            for receiver in receivers:
                receiver.replace()

        outcome = race(asks, receivers, replace_all, tells_made)
        for receiver in receivers:
            receiver.ref.stop()
    outcome.tells = len(tells_made)
    outcome.handled = len(handled)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=1_000_000)
    parser.add_argument("--plain", action="store_true", help="plain Pykka, to see its loss")
    arguments = parser.parse_args()
    began = time.monotonic()
    outcome = (soak_plain if arguments.plain else soak)(arguments.asks)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{outcome}\nlost tells: {outcome.lost_tells}, seconds: {seconds:.1f}\n")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
