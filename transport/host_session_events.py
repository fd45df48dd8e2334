"""What a host's or service's session tells its owner."""

from dataclasses import dataclass

from transport.messages import Command, CommandIdentity


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A command came; its identity is not nil. It may have come before."""

    command: Command


@dataclass(frozen=True, slots=True)
class CommandUnreadable:
    """A command came that this process cannot take, but whose identity can be read."""

    identity: CommandIdentity
    type_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The launcher took the registration. `log`: the one that identities now belong to."""

    log: str
    taken: int


@dataclass(frozen=True, slots=True)
class FencedBy:
    """A later epoch registered: this one is over for ever."""

    epoch: str


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """The launcher did not take one of this peer's messages."""

    fault: str
    detail: str
    sequence: int | None


SessionEvent = CommandReceived | CommandUnreadable | Accepted | FencedBy | RefusedBy
