"""Carries out a plan of faults on a system of real processes."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from actors.chaos.link_fault import LinkFault
from actors.chaos.plan import KILLS, PROCESS_KINDS, STOPS, ChaosKind, PlannedFault
from actors.process_system import ProcessSystem
from actors.process_system.links import LinkName


@dataclass(frozen=True, slots=True)
class _ProcessFault:
    """A process that stands still, or a log that is out."""

    kind: ChaosKind
    name: str
    until: float


class Injector:
    """Does what is planned when its time has come. It belongs to the system's thread.

    A fault that cannot be carried out at its time, because its victim is down or something else is
    being done to it, waits until it can.

    Args:
        system: to which it is done.
        plan: in the order of their times.

    Attributes:
        counts: how many faults of each kind were carried out, and hit.
    """

    def __init__(self, system: ProcessSystem, plan: Sequence[PlannedFault]) -> None:
        self.counts: Counter[ChaosKind] = Counter()
        self._system = system
        self._waiting = list(plan)
        self._began = time.monotonic()
        self._process_faults: list[_ProcessFault] = []
        self._link_faults: list[LinkFault] = []

    @property
    def done(self) -> bool:
        """Whether the plan was carried out, and nothing lasts."""
        return not (self._waiting or self._process_faults or self._link_faults)

    @property
    def process_faults(self) -> int:
        """How many of them were done to processes or to the log."""
        return sum(number for kind, number in self.counts.items() if kind in PROCESS_KINDS)

    @property
    def link_faults(self) -> int:
        """How many of them were done to links."""
        return self.counts.total() - self.process_faults

    def go_on(self) -> None:
        """End what has lasted long enough, and do what is due."""
        self._end_those(over=True)
        for link_fault in self._link_faults:
            link_fault.go_on()
        now = time.monotonic() - self._began
        self._waiting = [
            fault for fault in self._waiting if fault.at > now or not self._carry_out(fault)
        ]

    def stop(self) -> None:
        """End everything that lasts, and do nothing more."""
        self._end_those(over=False)
        self._waiting.clear()

    def _end_those(self, *, over: bool) -> None:
        now = time.monotonic()
        for fault in [each for each in self._process_faults if not over or now >= each.until]:
            self._process_faults.remove(fault)
            if fault.kind is ChaosKind.LOG_OUTAGE:
                self._system.end_log_outage()
            else:
                self._system.processes.resume(fault.name)
        for link_fault in [each for each in self._link_faults if not over or each.is_over]:
            self._link_faults.remove(link_fault)
            link_fault.end()
            if link_fault.has_hit:
                self.counts[link_fault.fault.kind] += 1
            else:
                self._waiting.append(link_fault.fault)

    def _carry_out(self, fault: PlannedFault) -> bool:
        """Do it, if it can be done now; say whether it was."""
        if isinstance(fault.target, LinkName):
            return self._on_link(fault, fault.target)
        if not self._on_process(fault, fault.target):
            return False
        self.counts[fault.kind] += 1
        if fault.kind not in KILLS:
            until = time.monotonic() + fault.lasts
            self._process_faults.append(_ProcessFault(fault.kind, fault.target, until))
        return True

    def _on_process(self, fault: PlannedFault, name: str) -> bool:
        if fault.kind in KILLS:
            return self._system.processes.kill(name)
        if any((each.kind, each.name) == (fault.kind, name) for each in self._process_faults):
            return False
        if fault.kind in STOPS:
            return self._system.processes.suspend(name)
        return self._system.begin_log_outage()

    def _on_link(self, fault: PlannedFault, link: LinkName) -> bool:
        is_busy = any(each.link == link for each in self._link_faults)
        if is_busy or not self._system.relay(*link).connections:
            return False
        self._link_faults.append(LinkFault(self._system, fault))
        return True
