"""Questions to the launcher's query socket, and their answers."""

from typing import Annotated, Any

from msgspec import Meta

from transport.messages.base import Count, Label, LogId, Message, Name, Origin, SagaId, Version
from transport.messages.link import Place

QuestionNumber = Annotated[int, Meta(ge=0, le=2**53)]
"""Chosen by the asker, repeated in the answer."""


STATE_SAGAS = 200
"""How many open sagas one `StateAnswer` can tell one by one."""


class ReplayQuestion(Message, frozen=True, kw_only=True):
    """Every event from version `first` on, in pages.

    Attributes:
        log: the log that the asker's versions belong to; nil if it has none.
    """

    number: QuestionNumber
    log: LogId | None
    first: Annotated[int, Meta(ge=1, le=2**62)]


class SnapshotQuestion(Message, frozen=True, kw_only=True):
    """Rows of the snapshot on which the journal stands, from row `offset` on.

    Attributes:
        before: `truncated_before` of the snapshot that the asker is reading; nil at first.
    """

    number: QuestionNumber
    offset: Count = 0
    before: Version | None = None


class StatusQuestion(Message, frozen=True, kw_only=True):
    """How the launcher is: state, queues, counters."""

    number: QuestionNumber


class StateQuestion(Message, frozen=True, kw_only=True):
    """Everything that the launcher can say of itself, bounded.

    Attributes:
        sagas: how many of the open sagas are told one by one, the oldest first.
    """

    number: QuestionNumber
    sagas: Annotated[int, Meta(ge=0, le=STATE_SAGAS)]


class SagaQuestion(Message, frozen=True, kw_only=True):
    """One saga's whole story."""

    number: QuestionNumber
    saga_id: SagaId


class ReplayAnswer(Message, frozen=True, kw_only=True):
    """Head of a replay page; the page's blobs follow as further parts of the same answer.

    Attributes:
        first: the first version that the journal can give.
        last: the last version committed.
        truncated_before: `first` where the question asked for less, else nil. Then no blob
            follows: the asker takes the snapshot, and goes on from there.
    """

    number: QuestionNumber
    log: LogId
    first: Version
    last: Version
    truncated_before: Version | None = None


class SnapshotHost(Message, frozen=True, kw_only=True):
    """A host in the snapshot. `drained`: its pool target is 0 until its next window opens."""

    host: Name
    epoch: Name
    pool_target: Count
    drained: bool
    live: bool
    sequence: Count


class SnapshotWindow(Message, frozen=True, kw_only=True):
    """A window in the snapshot."""

    host: Name
    label: Label
    place: Place


class SnapshotClosed(Message, frozen=True, kw_only=True):
    """Windows number `first` to `last` of the host's epoch are gone for ever."""

    host: Name
    first: Annotated[int, Meta(ge=1, le=2**53)]
    last: Annotated[int, Meta(ge=1, le=2**53)]


class SnapshotBracket(Message, frozen=True, kw_only=True, gc=True):
    """A bracket that is open in the snapshot, with its group's events so far (as maps)."""

    saga_id: SagaId
    name: Name
    cause: Version | None
    origin: Origin | None
    events: list[Any]


SnapshotRow = SnapshotHost | SnapshotWindow | SnapshotClosed | SnapshotBracket


class SnapshotAnswer(Message, frozen=True, kw_only=True, gc=True):
    """One page of the snapshot: the state before version `truncated_before`.

    Attributes:
        offset: number of this page's first row.
        total: how many rows the snapshot has.
        restart: the journal was trimmed since the asker's first page: begin again at offset 0.
    """

    number: QuestionNumber
    log: LogId
    truncated_before: Version
    offset: Count
    total: Count
    restart: bool
    rows: list[SnapshotRow]


class StatusAnswer(Message, frozen=True, kw_only=True, gc=True):
    """How the launcher is; `status` is a tree of maps, described in `docs/protocol.md`."""

    number: QuestionNumber
    status: dict[str, Any]


class StateAnswer(Message, frozen=True, kw_only=True, gc=True):
    """What the launcher says of itself; `state` is a tree of maps, see `docs/protocol.md`."""

    number: QuestionNumber
    state: dict[str, Any]


class SagaAnswer(Message, frozen=True, kw_only=True, gc=True):
    """What the log has of one saga, and what the running launcher says of it.

    Attributes:
        next_saga_id: the lowest id that no saga of the log ever had.
        saga: its rows and events, as a tree of maps; nil if it never began or is forgotten.
        live: what it waits for and why; nil if the log has it closed, or has it not.
    """

    number: QuestionNumber
    log: LogId
    next_saga_id: SagaId
    saga: dict[str, Any] | None
    live: dict[str, Any] | None
