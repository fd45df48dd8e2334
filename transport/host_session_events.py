"""What a host's or service's session tells its owner."""

from msgspec import Struct

from transport.messages import Command, CommandIdentity


class CommandReceived(Struct, frozen=True):
    """A command came; its identity is not nil. It may have come before."""

    command: Command


class CommandUnreadable(Struct, frozen=True):
    """A command came that this process cannot take, but whose identity can be read."""

    identity: CommandIdentity
    type_name: str
    reason: str


class Accepted(Struct, frozen=True):
    """The launcher took the registration. `log`: the one that identities now belong to."""

    log: str
    taken: int


class FencedBy(Struct, frozen=True):
    """A later epoch registered: this one is over for ever."""

    epoch: str


class RefusedBy(Struct, frozen=True):
    """The launcher did not take one of this peer's messages."""

    fault: str
    detail: str
    sequence: int | None


SessionEvent = CommandReceived | CommandUnreadable | Accepted | FencedBy | RefusedBy
