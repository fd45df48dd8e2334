"""What a test can do with a system, simulated or of real processes: one vocabulary for both.

Processes have names: `launcher`, `host-1`, `observer-1`, and `service` where an extension has a
service. Seconds are virtual in a simulated system, and real ones in a system of real processes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal

from actors.saga_test_kit.bracket import Bracket, BracketBook, OpenBracket
from actors.saga_test_kit.expected import (
    BracketNotSeenError,
    Cause,
    Outcome,
    Text,
    expected_bracket,
    first_fit,
    not_seen,
)
from actors.saga_test_kit.verdict import Verdict
from transport.messages import Recorded

Way = Literal["both", "up", "down"]
"""A direction of a link: `up` to the launcher, `down` from it."""

PARTITIONS = {"both": "partition", "up": "partition_up", "down": "partition_down"}
LINK_BREAK = "link_break"
"""What a history calls these faults."""

WAIT_SECONDS = 30.0
BRACKET_SECONDS = 10.0
"""How long after its deadline a bracket has to be closed."""


class NotInTimeError(AssertionError):
    """Something did not come in time; says what."""


class RefusedError(RuntimeError):
    """A host refused what a user asked for; says why."""


class System(ABC):
    """A launcher, hosts, observers, and a service if an extension has one.

    Args:
        timeouts: how many seconds each saga may take, by name.
    """

    unit: ClassVar[str] = "s"

    def __init__(self, timeouts: Mapping[str, float]) -> None:
        self._timeouts = timeouts
        self._book = BracketBook()

    # --- what was seen ---------------------------------------------------------------------------

    @property
    def events(self) -> Sequence[Recorded]:
        """Every event that the system's observer was told, in order of their versions."""
        self._look()
        return self._book.events

    @property
    def open_brackets(self) -> list[OpenBracket]:
        """The brackets that the observer was not told the end of."""
        self._look()
        return list(self._book.open.values())

    def expect_bracket(
        self,
        name: str,
        *,
        outcome: Outcome | None = None,
        result: Text | None = None,
        reason: Text | None = None,
        cause: Cause | None = None,
        within: float | None = None,
    ) -> Bracket:
        """Wait until a bracket closed, and give it; each bracket is given once.

        Texts are compared, patterns (`re.compile`) searched for.

        Args:
            name: of the saga.
            outcome: `completed`, `failed` or `either`; without it `failed` where a reason is
                given, else `completed`.
            result: what it was completed with.
            reason: why it failed.
            cause: the version of the event that triggered it, or a function that says of an event
                whether it is that one.
            within: seconds; by default the saga's deadline and ten seconds.

        Raises:
            BracketNotSeenError: none closed in time; says what was seen instead.
            ValueError: there is no such saga, or no bracket can be so.
        """
        __tracebackhide__ = True
        expected = expected_bracket(
            name, self._timeouts, outcome=outcome, result=result, reason=reason, cause=cause
        )
        seconds = self._timeouts[name] + BRACKET_SECONDS if within is None else within
        self._until(lambda: first_fit(self._book, expected) is not None, seconds)
        bracket = first_fit(self._book, expected)
        if bracket is None:
            text = not_seen(self._book, expected, f"{seconds:g} {self.unit}", self._why)
            raise BracketNotSeenError(text)
        return self._book.hand_over(bracket)

    def wait_for(self, holds: Callable[[], bool], what: str, within: float = WAIT_SECONDS) -> None:
        """Let time pass until something holds.

        Args:
            holds: asked after everything that happens.
            what: it is, for people.
            within: seconds.

        Raises:
            NotInTimeError: it does not hold in time.
        """
        __tracebackhide__ = True
        if not self._until(holds, within):
            msg = f"waited {within:g} {self.unit} for {what}"
            raise NotInTimeError(msg)

    def wait(self, seconds: float) -> None:
        """Let so much time pass, while everything goes on."""
        self._until(lambda: False, seconds)

    # --- what users do ---------------------------------------------------------------------------

    @abstractmethod
    def promote(self, host: str = "host-1") -> str:
        """Show a window of a host to its user, and give its label.

        Raises:
            RefusedError: the host refuses.
            NotInTimeError: it does not answer in time.
        """

    @abstractmethod
    def close(self, label: str, host: str = "host-1") -> None:
        """Close a window that a user sees; errors are those of `promote`."""

    @abstractmethod
    def demote(self, label: str, host: str = "host-1") -> None:
        """Hand a window that a user sees back to its pool; errors are those of `promote`."""

    # --- what goes wrong -------------------------------------------------------------------------

    @abstractmethod
    def kill(self, name: str) -> None:
        """End a process at once, as SIGKILL does.

        Its supervisor starts it again, at the latest half a second later.

        Raises:
            ValueError: there is no such process.
        """

    @abstractmethod
    def wait_until_ready(self, name: str) -> None:
        """Wait until a process is at work, in this life or the next; a host: is registered too.

        Raises:
            NotInTimeError: it is not in time.
        """

    def restart(self, name: str) -> None:
        """Kill a process, and wait until it is at work again; see `kill`."""
        self.kill(name)
        self.wait_until_ready(name)

    @abstractmethod
    def suspend(self, name: str) -> None:
        """Let a process stand still, as SIGSTOP does, until `resume`."""

    @abstractmethod
    def resume(self, name: str) -> None:
        """Let a process that stands still go on."""

    @abstractmethod
    def cut(self, name: str, way: Way = "both") -> None:
        """Let nothing through between a host or service and the launcher until `heal`.

        Nothing is lost by it: what is sent is under way for so long.
        """

    @abstractmethod
    def break_link(self, name: str) -> None:
        """End the connection of a host or service; what is under way is lost. It connects again."""

    @abstractmethod
    def heal(self, name: str | None = None) -> None:
        """End what `cut` and `suspend` began, of one process or, with the log's outage, of all."""

    @abstractmethod
    def log_outage(self) -> AbstractContextManager[None]:
        """Keep the launcher's log from being written for as long as the block lasts."""

    @abstractmethod
    def inject(self, host: str, fault: str, count: int = 1) -> None:
        """Let a host misbehave by itself so many times; see `host_sim.faults.Fault`."""

    # --- the end ---------------------------------------------------------------------------------

    @abstractmethod
    def end(self) -> Verdict:
        """Heal everything, wait until nothing goes on any more, and judge the whole history."""

    # --- what each implementation does -----------------------------------------------------------

    @abstractmethod
    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something holds; say whether it did in time."""

    @abstractmethod
    def _look(self) -> None:
        """Put the events that came into the book of brackets."""

    @abstractmethod
    def _why(self, saga_id: int) -> str:
        """Say what an open saga waits for, and why it does not move."""

    @staticmethod
    def _told_why(live: Mapping[str, Any]) -> str:
        """Say the same of what the launcher knows of an open saga."""
        return f"waits for {live['waits_for']}: {'; '.join(live['why'])}"
