"""An observer's end of the event stream: the one true history out of frames that may be lost.

PUB/SUB loses messages in known ways (slow joiner, high-water mark, reconnect), so the stream alone
is never trusted. The session joins live first, asks for a replay, merges both by version, and asks
again on a hole, which the next blob or heartbeat shows. What is older than the journal comes as a
snapshot in pages. One question is out at a time; it carries a number, its answer is taken once,
and it is repeated until answered. So a frame that is lost, doubled or late changes nothing.

Which log is the true one is decided by answers alone, for only an answer to the question that is
out is known to be fresh: a stream frame of another log raises a doubt, and the doubt a question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from transport.codec import Codec, decode, encode
from transport.event_stream.held_blobs import HeldBlob, HeldBlobs
from transport.event_stream.items import Batch, CaughtUp, Item, NewHistory, Truncated
from transport.event_stream.snapshot import Snapshot
from transport.frame_fault import FaultCounts, FrameError, FrameFault
from transport.message_types import ANSWERS, STREAM
from transport.messages import (
    Events,
    Message,
    Refused,
    ReplayAnswer,
    ReplayQuestion,
    SnapshotAnswer,
    SnapshotQuestion,
    SnapshotRow,
    StreamHeartbeat,
)

REPEAT_NS = 1_000_000_000
"""An unanswered question is repeated after this; one whose answer brought nothing, asked again."""

SILENCE_NS = 3_000_000_000
"""A stream that is silent for this long is not trusted: a question shows what it may have lost."""

HELD_BYTES = 16 * 1024 * 1024
"""How many bytes of live blobs wait for the hole before them to be filled."""

BEYOND_EVERYTHING = 2**62
"""A replay from here has no blobs: its head tells what the last version is."""


class Phase(Enum):
    """What the session is doing."""

    CATCHING_UP = "asks for replay pages until nothing is missing"
    READING_SNAPSHOT = "asks for snapshot pages, for what is due is older than the journal"
    LIVE = "everything known to exist has been handed over"


@dataclass(slots=True)
class ObserverStatistics:
    """What the session met so far.

    Attributes:
        events: handed over.
        duplicates: blobs that had nothing new.
        dropped: live blobs that were ahead and found no room.
        questions: sent, repetitions included.
        stale_answers: answers to no question that is out.
    """

    events: int = 0
    duplicates: int = 0
    dropped: int = 0
    questions: int = 0
    stale_answers: int = 0


@dataclass(slots=True)
class _SnapshotReading:
    before: int | None = None
    rows: list[SnapshotRow] = field(default_factory=list)


class ObserverSession:
    """Frames and time in; questions and items out.

    Args:
        codec: knows the event types; others come as opaque events.
        first: the first version that is wanted.
        log: the log that `first` belongs to, for an observer that resumes.
        from_now: only what comes from now on is wanted; `first` is not looked at.
        held_bytes: how many bytes of live blobs may wait for a hole to be filled.

    Attributes:
        faults: malformed frames, by kind.
        statistics: see `ObserverStatistics`.
        launcher_status: what the last heartbeat said: `ok`, or why the log is unavailable.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        first: int = 1,
        log: str | None = None,
        from_now: bool = False,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self.faults = FaultCounts()
        self.statistics = ObserverStatistics()
        self.launcher_status = "ok"
        self._codec = codec
        self._stream = codec.family(STREAM)
        self._answers = codec.family(ANSWERS)
        self._log = log
        self._next = None if from_now else first
        self._last = 0
        self._phase = Phase.CATCHING_UP
        self._reading = _SnapshotReading()
        self._held = HeldBlobs(held_bytes)
        self._items: list[Item] = []
        self._questions: list[bytes] = []
        self._number = 0
        self._awaiting = False
        self._doubt = False
        self._not_before = 0
        self._deadline: int | None = None

    @property
    def log(self) -> str | None:
        """The log that the versions belong to; None until a frame told."""
        return self._log

    @property
    def next_version(self) -> int | None:
        """The version of the next event; None for one from now on that has not heard anything."""
        return self._next

    @property
    def phase(self) -> Phase:
        """What the session is doing."""
        return self._phase

    @property
    def deadline(self) -> int | None:
        """When `tick` has something to do; None before the first input."""
        return self._deadline

    def items(self) -> list[Item]:
        """Take out what is to be handed over, in order."""
        items, self._items = self._items, []
        return items

    def questions(self) -> list[bytes]:
        """Take out the frames to be sent to the query socket, each a message of its own."""
        questions, self._questions = self._questions, []
        return questions

    def tick(self, now: int) -> None:
        """Let time pass: repeat a question, or ask because the stream is silent."""
        if self._deadline is None:
            self._deadline = now + REPEAT_NS
        elif now >= self._deadline and self._awaiting:
            self._send_question(now)
        elif now >= self._deadline:
            self._ask(now)

    # --- the stream ---------------------------------------------------------------------------

    def receive_stream(self, frame: bytes, now: int) -> None:
        """Take a frame that the launcher published."""
        try:
            message = decode(frame, self._stream)
            if isinstance(message, StreamHeartbeat):
                self._take_heartbeat(message)
            elif isinstance(message, Events):
                self._take_live(message, len(frame), now)
        except FrameError as error:
            self.faults[error.fault] += 1
        else:
            self._go_on(now)

    def _take_heartbeat(self, heartbeat: StreamHeartbeat) -> None:
        if not self._is_ours(heartbeat.log):
            return
        self.launcher_status = heartbeat.status
        self._last = max(self._last, heartbeat.last)
        self._begin_at(heartbeat.last + 1)

    def _take_live(self, blob: Events, size: int, now: int) -> None:
        if self._is_ours(blob.log):
            self._begin_at(blob.first)
            self._merge(blob, size, now)

    def _is_ours(self, log: str) -> bool:
        if self._log is None:
            self._log = log
        self._doubt = self._doubt or log != self._log
        return log == self._log

    def _begin_at(self, version: int) -> None:
        """Let an observer from now on begin; for one that has begun, nothing happens."""
        if self._next is None:
            self._next = version
            self._phase = Phase.LIVE
            self._items.append(CaughtUp(version - 1))

    # --- merging by version -------------------------------------------------------------------

    def _merge(self, blob: Events, size: int, now: int) -> None:
        due = self._next
        assert due is not None  # noqa: S101 - whoever merges has begun
        last = blob.first + len(blob.events) - 1
        self._last = max(self._last, last)
        if last < due or blob.first in self._held:
            self.statistics.duplicates += 1
            return
        if blob.first > due and not self._held.has_room(size):
            self.statistics.dropped += 1
            return
        events = self._codec.decode_events(blob.first, blob.events)
        decoded = HeldBlob(blob.first, events, size, now)
        if blob.first > due:
            self._held.add(decoded)
            return
        self._hand_over(decoded)
        self._hand_over_held()

    def _hand_over_held(self) -> None:
        while self._next is not None and (held := self._held.take_up_to(self._next)) is not None:
            self._hand_over(held)

    def _hand_over(self, blob: HeldBlob) -> None:
        assert self._next is not None  # noqa: S101 - whoever merges has begun
        events = tuple(blob.events[self._next - blob.first :])
        if events:
            self._next += len(events)
            self.statistics.events += len(events)
            self._items.append(Batch(events, blob.at_ns))

    # --- questions ----------------------------------------------------------------------------

    def _go_on(self, now: int) -> None:
        """Ask if something is missing; else wait for the stream."""
        if self._next is not None and self._last >= self._next and self._phase is Phase.LIVE:
            self._phase = Phase.CATCHING_UP
        if self._awaiting:
            return
        if self._phase is Phase.LIVE and not self._doubt:
            self._deadline = now + SILENCE_NS
        elif now >= self._not_before:
            self._ask(now)
        else:
            self._deadline = self._not_before

    def _ask(self, now: int) -> None:
        self._number += 1
        self._awaiting = True
        self._doubt = False
        self._send_question(now)

    def _send_question(self, now: int) -> None:
        self.statistics.questions += 1
        self._deadline = now + REPEAT_NS
        question: Message
        if self._phase is Phase.READING_SNAPSHOT:
            reading = self._reading
            question = SnapshotQuestion(
                number=self._number, offset=len(reading.rows), before=reading.before
            )
        else:
            first = BEYOND_EVERYTHING if self._next is None else self._next
            question = ReplayQuestion(number=self._number, log=self._log, first=first)
        self._questions.append(encode(question))

    # --- answers ------------------------------------------------------------------------------

    def receive_answer(self, frames: Sequence[bytes], now: int) -> None:
        """Take an answer of the query socket: its head, then a replay's blobs."""
        try:
            head = decode(frames[0] if frames else b"", self._answers)
            if isinstance(head, Refused):
                self.faults[FrameFault.OUT_OF_TURN] += 1
            elif not isinstance(head, ReplayAnswer | SnapshotAnswer):
                detail = f"{type(head).__name__} answers no question of an observer"
                raise FrameError(FrameFault.OUT_OF_TURN, detail)  # noqa: TRY301
            elif self._awaiting and head.number == self._number:
                self._take_answer(head, frames[1:], now)
            else:
                self.statistics.stale_answers += 1
        except FrameError as error:
            self.faults[error.fault] += 1

    def _take_answer(
        self, head: ReplayAnswer | SnapshotAnswer, blobs: Sequence[bytes], now: int
    ) -> None:
        before = self._progress()
        self._awaiting = False
        if self._log is None:
            self._log = head.log
        try:
            if head.log != self._log:
                self._begin_anew(head.log)
            elif isinstance(head, ReplayAnswer):
                self._take_replay(head, blobs, now)
            else:
                self._take_rows(head, now)
        except FrameError as error:
            self.faults[error.fault] += 1
        self._not_before = now if self._progress() != before else now + REPEAT_NS
        self._go_on(now)

    def _progress(self) -> tuple[object, ...]:
        return self._log, self._next, self._phase, len(self._reading.rows)

    def _begin_anew(self, log: str) -> None:
        self._log = log
        self._next = 1
        self._last = 0
        self._phase = Phase.CATCHING_UP
        self._reading = _SnapshotReading()
        self._held.clear()
        self._items.append(NewHistory(log))

    def _take_replay(self, head: ReplayAnswer, blobs: Sequence[bytes], now: int) -> None:
        self._last = max(self._last, head.last)
        self._begin_at(head.last + 1)
        if self._next is None or self._next < (head.truncated_before or 0):
            self._phase = Phase.READING_SNAPSHOT
            self._reading = _SnapshotReading()
            return
        for frame in blobs:
            blob = decode(frame, self._answers)
            if not isinstance(blob, Events) or blob.log != self._log:
                detail = f"a {type(blob).__name__} in a replay of log {self._log}"
                raise FrameError(FrameFault.OUT_OF_TURN, detail)
            self._merge(blob, len(frame), now)
        if self._last < self._next and self._phase is Phase.CATCHING_UP:
            self._phase = Phase.LIVE
            self._items.append(CaughtUp(self._next - 1))

    def _take_rows(self, head: SnapshotAnswer, now: int) -> None:
        reading = self._reading
        if head.restart or reading.before not in {None, head.truncated_before}:
            self._reading = _SnapshotReading()
            return
        if head.offset != len(reading.rows):
            return
        reading.before = head.truncated_before
        reading.rows.extend(head.rows)
        if len(reading.rows) < head.total:
            return
        self._reading = _SnapshotReading()
        snapshot = Snapshot.from_rows(reading.rows, self._codec, before=head.truncated_before)
        self._phase = Phase.CATCHING_UP
        if self._next is not None and self._next < snapshot.before:
            self._next = snapshot.before
            self._items.append(Truncated(snapshot.before, snapshot, now))
            self._hand_over_held()
