"""The launcher's end of a question: a frame in, the answer's frames out.

Everything it gives is committed, and every answer is bounded: the asker pages on. What cannot be
understood is answered with one `Refused`, counted by its kind, and changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from transport.codec import MESSAGE_LIMIT, decode, encode, family
from transport.frame_fault import FaultCounts, FrameError, FrameFault
from transport.message_types import QUESTIONS
from transport.messages import (
    Message,
    Refused,
    ReplayAnswer,
    ReplayQuestion,
    SagaAnswer,
    SagaQuestion,
    SnapshotAnswer,
    SnapshotQuestion,
    SnapshotRow,
    StateAnswer,
    StateQuestion,
    StatusAnswer,
    StatusQuestion,
)

_QUESTIONS = family(QUESTIONS)


class JournalView(Struct, frozen=True):
    """What the journal can give.

    Attributes:
        first: the first version it still has; one more than `last` when it has none.
        last: the last version committed; 0 before the first.
    """

    first: int
    last: int


class SnapshotPage(Struct, frozen=True):
    """Rows of the snapshot on which the journal stands.

    Attributes:
        truncated_before: the first version that is not in the snapshot: `JournalView.first`.
        total: how many rows the whole snapshot has.
        rows: those asked for; whatever they are, the asker begins again if it was reading the
            snapshot before another version.
    """

    truncated_before: int
    total: int
    rows: Sequence[SnapshotRow]


class SagaView(Struct, frozen=True):
    """What the log has of one saga.

    Attributes:
        next_saga_id: the lowest id that no saga ever had.
        saga: its rows and events as a tree of maps, described in `docs/protocol.md`; None if it
            never began, or is forgotten.
    """

    next_saga_id: int
    saga: dict[str, Any] | None


class JournalReader(Protocol):
    """Reads what is committed, from one thread of its own.

    Each call is consistent in itself; the journal may grow or be trimmed between two. Trimming
    must go in steps that are seconds apart (say, a tenth of the journal at once): an asker needs
    that time to read a snapshot and to go on from there before it is trimmed away again.
    """

    @property
    def log_id(self) -> str:
        """The log's own id."""

    def view(self) -> JournalView:
        """Give the versions that the journal has now."""

    def blobs_from(self, version: int, byte_limit: int) -> list[bytes]:
        """Give whole blobs in order, the first of them containing `version`.

        Together they have at most `byte_limit` bytes, but there is always one. None if the
        journal does not have that version (not yet committed, or trimmed).
        """

    def snapshot_page(self, offset: int, limit: int) -> SnapshotPage:
        """Give at most `limit` rows of the snapshot, from row `offset` on."""

    def saga(self, saga_id: int) -> SagaView:
        """Give one saga's rows, and its events as far as the journal has them."""


class LauncherView(Protocol):
    """What a launcher says of itself; each call gives a tree of maps, from any thread."""

    def status(self) -> dict[str, Any]:
        """Give what `StatusAnswer` carries."""

    def state(self, sagas: int) -> dict[str, Any]:
        """Give what `StateAnswer` carries, with at most so many open sagas one by one."""

    def saga(self, saga_id: int) -> dict[str, Any]:
        """Give what an open saga waits for, and why it does not move."""


class PageLimits(Struct, frozen=True):
    """How much one answer has; one blob or row always fits.

    Attributes:
        replay_bytes: about how many bytes of blobs.
        rows, row_bytes: how many rows of a snapshot at most, and bytes of them.
    """

    replay_bytes: int = 512 * 1024
    rows: int = 2_000
    row_bytes: int = 768 * 1024


class QuerySession:
    """Answers questions.

    Args:
        reader: of the journal.
        launcher: says how it is.
        limits: of one answer.

    Attributes:
        faults: questions that were refused, by kind.
        answered: questions that were not.
    """

    def __init__(
        self, reader: JournalReader, launcher: LauncherView, limits: PageLimits | None = None
    ) -> None:
        self.faults = FaultCounts()
        self.answered = 0
        self._reader = reader
        self._launcher = launcher
        self._limits = limits or PageLimits()

    def answer(self, frame: bytes) -> list[bytes]:
        """Give the frames that answer a question: its head, then a replay's blobs."""
        try:
            frames = self._answer(frame)
        except FrameError as error:
            self.faults[error.fault] += 1
            return [encode(Refused(fault=error.fault, detail=error.detail))]
        self.answered += 1
        return frames

    def _answer(self, frame: bytes) -> list[bytes]:
        match decode(frame, _QUESTIONS):
            case ReplayQuestion() as question:
                return self._replay(question)
            case SnapshotQuestion() as question:
                return [self._snapshot(question)]
            case StatusQuestion(number=number):
                status = {**self._launcher.status(), "queries": self._counts()}
                return [_whole(StatusAnswer(number=number, status=status))]
            case StateQuestion(number=number, sagas=sagas):
                state = {**self._launcher.state(sagas), "queries": self._counts()}
                return [_whole(StateAnswer(number=number, state=state))]
            case SagaQuestion() as question:
                return [_whole(self._saga(question))]
            case other:
                detail = f"no answer to {type(other).__name__}"
                raise FrameError(FrameFault.UNKNOWN_TYPE, detail)

    def _replay(self, question: ReplayQuestion) -> list[bytes]:
        reader = self._reader
        view = reader.view()
        same_log = question.log is None or question.log == reader.log_id
        blobs: list[bytes] = []
        if same_log and view.first <= question.first <= view.last:
            blobs = reader.blobs_from(question.first, self._limits.replay_bytes)
            if not blobs:
                view = reader.view()
        truncated = same_log and question.first < view.first
        head = ReplayAnswer(
            number=question.number,
            log=reader.log_id,
            first=view.first,
            last=view.last,
            truncated_before=view.first if truncated else None,
        )
        return [encode(head), *blobs]

    def _snapshot(self, question: SnapshotQuestion) -> bytes:
        page = self._reader.snapshot_page(question.offset, self._limits.rows)
        restart = question.before is not None and question.before != page.truncated_before
        answer = SnapshotAnswer(
            number=question.number,
            log=self._reader.log_id,
            truncated_before=page.truncated_before,
            offset=question.offset,
            total=page.total,
            restart=restart,
            rows=[] if restart else _bounded(page.rows, self._limits.row_bytes),
        )
        return encode(answer)

    def _saga(self, question: SagaQuestion) -> SagaAnswer:
        view = self._reader.saga(question.saga_id)
        is_open = view.saga is not None and view.saga["state"] == "open"
        return SagaAnswer(
            number=question.number,
            log=self._reader.log_id,
            next_saga_id=view.next_saga_id,
            saga=view.saga,
            live=self._launcher.saga(question.saga_id) if is_open else None,
        )

    def _counts(self) -> dict[str, Any]:
        faults = {str(fault): count for fault, count in self.faults.items()}
        return {"answered": self.answered, "faults": faults}


def _whole(answer: Message) -> bytes:
    frame = encode(answer)
    if len(frame) > MESSAGE_LIMIT:
        detail = f"the {type(answer).__name__} is {len(frame)} bytes; the limit is {MESSAGE_LIMIT}"
        raise FrameError(FrameFault.TOO_LARGE, detail)
    return frame


def _bounded(rows: Sequence[SnapshotRow], limit: int) -> list[SnapshotRow]:
    size = 0
    for index, row in enumerate(rows):
        size += len(encode(row))
        if index and size > limit:
            return list(rows[:index])
    return list(rows)
