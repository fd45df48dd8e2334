"""The session between a host (or service) and the launcher: who is who, what was taken."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from transport.messages.base import (
    CommandIdentity,
    Count,
    Epoch,
    HostId,
    Label,
    LogId,
    Message,
    Name,
    SagaId,
    Sequence,
    Text,
)

PROTOCOL_VERSION = 1
"""What `Register` and `Registered` carry; the launcher refuses any other number."""

Place = Literal["pool", "open"]
"""Where a host's window is: in its pool, or seen by a user."""

Role = Literal["host", "service"]
"""What a peer may do: a host owns windows, a service only settles commands sent to it."""


class InventoryWindow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One window that a host has. On the wire an array of three.

    Attributes:
        identity: of the command that made the window; nil if none did.
    """

    label: Label
    place: Place
    identity: CommandIdentity | None


# --- up: host to launcher ---------------------------------------------------------------------


class Register(Message, frozen=True, kw_only=True, gc=True):
    """The first message on every connection.

    Attributes:
        first_held: sequence of the first report that the host still holds unacknowledged;
            `as_of + 1` when it holds none.
        as_of: sequence of the last report made before this inventory was taken.
        pool_target: how many ready windows the host wants; 0 for a service.
        drained: the pool was drained: the target in force is 0 until the next window opens.
        serves: command types that a service takes; empty for a host.
        confirms: the token of the `RegisterAgain` that this answers; 0 if it answers none.
        part, parts: an inventory too long for one message comes in `parts` of them, numbered
            from 1, each with all the other fields alike.
        inventory: this part's windows.
    """

    protocol: Count = PROTOCOL_VERSION
    role: Role = "host"
    host: HostId
    epoch: Epoch
    first_held: Annotated[int, Meta(ge=1, le=2**62)]
    as_of: Sequence
    pool_target: Annotated[int, Meta(ge=0, le=1_000_000)]
    drained: bool = False
    serves: tuple[Name, ...] = ()
    confirms: Count = 0
    part: Annotated[int, Meta(ge=1, le=100)] = 1
    parts: Annotated[int, Meta(ge=1, le=100)] = 1
    inventory: tuple[InventoryWindow, ...] = ()


class Reports(Message, frozen=True, kw_only=True, gc=True):
    """Reports that are taken or refused whole, numbered on from `sequence`.

    Each element of `reports` is a report's map; `Codec.decode_reports` makes the objects, so that
    the envelope can be read even where a report cannot.
    """

    sequence: Annotated[int, Meta(ge=1, le=2**62)]
    reports: Annotated[list[Any], Meta(min_length=1, max_length=256)]


class Ping(Message, frozen=True, kw_only=True):
    """The host's heartbeat. `last`: sequence of the last report it sent."""

    last: Sequence


class Goodbye(Message, frozen=True, kw_only=True):
    """The host leaves in order: its windows are closed, its epoch is over."""


# --- down: launcher to host -------------------------------------------------------------------


class Registered(Message, frozen=True, kw_only=True):
    """The answer to a complete `Register`.

    Attributes:
        taken: sequence of the last report taken; the host drops what it holds up to there and
            sends the rest again.
        low_water: see `Acknowledge`.
        heartbeat_ms: how often, in milliseconds, the launcher wants to hear from the host.
    """

    protocol: Count = PROTOCOL_VERSION
    log: LogId
    epoch: Epoch
    taken: Sequence
    low_water: SagaId
    heartbeat_ms: Annotated[int, Meta(ge=1, le=3_600_000)]


class Commands(Message, frozen=True, kw_only=True, gc=True):
    """Commands, each a map; `Codec.decode_command` makes the objects one by one."""

    commands: Annotated[list[Any], Meta(min_length=1, max_length=4096)]


class Acknowledge(Message, frozen=True, kw_only=True):
    """Everything up to `taken` is durable.

    Attributes:
        low_water: lowest saga id still open for this host: outcomes below it may be forgotten,
            commands below it are to be ignored.
        resend: the launcher missed something after `taken`, or could not read it: send it again.
    """

    taken: Sequence
    low_water: SagaId
    resend: bool = False


class NotRegistered(Message, frozen=True, kw_only=True):
    """Register (again): the launcher does not know this connection, or wants the inventory."""


class RegisterAgain(Message, frozen=True, kw_only=True):
    """Another epoch has this place: take it by registering again on this connection.

    Only a living process can, so a dead one's `Register` that is read late fences nobody.

    Attributes:
        token: to be repeated as `Register.confirms`.
    """

    token: Count


class Fenced(Message, frozen=True, kw_only=True):
    """A later epoch of this host registered; this one must exit. `by`: the later epoch."""

    by: Epoch


class LauncherStopping(Message, frozen=True, kw_only=True):
    """The launcher shuts down: refuse user actions until the next `Registered`."""


class Refused(Message, frozen=True, kw_only=True):
    """A private, non-fatal error: one message of this peer was not taken.

    Attributes:
        fault: the kind, as counted (`transport.frame_fault.FrameFault`).
        sequence: of the first report in the refused message; nil where there is none.
    """

    fault: Name
    detail: Text
    sequence: Sequence | None = None
