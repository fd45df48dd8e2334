"""The one poll loop of a system: its processes, its observer, the hosts' answers."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from math import ceil
from random import Random
from typing import Any

import zmq

from actors.command_line.known_messages import codec_for
from actors.process_system.children import system_spec
from actors.process_system.host_controls import Answer, HostControls
from actors.process_system.host_states import HostStates
from actors.process_system.links import Links
from actors.process_system.place import SystemPlace
from actors.process_system.processes import SystemProcesses
from actors.process_system.recording import WITNESS, RecordingObserver
from actors.process_system.settings import ProcessSystemSettings
from actors.process_system.system_error import ProcessSystemError, SystemInterruptedError
from transport.history import HistoryWriter
from transport.history_lines import HistoryLine
from transport.messages import HostState
from transport.process_signals import StopSignals

LONGEST_ROUND = 0.05
"""Seconds after which what is waited for is looked at again, whether anything came or not."""


class SystemLoop:
    """Everything of a system that is open, and what goes on in it. It belongs to one thread.

    Args:
        settings: what the system is made of.
        place: where it is.
        signals: requests to stop, which end every wait; None for a program that has its own way.

    Attributes:
        processes: the processes under their supervisor.
        observer: what observers are told.
        controls: asks hosts.
        states: what hosts say of themselves.
        links: the relays that stand in the links, if they do.
    """

    def __init__(
        self,
        settings: ProcessSystemSettings,
        place: SystemPlace,
        signals: StopSignals | None = None,
    ) -> None:
        spec, codec = system_spec(settings, place), codec_for(settings.extensions)
        self._stack = ExitStack()
        # What is observed is told late: it and what is done are in files of their own.
        did, observed = (
            self._stack.enter_context(HistoryWriter(place.recorded(name)))
            for name in ("system", "observed")
        )
        self._did: HistoryWriter = did
        self.links = self._stack.enter_context(Links(settings, place, Random(settings.seed)))  # noqa: S311 - it only spreads delays
        self.processes = SystemProcesses(spec, self.note)
        self._stack.callback(self.processes.close)
        context: zmq.Context[Any] = self._stack.enter_context(zmq.Context())
        self.observer = RecordingObserver(place.client(WITNESS), codec, context, observed)
        self._stack.callback(self.observer.close)
        places = {host: place.control(host) for host in settings.host_names}
        self.controls = HostControls(context, places)
        self._stack.callback(self.controls.close)
        self.states = HostStates(self.controls)
        self._answers: list[tuple[str, Answer]] = []
        self._poller = zmq.Poller()
        sources: list[Any] = [*self.observer.sockets, *self.controls.sockets.values()]
        self._signals = signals
        interrupts = [] if signals is None else signals.filenos()
        for source in (*sources, self.processes.fileno(), *interrupts):
            self._poller.register(source, zmq.POLLIN)

    def note(self, *lines: HistoryLine) -> None:
        """Put lines into the history, in the order of their times."""
        self._did.write(lines)

    def poll(self, seconds: float) -> None:
        """Take what happens, waiting for it at most so long, and at most `LONGEST_ROUND`.

        Raises:
            SystemInterruptedError: it was asked to stop.
        """
        wait = self.processes.seconds_to_next(min(seconds, LONGEST_ROUND))
        self._poller.poll(ceil(wait * 1000))
        if self._signals is not None and self._signals.look():
            raise SystemInterruptedError
        self.processes.look()
        self.observer.take()
        for host, answer in self.controls.take():
            if isinstance(answer, HostState):
                self.states.take(host, answer)
            else:
                self._answers.append((host, answer))

    def wait_for(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Take what happens until something holds; see `ProcessSystem.wait_for`."""
        if not self.wait_whether(holds, seconds):
            raise ProcessSystemError(self._missing(what, seconds))

    def wait_whether(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Take what happens until something holds; say whether it did in time."""
        deadline = time.monotonic() + seconds
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0 or self.processes.ended:
                return False
            self.poll(left)
        return True

    def take_answers(self) -> list[tuple[str, Answer]]:
        """Give what hosts answered that nobody took yet: who, and what."""
        answers, self._answers = self._answers, []
        return answers

    def trouble(self) -> list[str]:
        """Give what is wrong that no line of a history says."""
        return [*self.processes.bad_ends, *self.observer.complaints]

    def close(self) -> None:
        """End everything at once, and let go of it. A second time does nothing."""
        if not self.processes.ended:
            self.processes.kill_all()
            while not self.processes.ended:
                self.processes.wait(LONGEST_ROUND)
        self._stack.close()

    def _missing(self, what: str, seconds: float) -> str:
        told = [f"waited {seconds:g} s for {what}", self.processes.describe(), *self.trouble()]
        last = self.observer.events[-1] if self.observer.events else None
        return "; ".join([*told, f"the last event: {last}"])
