"""A system of real processes for tests: launcher, hosts, service and observers on this machine."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from actors.launcher_extension import known_types, load_launcher_extension, saga_kinds
from actors.process_system import ProcessSystem, ProcessSystemError, ProcessSystemSettings
from actors.process_system.host_controls import Answer, Question
from actors.saga_rules import rules_of
from actors.saga_test_kit.system import LINK_BREAK, PARTITIONS, RefusedError, System, Way
from actors.saga_test_kit.verdict import Verdict, judged
from transport.checker import Ending
from transport.codec import Codec
from transport.fault_proxy import Direction, Relay
from transport.history import HistoryFile
from transport.history_lines import FaultLine
from transport.messages import (
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    InjectFault,
    PromoteWindow,
    SagaAnswer,
    SagaQuestion,
)
from transport.zeromq.query_client import QueryError, ask

QUESTION_SECONDS = 2.0
"""How long a launcher may take to say why a saga does not move."""

DIRECTIONS = {
    "both": (Direction.UP, Direction.DOWN),
    "up": (Direction.UP,),
    "down": (Direction.DOWN,),
}


class SystemOfProcesses(System):
    """Each process is the one that its own `muxsaga` command runs; a relay is in every link.

    It belongs to the thread that made it. While a test does not wait, nothing is observed, and
    nothing that was killed comes back.

    Args:
        directory: private, or yet to be made; its path must be short, for Unix sockets are in it.
        extensions: names of extension modules, which every process can import.
        hosts: how many; they are `host-1` and so on.
        pool_target: how many ready windows each host wants.
        seed: of the hosts' choices.
        endings: what a saga must have been given before it may be completed.

    Raises:
        ValueError: an extension cannot be used; names it.
        ProcessSystemError: a process cannot start.

    Attributes:
        processes: the system itself.
    """

    def __init__(
        self,
        directory: Path,
        *,
        extensions: Sequence[str] = (),
        hosts: int = 1,
        pool_target: int = 2,
        seed: int = 0,
        endings: Sequence[Ending] = (),
    ) -> None:
        loaded = tuple(map(load_launcher_extension, extensions))
        kinds = saga_kinds(loaded)
        super().__init__({kind.name: kind.timeout for kind in kinds})
        settings = ProcessSystemSettings(
            hosts=hosts,
            observers=1,
            extensions=tuple(extensions),
            pool_target=pool_target,
            seed=seed,
            relayed=True,
        )
        self._rules = rules_of(kinds, Codec(known_types(loaded)), endings)
        self._looked = 0
        self._cuts: dict[str, list[Way]] = {}
        self.processes = ProcessSystem(directory, settings)
        try:
            self.processes.start()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """End every process at once; a second time does nothing."""
        self.processes.discard()

    # --- what users do ---------------------------------------------------------------------------

    def promote(self, host: str = "host-1") -> str:
        """Show a window of a host to its user; see `System.promote`."""
        return self._ask(host, PromoteWindow)

    def close(self, label: str, host: str = "host-1") -> None:
        """Close a window that a user sees; see `System.close`."""
        self._ask(host, CloseWindow, label=label)

    def demote(self, label: str, host: str = "host-1") -> None:
        """Hand a window back to its pool; see `System.demote`."""
        self._ask(host, DemoteWindow, label=label)

    def inject(self, host: str, fault: str, count: int = 1) -> None:
        """Let a host misbehave; see `System.inject`."""
        self._ask(host, InjectFault, fault=fault, count=count)
        self._note(fault, host)

    def _ask(self, host: str, question: Question, **fields: Any) -> str:
        __tracebackhide__ = True
        names = self.processes.settings.host_names
        if host not in names:
            msg = f"{host!r} is no host; there are {', '.join(names)}"
            raise ValueError(msg)
        number = self.processes.ask(host, question, **fields)
        found: list[Answer] = []

        def answered() -> bool:
            for name, answer in self.processes.take_answers():
                if name == host and answer.number == number:
                    found.append(answer)
            return bool(found)

        self.wait_for(answered, f"{host} to answer {question.__name__}")
        answer = found[0]
        if isinstance(answer, ActionRefused):
            msg = f"{host} refused {question.__name__}: {answer.reason}"
            raise RefusedError(msg)
        return getattr(answer, "label", "")

    # --- what goes wrong -------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """Send SIGKILL, and wait until the process is gone; see `System.kill`."""
        self.processes.kill(self._known(name))

    def wait_until_ready(self, name: str) -> None:
        """Wait until a process is at work; see `System.wait_until_ready`."""
        self.processes.wait_until_ready(self._known(name))

    def suspend(self, name: str) -> None:
        """Send SIGSTOP; see `System.suspend`."""
        self.processes.suspend(self._known(name))

    def resume(self, name: str) -> None:
        """Send SIGCONT; see `System.resume`."""
        self.processes.resume(self._known(name))

    def cut(self, name: str, way: Way = "both") -> None:
        """Let nothing through on a link; see `System.cut`."""
        relay = self._relay(name)
        self._cuts.setdefault(name, []).append(way)
        self._note(PARTITIONS[way], name, "began")
        for direction in DIRECTIONS[way]:
            relay.silence(direction)

    def break_link(self, name: str) -> None:
        """End a connection; see `System.break_link`."""
        relay = self._relay(name)
        self._note(LINK_BREAK, name)
        relay.drop_connections()

    def heal(self, name: str | None = None) -> None:
        """End what was begun; see `System.heal`."""
        for each in list(self._cuts) if name is None else [self._known(name)]:
            for way in self._cuts.pop(each, []):
                self._relay(each).heal()
                self._note(PARTITIONS[way], each, "ended")
        if name is None:
            self.processes.heal()
        else:
            self.processes.processes.resume(name)

    def log_outage(self) -> AbstractContextManager[None]:
        """Keep the log from being written; see `System.log_outage`."""
        return self.processes.log_outage()

    def _relay(self, name: str) -> Relay:
        try:
            return self.processes.relay(name, "link")
        except ProcessSystemError as error:
            msg = f"{name!r} is no host or service: {error}"
            raise ValueError(msg) from error

    def _known(self, name: str) -> str:
        if name not in self.processes.names:
            msg = f"there is no process {name!r}; there are {', '.join(self.processes.names)}"
            raise ValueError(msg)
        return name

    def _note(
        self, fault: str, target: str, did: Literal["happened", "began", "ended"] = "happened"
    ) -> None:
        self.processes.note(FaultLine(time.monotonic_ns(), fault, target, did))

    # --- the end ---------------------------------------------------------------------------------

    def end(self) -> Verdict:
        """Heal everything, wait for rest, stop every process, and judge; see `System.end`."""
        self.heal()
        try:
            lines = list(HistoryFile(self.processes.end()))
        finally:
            self.discard()
        return judged(lines, self._rules, self.processes.trouble())

    # --- time and events -------------------------------------------------------------------------

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        def looked() -> bool:
            self._look()
            return holds()

        try:
            self.processes.wait_for(looked, "something", seconds)
        except ProcessSystemError:
            return False
        return True

    def _look(self) -> None:
        events = self.processes.events
        for event in events[self._looked :]:
            self._book.take(event)
        self._looked = len(events)

    def _why(self, saga_id: int) -> str:
        where, question = (
            self.processes.place.launcher.query,
            SagaQuestion(number=1, saga_id=saga_id),
        )
        try:
            live = ask(where, question, SagaAnswer, QUESTION_SECONDS).live
        except QueryError as error:
            return f"the launcher does not say why: {error}"
        return "it is over" if live is None else self._told_why(live)
