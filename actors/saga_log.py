"""The saga log: the interface behind which the durable record lives.

One `commit` a pass, all rows or none. Nothing of a pass leaves the launcher before its commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from actors.saga import SnapshotValue
from transport.event_stream.query_session import JournalReader
from transport.messages import Event, Recorded
from transport.mirror import Mirror


class SagaOpened(Struct, frozen=True):
    """A saga's row. `deadline`: when it is over, in nanoseconds of the wall clock."""

    saga_id: int
    name: str
    input: dict[str, SnapshotValue]
    cause: int | None
    host: str | None
    epoch: str | None
    deadline: int


class DeadlineExtended(Struct, frozen=True):
    """A recovery gave a saga more time."""

    saga_id: int
    deadline: int


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
    """The last report taken from an epoch, where no event tells of it."""

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
    | DeadlineExtended
)


@dataclass(slots=True)
class SagaRecord:
    """One saga's rows.

    Attributes:
        delivered: every event that it was fed, an opaque one where its type is not known any more;
            empty once it is closed.
        extensions: how often its deadline was extended.
    """

    opened: SagaOpened
    deadline: int
    extensions: int = 0
    steps: list[StepIssued] = field(default_factory=list)
    closed_steps: list[StepClosed] = field(default_factory=list)
    delivered: list[Recorded] = field(default_factory=list)
    closed: SagaClosed | None = None


@dataclass(slots=True)
class LogContents:
    """Everything that a launcher begins with: what is committed.

    Attributes:
        version: of the last event.
        next_saga_id: the lowest id that no saga ever had.
        mirror: every host's windows after that event; the reader's own.
        open_sagas: by id, rising.
        reports_taken: number of the last report taken from each (host, epoch): the row's, or that
            of the last event, if it is higher. So a pass whose last report became an event needs no
            row for it.
        superseded: by (host, epoch), the epoch that took its place.
    """

    log_id: str
    version: int = 0
    next_saga_id: int = 1
    mirror: Mirror = field(default_factory=Mirror)
    open_sagas: list[SagaRecord] = field(default_factory=list)
    reports_taken: dict[tuple[str, str], int] = field(default_factory=dict)
    superseded: dict[tuple[str, str], str] = field(default_factory=dict)


def last_reports(rows: Mapping[tuple[str, str], int], mirror: Mirror) -> dict[tuple[str, str], int]:
    """Give `LogContents.reports_taken` from a log's rows and the events' mirror."""
    taken = dict(rows)
    for host in mirror.hosts.values():
        key = (host.host, host.epoch)
        taken[key] = max(taken.get(key, 0), host.sequence)
    return taken


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

    def load(self) -> LogContents:
        """Give everything that is committed, for a launcher to begin with."""

    def reader(self) -> JournalReader:
        """Give a reader of what is committed, for one other thread."""
