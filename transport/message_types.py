"""Which message types a process knows: the core's, and those of the extensions it loaded."""

from dataclasses import dataclass
from typing import TypeVar

from transport.messages import (
    Command,
    Event,
    Message,
    Report,
    commands,
    events,
    reports,
)
from transport.messages.control import (
    ActionDone,
    ActionRefused,
    CloseWindow,
    DemoteWindow,
    HostState,
    InjectFault,
    InspectHost,
    PromoteWindow,
)
from transport.messages.link import (
    Acknowledge,
    Commands,
    Fenced,
    Goodbye,
    LauncherStopping,
    NotRegistered,
    Ping,
    Refused,
    Register,
    RegisterAgain,
    Registered,
    Reports,
)
from transport.messages.operators import CancelRefused, CancelSaga, SagaCancelled
from transport.messages.query import (
    ReplayAnswer,
    ReplayQuestion,
    SagaAnswer,
    SagaQuestion,
    SnapshotAnswer,
    SnapshotQuestion,
    StateAnswer,
    StateQuestion,
    StatusAnswer,
    StatusQuestion,
)
from transport.messages.stream import Events, StreamHeartbeat

AnyMessage = TypeVar("AnyMessage", bound=Message)

UP: tuple[type[Message], ...] = (Register, Reports, Ping, Goodbye)
"""What a host or service may send to the launcher."""

DOWN: tuple[type[Message], ...] = (
    Registered,
    Commands,
    Acknowledge,
    NotRegistered,
    RegisterAgain,
    Fenced,
    LauncherStopping,
    Refused,
)
"""What the launcher may send to a host or service."""

OPERATOR: tuple[type[Message], ...] = (CancelSaga,)
"""What an operator, who never registers, may send to the launcher's link."""

OPERATOR_ANSWERS: tuple[type[Message], ...] = (SagaCancelled, CancelRefused, Refused)
"""What the launcher may answer to an operator."""

STREAM: tuple[type[Message], ...] = (Events, StreamHeartbeat)
"""What the launcher publishes."""

QUESTIONS: tuple[type[Message], ...] = (
    ReplayQuestion,
    SnapshotQuestion,
    StatusQuestion,
    StateQuestion,
    SagaQuestion,
)
"""What the query socket takes."""

ANSWERS: tuple[type[Message], ...] = (
    ReplayAnswer,
    SnapshotAnswer,
    StatusAnswer,
    StateAnswer,
    SagaAnswer,
    Refused,
    Events,
)
"""What the query socket gives."""

USER_ACTIONS: tuple[type[Message], ...] = (
    PromoteWindow,
    CloseWindow,
    DemoteWindow,
    InspectHost,
    InjectFault,
)
"""What a host's control socket takes."""

USER_ANSWERS: tuple[type[Message], ...] = (ActionDone, ActionRefused, HostState, Refused)
"""What a host's control socket gives."""


def _concrete(module: object, base: type[AnyMessage]) -> tuple[type[AnyMessage], ...]:
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    )


@dataclass(frozen=True, slots=True)
class MessageTypes:
    """The commands, reports and events that a process knows.

    An extension module gives its own as `MESSAGES = MessageTypes(commands=(...), ...)`.
    """

    commands: tuple[type[Command], ...] = ()
    reports: tuple[type[Report], ...] = ()
    events: tuple[type[Event], ...] = ()

    def extended(self, other: "MessageTypes") -> "MessageTypes":
        """Give these types and the other's.

        Raises:
            ValueError: two different classes share a name; names the clash.
        """
        joined = MessageTypes(
            commands=_joined(self.commands, other.commands),
            reports=_joined(self.reports, other.reports),
            events=_joined(self.events, other.events),
        )
        joined.check_outcomes()
        return joined

    def check_outcomes(self) -> None:
        """Make sure that every command is settled by reports that are known.

        Raises:
            ValueError: names the command and the unknown report.
        """
        known = {report.__name__ for report in self.reports}
        for command in self.commands:
            for outcome in command.outcomes:
                if outcome not in known:
                    msg = f"{command.__name__}.outcomes names {outcome!r}, which is no known report"
                    raise ValueError(msg)


def _joined(
    ours: tuple[type[AnyMessage], ...], theirs: tuple[type[AnyMessage], ...]
) -> tuple[type[AnyMessage], ...]:
    by_name = {each.__name__: each for each in ours}
    for each in theirs:
        if by_name.setdefault(each.__name__, each) is not each:
            msg = f"two message types are named {each.__name__!r}: rename the extension's"
            raise ValueError(msg)
    return tuple(by_name.values())


CORE = MessageTypes(
    commands=_concrete(commands, Command),
    reports=_concrete(reports, Report),
    events=_concrete(events, Event),
)
"""The types that every muxsaga process knows."""
