"""The lines of a history, one class a kind.

A history is everything that a check of a run has to go by: what observers were told, what hosts
did and had, what the log had in the end, and what was done to them.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from transport.messages import CommandIdentity

Nanoseconds = Annotated[int, Meta(ge=0)]
"""A monotonic clock's time; one machine's processes share that clock."""


class EventLine(Struct, frozen=True, tag_field="kind", tag="event", forbid_unknown_fields=True):
    """An event as an observer was handed it. `event`: the wire's map."""

    at_ns: Nanoseconds
    observer: str
    event: dict[str, Any]


class HostLine(Struct, frozen=True, tag_field="kind", tag="host"):
    """What a host really did, by its own record; a host may record more fields than these.

    Attributes:
        did: `promoted` (with `promote_id`, `cold`), `closed`, `demoted`: user actions; `command`
            (with `type`, `identity`, `repeated`; `unanswered`: it was not looked at) and `report`
            (with `type`, `sequence`, and the report's own fields): what passed on its link; `ready`
            (a window is; with `identity`), `drained` (with `labels`), `died`, `crashed`,
            `registered`, `fenced`, ...
        identity: of the command, or of the one that the window was made for; nil if for none.
        reason: why something was done, or failed.
    """

    at_ns: Nanoseconds
    host: str
    epoch: str
    did: str
    label: str | None = None
    promote_id: str | None = None
    cold: bool = False
    identity: CommandIdentity | None = None
    type: str | None = None
    sequence: int | None = None
    repeated: bool = False
    reason: str | None = None
    labels: tuple[str, ...] = ()


class HostEndLine(
    Struct, frozen=True, tag_field="kind", tag="host_end", forbid_unknown_fields=True
):
    """What a host had when a history ended, by its own word. `drained`: its target is 0 for now."""

    at_ns: Nanoseconds
    host: str
    epoch: str
    pool: tuple[str, ...]
    open: tuple[str, ...]
    pool_target: int
    drained: bool


class ProcessLine(Struct, frozen=True, tag_field="kind", tag="process"):
    """What became of a process.

    Attributes:
        name: `launcher`, or a host's, service's or observer's own.
        pid: 0 in a simulated world.
        did: `started`, `ended`, `killed`, `stopped` (it stands still), `continued`.
    """

    at_ns: Nanoseconds
    name: str
    pid: int
    did: str


class FaultLine(Struct, frozen=True, tag_field="kind", tag="fault", forbid_unknown_fields=True):
    """A fault that was injected.

    Attributes:
        fault: its kind.
        target: what it was done to: a process's name, or a link's ends with `-` between.
        did: `happened`, or for one that lasts `began` and `ended`.
    """

    at_ns: Nanoseconds
    fault: str
    target: str
    did: Literal["happened", "began", "ended"] = "happened"


class OutageLine(Struct, frozen=True, tag_field="kind", tag="outage", forbid_unknown_fields=True):
    """The launcher's log could not be written from when it `began` until it `ended`."""

    at_ns: Nanoseconds
    did: Literal["began", "ended"]
    reason: str = ""


class TimeoutsLine(
    Struct, frozen=True, tag_field="kind", tag="timeouts", forbid_unknown_fields=True
):
    """How long sagas may take, in seconds by name; one that is not named has no known deadline."""

    at_ns: Nanoseconds
    seconds: dict[str, float]


class StepRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A step as the log has it. `state`: `awaited`, `settled` or `failed`."""

    step: int
    target: str
    command: str
    state: Literal["awaited", "settled", "failed"]
    failure: str | None = None


class SagaLine(Struct, frozen=True, tag_field="kind", tag="saga", forbid_unknown_fields=True):
    """A saga as the log has it when a history ends."""

    at_ns: Nanoseconds
    saga_id: int
    name: str
    state: Literal["open", "completed", "failed"]
    host: str | None = None
    epoch: str | None = None
    cause: int | None = None
    result: str | None = None
    failure: str | None = None
    steps: tuple[StepRow, ...] = ()


class LogLine(Struct, frozen=True, tag_field="kind", tag="log", forbid_unknown_fields=True):
    """The log itself when a history ends.

    Attributes:
        version: of the last event.
        next_saga_id: the lowest id that no saga ever had.
        journal: first and last version of each blob that it keeps, in order.
    """

    at_ns: Nanoseconds
    log: str
    version: int
    next_saga_id: int
    journal: tuple[tuple[int, int], ...] = ()


class OpenBracket(Struct, frozen=True, forbid_unknown_fields=True):
    """A bracket that was open where a history begins."""

    saga_id: int
    name: str


class TruncatedLine(
    Struct, frozen=True, tag_field="kind", tag="truncated", forbid_unknown_fields=True
):
    """An observer was told that history before version `before` cannot be had.

    Attributes:
        open: the brackets that were open there; they count as started.
    """

    at_ns: Nanoseconds
    observer: str
    before: int
    open: tuple[OpenBracket, ...] = ()


class BeginsLine(Struct, frozen=True, tag_field="kind", tag="begins", forbid_unknown_fields=True):
    """A history goes on with a log: what came up to version `after` is not of it.

    Attributes:
        open: the brackets that were open there: each must close once, and counts for nothing else.
    """

    at_ns: Nanoseconds
    observer: str
    after: int
    open: tuple[OpenBracket, ...] = ()


HistoryLine = (
    EventLine
    | HostLine
    | HostEndLine
    | ProcessLine
    | FaultLine
    | OutageLine
    | TimeoutsLine
    | SagaLine
    | LogLine
    | TruncatedLine
    | BeginsLine
)
"""Any line of a history."""
