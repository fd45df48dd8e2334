"""Invariant 8: no pool holds more than two windows beyond its target, by its host's own word."""

from dataclasses import dataclass, field

from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.rules import POOL_SLACK
from transport.checker.told import Told
from transport.history_lines import HostLine

Life = tuple[str, str]
"""A host and its epoch."""


@dataclass(slots=True)
class _Pool:
    """What is in a pool. `most`: it ever held; `number`: the line at which it did."""

    labels: set[str] = field(default_factory=set)
    most: int = 0
    number: int = 0


class PoolLimits(Part):
    """What hosts had in their pools as they told it themselves."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._pools: dict[Life, _Pool] = {}
        self._targets: dict[Life, int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line."""
        match line:
            case HostLine(did="ready", identity=identity, label=str(label)) if identity is not None:
                self._add(number, line, label)
            case HostLine(did="demoted", label=str(label)):
                self._add(number, line, label)
            case HostLine(did="promoted" | "died" | "vanished", label=str(label)):
                self._pool(line).labels.discard(label)
            case HostLine(did="drained", labels=labels):
                self._pool(line).labels.difference_update(labels)
            case Told(type="HostRegistered", first=True):
                target = line.fields.get("pool_target")
                if isinstance(target, int):
                    self._targets[line.host, line.epoch] = target
            case _:
                pass

    def _pool(self, line: HostLine) -> _Pool:
        return self._pools.setdefault((line.host, line.epoch), _Pool())

    def _add(self, number: int, line: HostLine, label: str) -> None:
        pool = self._pool(line)
        pool.labels.add(label)
        if len(pool.labels) > pool.most:
            pool.most, pool.number = len(pool.labels), number

    def finish(self) -> None:
        """Judge the most that each pool ever held."""
        for life, pool in self._pools.items():
            target = self._targets.get(life)
            if target is not None and pool.most > target + POOL_SLACK:
                message = f"the pool of {life[0]} held {pool.most} windows, its target is {target}"
                self._findings.violated(Invariant.POOL, message, pool.number)
