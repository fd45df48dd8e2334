"""Invariant 8: a refill is started for a window that a pool lacks and that no open saga brings.

A respawn's host is known from its trigger, a refill's only from what its host did or from the log:
so who was in flight is counted at the end. A refill whose host no line knows counts for none.
"""

from collections import Counter
from dataclasses import dataclass

from transport.checker.brackets import STARTED, TERMINALS
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import Rules
from transport.checker.saga_book import SagaBook
from transport.checker.told import Told
from transport.checker.window_mirror import WindowMirror
from transport.history_lines import BeginsLine, SagaLine


@dataclass(frozen=True, slots=True)
class _Turn:
    """A fill began or ended, by how many more are in flight.

    Attributes:
        lacks: what each host's pool lacked then, where it is a refill that began.
    """

    saga_id: int
    number: int
    more: int
    lacks: tuple[tuple[str, int], ...] = ()


class Refills(Part):
    """What every pool lacked when a refill began; it looks after `SagaBook` does."""

    def __init__(self, findings: Findings, rules: Rules, book: SagaBook) -> None:
        self._findings = findings
        self._fills = rules.fills
        self._refill = rules.refill
        self._most = rules.most_fills
        self._book = book
        self._mirrors: dict[str, WindowMirror] = {}
        self._turns: list[_Turn] = []
        self._hosts: dict[int, str] = {}
        self._next = 1
        self._is_whole = True

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case Told(first=True):
                self._is_whole = self._is_whole and line.version == self._next
                self._next = line.version + 1
                if self._is_whole:
                    self._take_event(number, line)
            case BeginsLine():
                self._is_whole = False
            case SagaLine(saga_id=saga_id, host=str(host)):
                self._hosts[saga_id] = host
            case _:
                pass

    def _take_event(self, number: int, told: Told) -> None:
        if told.type == "HostRegistered":
            target = told.fields.get("pool_target")
            drained = bool(told.fields.get("drained"))
            size = target if isinstance(target, int) else 0
            self._mirrors[told.host] = WindowMirror(told.epoch, size, number, drained=drained)
        elif told.type == STARTED and told.saga_id is not None:
            name = told.fields.get("name")
            if name in self._fills:
                lacks = self._lacks() if name == self._refill else ()
                self._turns.append(_Turn(told.saga_id, number, 1, lacks))
        elif told.type in TERMINALS and told.saga_id is not None:
            if self._book.stories[told.saga_id].name in self._fills:
                self._turns.append(_Turn(told.saga_id, number, -1))
        elif told.host in self._mirrors:
            self._mirrors[told.host].apply(told, number)

    def _lacks(self) -> tuple[tuple[str, int], ...]:
        return tuple(
            (host, 0 if mirror.drained or not mirror.live else mirror.target - len(mirror.pool))
            for host, mirror in self._mirrors.items()
        )

    def finish(self) -> None:
        """Judge every refill."""
        in_flight: Counter[str] = Counter()
        for turn in self._turns:
            story = self._book.stories[turn.saga_id]
            host = self._hosts.get(turn.saga_id, story.host)
            if turn.more > 0 and story.name == self._refill and host:
                self._judge(turn, host, in_flight[host])
            in_flight[host] += turn.more

    def _judge(self, turn: _Turn, host: str, in_flight: int) -> None:
        lacking = dict(turn.lacks).get(host, 0)
        if lacking <= in_flight or in_flight >= self._most:
            message = (
                f"saga {turn.saga_id} ({self._refill}) was started when the pool of {host} lacked "
                f"{lacking} windows, with {in_flight} on their way"
            )
            self._findings.violated(Invariant.POOL, message, turn.number)
