"""The saga log: the interface behind which the durable record lives.

One `commit` a pass, all rows or none. Nothing of a pass leaves the launcher before its commit.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from actors.saga import SnapshotValue
from transport.event_stream.query_session import JournalReader
from transport.messages import Event


class SagaOpened(Struct, frozen=True):
    """A saga's row. `timeout_ns`: how long it may take."""

    saga_id: int
    name: str
    input: dict[str, SnapshotValue]
    cause: int | None
    host: str | None
    epoch: str | None
    timeout_ns: int


class StepIssued(Struct, frozen=True):
    """A step's row. `command`: its frame, exactly as it is sent."""

    saga_id: int
    step: int
    target: str
    command: bytes


class StepClosed(Struct, frozen=True):
    """A step is settled; `failure` says why it failed, None if it did not."""

    saga_id: int
    step: int
    failure: str | None


class EventDelivered(Struct, frozen=True):
    """An event that a saga was fed; kept until the saga closes."""

    saga_id: int
    event: Event


class SagaClosed(Struct, frozen=True):
    """A saga ended: with a result, or with a failure."""

    saga_id: int
    result: str | None
    failure: str | None


class BlobAppended(Struct, frozen=True):
    """A blob of the journal, with its first and last version."""

    first: int
    last: int
    blob: bytes


class ReportsTaken(Struct, frozen=True):
    """The last report taken from a host's epoch."""

    host: str
    epoch: str
    sequence: int


class EpochSuperseded(Struct, frozen=True):
    """An epoch is over; whoever still has it is fenced. `by`: the epoch that took its place."""

    host: str
    epoch: str
    by: str


Row = (
    SagaOpened
    | StepIssued
    | StepClosed
    | EventDelivered
    | SagaClosed
    | BlobAppended
    | ReportsTaken
    | EpochSuperseded
)


class LogUnavailableError(RuntimeError):
    """The log cannot be written now; nothing of the commit was kept. The message says why."""


class SagaLog(Protocol):
    """Where rows become durable.

    Attributes:
        log_id: 128 random bits made with the log, as 32 hexadecimal digits.
    """

    @property
    def log_id(self) -> str:
        """The log's own id: saga ids and versions belong to it."""

    def commit(self, rows: Sequence[Row]) -> None:
        """Make all rows durable, in one transaction.

        Raises:
            LogUnavailableError: none of them is; the same commit can be tried again.
        """

    def reader(self) -> JournalReader:
        """Give a reader of what is committed, for one other thread."""
