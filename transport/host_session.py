"""A host's or service's end of its session with the launcher.

Frames and the time in, frames and typed events out; no socket, no clock. `Register` is the first
frame of a connection, and until it is answered nothing else is sent. Reports are numbered from 1,
held until the launcher says that they are durable, and sent again from wherever it says that
something is missing. Numbers never shrink, whatever the launcher's log lost.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

import msgspec

from transport.codec import MESSAGE_LIMIT, Codec, decode, encode, encode_reports
from transport.frame_fault import FaultCounts, FrameError, FrameFault
from transport.host_session_events import (
    Accepted,
    CommandReceived,
    CommandUnreadable,
    FencedBy,
    RefusedBy,
    SessionEvent,
)
from transport.message_types import DOWN
from transport.messages import (
    PROTOCOL_VERSION,
    Acknowledge,
    CommandIdentity,
    Commands,
    Fenced,
    Goodbye,
    InventoryWindow,
    LauncherStopping,
    Message,
    NotRegistered,
    Ping,
    Refused,
    Register,
    RegisterAgain,
    Registered,
    Report,
    Role,
)

HEARTBEAT = 1_000_000_000
"""Nanoseconds between heartbeats until `Registered` says otherwise."""

SILENT_INTERVALS = 3
"""After so many heartbeat intervals without a frame, the launcher counts as lost."""

WINDOWS_IN_PART = 2_000
"""How many windows one part of an inventory names; each takes at most 330 bytes."""

FRAMES_IN_MESSAGE = 1_000
"""How many frames go into one ZeroMQ message; `outgoing` is to be asked until it gives none."""

HELD_LIMIT = 10_000
"""How many unacknowledged frames make the session `full`."""


class NumberedFrame(NamedTuple):
    """An encoded `Reports` frame, with the numbers of its first and last report."""

    first: int
    last: int
    frame: bytes


class LowWater(NamedTuple):
    """The lowest saga id of `log` that is still open for this peer."""

    log: str
    saga_id: int


class Stock(NamedTuple):
    """What a host has at the moment it registers. `drained`: its pool was drained."""

    windows: Sequence[InventoryWindow] = ()
    drained: bool = False


class _Phase(Enum):
    DISCONNECTED = auto()
    REGISTERING = auto()
    REGISTERED = auto()
    OVER = auto()


@dataclass(slots=True)
class _Batch:
    """What the last `outgoing` handed out, to be taken back if the socket would block."""

    registration: bool = False
    reports: int = 0
    ping: bool = False
    goodbye: bool = False
    repeats: tuple[NumberedFrame, ...] = ()


class HostSession:
    """One epoch's session, over as many connections as it takes.

    Args:
        host: id of the host or service.
        epoch: of this process.
        role: what it registers as.
        pool_target: how many ready windows it wants; 0 for a service.
        serves: command types that a service takes.
        codec: knows this process's command types.
        stock: asked for the inventory when a `Register` is made, and at no other time.
        heartbeat: nanoseconds between heartbeats until the launcher names its own interval.
        held_limit: how many unacknowledged frames make the session `full`.
        part_limit: how many windows of an inventory go into one message.

    Attributes:
        last: number of the last report made.
        log: id of the launcher's log; None until the first `Accepted`.
        low_water: the launcher's mark; None until the first `Accepted`.
        registered_once: this epoch was accepted at least once.
        launcher_stopping: the launcher shuts down: no user action until it accepts anew.
        left: `Goodbye` was handed out.
        not_allowed: why the launcher did not let this process register with its key; None if it
            did, or has not said. It asks the allow list anew for a new connection only.
        faults: bad frames of the launcher, by kind.
    """

    def __init__(
        self,
        *,
        host: str,
        epoch: str,
        role: Role = "host",
        pool_target: int = 0,
        serves: tuple[str, ...] = (),
        codec: Codec,
        stock: Callable[[], Stock] = Stock,
        heartbeat: int = HEARTBEAT,
        held_limit: int = HELD_LIMIT,
        part_limit: int = WINDOWS_IN_PART,
    ) -> None:
        self.last = 0
        self.log: str | None = None
        self.low_water: LowWater | None = None
        self.registered_once = False
        self.launcher_stopping = False
        self.left = False
        self.not_allowed: str | None = None
        self.faults = FaultCounts()
        self._host = host
        self._epoch = epoch
        self._role: Role = role
        self._pool_target = pool_target
        self._serves = serves
        self._codec = codec
        self._stock = stock
        self._heartbeat = heartbeat
        self._held_limit = held_limit
        self._part_limit = part_limit
        self._down = codec.family(DOWN)
        self._phase = _Phase.DISCONNECTED
        self._sent: deque[NumberedFrame] = deque()
        self._unsent: deque[NumberedFrame] = deque()
        self._repeats: dict[int, NumberedFrame] = {}
        self._registration_due = False
        self._ping_due = False
        self._goodbye_due = False
        self._confirms = 0
        self._heard = 0
        self._next_beat = 0
        self._resent = (0, 0)
        self._batch = _Batch()

    # --- what its owner asks --------------------------------------------------------------------

    @property
    def needs_connection(self) -> bool:
        """There is no connection yet, or the launcher fell silent on the last one."""
        return self._phase is _Phase.DISCONNECTED

    @property
    def registered(self) -> bool:
        """The launcher knows this connection."""
        return self._phase is _Phase.REGISTERED

    @property
    def held(self) -> int:
        """How many frames wait to be acknowledged."""
        return len(self._sent) + len(self._unsent)

    @property
    def full(self) -> bool:
        """So many frames wait that nothing should be done that needs no doing."""
        return self.held >= self._held_limit

    def next_due(self) -> int | None:
        """Give when `tick` has something to do, or None if it never has."""
        if self._phase in {_Phase.DISCONNECTED, _Phase.OVER}:
            return None
        return min(self._next_beat, self._heard + SILENT_INTERVALS * self._heartbeat)

    # --- what its owner does --------------------------------------------------------------------

    def connect(self, now: int) -> None:
        """Begin again on a new connection."""
        if self._phase is _Phase.OVER:
            return
        self._phase = _Phase.REGISTERING
        self._registration_due = True
        self._confirms = 0
        self._ping_due = False
        self._repeats.clear()
        self._batch = _Batch()
        self._heard = now
        self._next_beat = now + self._heartbeat

    def register_again(self) -> None:
        """Send the inventory anew; nothing to do unless registered."""
        if self._phase is _Phase.REGISTERED:
            self._phase = _Phase.REGISTERING
            self._registration_due = True

    def report(self, reports: Sequence[Report]) -> NumberedFrame:
        """Queue one frame of reports, which is taken or refused whole.

        Raises:
            FrameError: the frame would be larger than any launcher takes; no number is used.
        """
        first, last = self.last + 1, self.last + len(reports)
        frame = encode_reports(first, reports)
        if len(frame) > MESSAGE_LIMIT:
            detail = f"reports of {len(frame)} bytes; the limit is {MESSAGE_LIMIT}"
            raise FrameError(FrameFault.TOO_LARGE, detail)
        numbered = NumberedFrame(first, last, frame)
        self.last = last
        self._unsent.append(numbered)
        return numbered

    def repeat(self, frame: NumberedFrame) -> None:
        """Send a frame again as it was; one that still waits to be sent is not sent twice."""
        if not self._unsent or frame.last < self._unsent[0].first:
            self._repeats[frame.first] = frame

    def leave(self) -> None:
        """Say `Goodbye` after everything that is still to be sent."""
        self._goodbye_due = True
        if not self.registered_once:
            self._phase = _Phase.OVER
            self.left = True

    def tick(self, now: int) -> None:
        """Let time pass: a heartbeat may be due, the launcher may be lost."""
        if self._phase in {_Phase.DISCONNECTED, _Phase.OVER}:
            return
        if now - self._heard >= SILENT_INTERVALS * self._heartbeat:
            self._phase = _Phase.DISCONNECTED
        elif now >= self._next_beat:
            self._next_beat = now + self._heartbeat
            if self._phase is _Phase.REGISTERED:
                self._ping_due = True
            else:
                self._registration_due = True

    # --- frames out -----------------------------------------------------------------------------

    def outgoing(self) -> list[bytes]:
        """Give the frames of the next ZeroMQ message; none if there is nothing to say."""
        due = self._unsent or self._repeats or self._ping_due or self._goodbye_due
        if self._phase is _Phase.REGISTERED and not due:
            return []
        self._batch = batch = _Batch()
        if self._phase is _Phase.REGISTERING:
            if self._goodbye_due and self.launcher_stopping:
                # A launcher that stops may be gone before it answers: nobody is left to tell.
                self._phase = _Phase.OVER
                self.left = True
                return []
            if not self._registration_due:
                return []
            self._registration_due = False
            batch.registration = True
            return list(self._registration())
        if self._phase is not _Phase.REGISTERED:
            return []
        batch.repeats = tuple(self._repeats.values())
        self._repeats.clear()
        frames = [repeated.frame for repeated in batch.repeats]
        while self._unsent and batch.reports < FRAMES_IN_MESSAGE:
            numbered = self._unsent.popleft()
            self._sent.append(numbered)
            frames.append(numbered.frame)
            batch.reports += 1
        if self._ping_due:
            self._ping_due = False
            batch.ping = True
            frames.append(encode(Ping(last=self._last_sent())))
        if self._goodbye_due and not self._unsent:
            batch.goodbye = True
            self.left = True
            self._phase = _Phase.OVER
            frames.append(encode(Goodbye()))
        return frames

    def not_sent(self) -> None:
        """Take back what `outgoing` gave last: the socket would block."""
        batch, self._batch = self._batch, _Batch()
        self._registration_due |= batch.registration
        self._ping_due |= batch.ping
        if batch.goodbye:
            self.left = False
            self._phase = _Phase.REGISTERED
        for _ in range(min(batch.reports, len(self._sent))):
            self._unsent.appendleft(self._sent.pop())
        for repeated in batch.repeats:
            self.repeat(repeated)

    def _last_sent(self) -> int:
        return self._unsent[0].first - 1 if self._unsent else self.last

    def _registration(self) -> Iterator[bytes]:
        stock = self._stock()
        windows = tuple(stock.windows)
        parts = max(1, -(-len(windows) // self._part_limit))
        oldest = self._sent[0] if self._sent else (self._unsent[0] if self._unsent else None)
        for part in range(1, parts + 1):
            begin = (part - 1) * self._part_limit
            register = Register(
                role=self._role,
                host=self._host,
                epoch=self._epoch,
                first_held=self.last + 1 if oldest is None else oldest.first,
                as_of=self.last,
                pool_target=self._pool_target,
                drained=stock.drained,
                serves=self._serves,
                confirms=self._confirms,
                part=part,
                parts=parts,
                inventory=windows[begin : begin + self._part_limit],
            )
            yield encode(register)

    # --- frames in ------------------------------------------------------------------------------

    def receive(self, frames: Sequence[bytes], now: int) -> list[SessionEvent]:
        """Take one ZeroMQ message of the launcher, and give what it means for the owner."""
        events: list[SessionEvent] = []
        for frame in frames:
            if self._phase in {_Phase.DISCONNECTED, _Phase.OVER}:
                break
            self._heard = now
            try:
                events.extend(self._take(decode(frame, self._down), now))
            except FrameError as error:
                self.faults[error.fault] += 1
        return events

    def _take(self, message: Message, now: int) -> Iterator[SessionEvent]:
        match message:
            case Acknowledge():
                self._acknowledged(message, now)
            case Commands(commands=commands):
                yield from self._commands(commands)
            case Registered():
                yield self._accepted(message)
            case NotRegistered():
                self.register_again()
            case RegisterAgain(token=token):
                self._confirms = token
                self._phase = _Phase.REGISTERING
                self._registration_due = True
            case Fenced(by=by):
                self._phase = _Phase.OVER
                yield FencedBy(by)
            case LauncherStopping():
                self.launcher_stopping = True
            case Refused(fault=fault, detail=detail, sequence=sequence):
                if fault == FrameFault.NOT_ALLOWED and self._phase is _Phase.REGISTERING:
                    self._phase = _Phase.DISCONNECTED
                    self.not_allowed = detail
                yield RefusedBy(fault, detail, sequence)
            case _:
                pass

    def _accepted(self, answer: Registered) -> Accepted:
        if answer.protocol != PROTOCOL_VERSION:
            detail = f"protocol {answer.protocol}; this host speaks {PROTOCOL_VERSION}"
            raise FrameError(FrameFault.WRONG_PROTOCOL, detail)
        self._phase = _Phase.REGISTERED
        self._registration_due = False
        self._confirms = 0
        self.registered_once = True
        self.launcher_stopping = False
        self.not_allowed = None
        self.log = answer.log
        self.low_water = LowWater(answer.log, answer.low_water)
        self._heartbeat = answer.heartbeat_ms * 1_000_000
        self._next_beat = min(self._next_beat, self._heard + self._heartbeat)
        self._drop(answer.taken)
        self._send_all_again()
        return Accepted(answer.log, answer.taken)

    def _acknowledged(self, answer: Acknowledge, now: int) -> None:
        if self.log is None:
            raise FrameError(FrameFault.OUT_OF_TURN, "Acknowledge before Registered")
        self.low_water = LowWater(self.log, answer.low_water)
        self._drop(answer.taken)
        if answer.resend and self._phase is _Phase.REGISTERED:
            # Several passes of the launcher may miss the same report: it goes out again once.
            taken, since = self._resent
            if answer.taken != taken or now - since >= self._heartbeat // 2:
                self._resent = (answer.taken, now)
                self._send_all_again()

    def _drop(self, taken: int) -> None:
        self.last = max(self.last, taken)
        for held in (self._sent, self._unsent):
            while held and held[0].last <= taken:
                held.popleft()

    def _send_all_again(self) -> None:
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    def _commands(self, commands: Sequence[Any]) -> Iterator[SessionEvent]:
        for raw in commands:
            try:
                command = self._codec.decode_command(raw)
                if command.identity is None:
                    detail = f"{type(command).__name__} without an identity"
                    raise FrameError(FrameFault.MISSING_FIELD, detail)  # noqa: TRY301
            except FrameError as error:
                self.faults[error.fault] += 1
                unreadable = _unreadable(raw, error)
                if unreadable is not None:
                    yield unreadable
            else:
                yield CommandReceived(command)


def _unreadable(raw: Any, error: FrameError) -> CommandUnreadable | None:
    if type(raw) is not dict or raw.get("identity") is None:
        return None
    try:
        identity = msgspec.convert(raw["identity"], CommandIdentity)
    except msgspec.ValidationError:
        return None
    name = raw.get("type")
    shown = name[:128] if type(name) is str else "?"
    unknown = error.fault is FrameFault.UNKNOWN_TYPE
    return CommandUnreadable(
        identity, shown, f"unknown command {shown}" if unknown else error.detail
    )
