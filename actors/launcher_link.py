"""The launcher's end of every host's and service's session.

A connection's identity, as ZeroMQ made it, is bound to (host, epoch) by `Register`; no peer chooses
its own. So the end of an old connection cannot harm a new one. Reports are judged here by their
number alone (next, known already, or after a gap); what they mean is the reducer's business.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from msgspec.structs import replace

from actors.step_queue import PendingStep, StepQueue
from transport.codec import encode, encode_commands
from transport.frame_fault import FaultCounts, FrameError, FrameFault
from transport.messages import (
    Acknowledge,
    InventoryWindow,
    Message,
    NotRegistered,
    Refused,
    Register,
    Registered,
    Role,
)

COMMANDS_IN_FRAME = 1024
"""How many commands go into one frame; each is far below a thousandth of the message limit."""

COLLECTING_LIMIT = 256
"""How many connections may be half-way through a registration in parts; the oldest gives way."""

REPLY_LIMIT = 1024
"""How many private answers wait for a connection that takes none; more are only counted."""

SILENT_INTERVALS = 3
"""After so many heartbeat intervals without a frame, a peer's heartbeat is no longer fresh."""


COMPARED_LABELS = 8
"""How many of the labels that differed are kept."""


class Verdict(Enum):
    """What a report frame's number says."""

    NEXT = auto()
    DUPLICATE = auto()
    GAP = auto()
    OVERLAP = auto()


@dataclass(slots=True)
class Inventory:
    """What a host said it has, as of a report number."""

    as_of: int
    windows: list[InventoryWindow]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing an inventory with the mirror found.

    Attributes:
        as_of: the report number of which the inventory was.
        at: when, in nanoseconds of the loop's clock.
        differences: how many labels differed.
        labels: the first of them, in the order of the events that made the mirror right.
    """

    as_of: int
    at: int
    differences: int
    labels: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Peer:
    """One host's or service's current epoch.

    Attributes:
        connection: where it is connected now; None while it is not.
        taken: number of the last report taken.
        refused_at: number of the report frame that was refused once already.
        inventory: not yet compared, because reports up to its number are to be taken first.
        compared: what came of the last comparison.
        heard: when it last sent a frame, in nanoseconds of the loop's clock.
        queues: pending steps for it.
        gone: its connection takes nothing any more; what it said before may still arrive.
        acknowledged: the last acknowledgement that it was sent.
    """

    host: str
    epoch: str
    role: Role
    connection: bytes | None
    taken: int
    heard: int
    serves: tuple[str, ...] = ()
    refused_at: int = 0
    inventory: Inventory | None = None
    compared: Comparison | None = None
    queues: list[StepQueue] = field(default_factory=list)
    acknowledge: bool = False
    resend: bool = False
    registered: bool = False
    inventory_asked: bool = False
    blocked: bool = False
    gone: bool = False
    acknowledged: Acknowledge | None = None
    replies: list[bytes] = field(default_factory=list)

    def let_flow(self, *, flowing: bool) -> None:
        """Say whether its connection takes what is sent."""
        for queue in self.queues:
            queue.flowing = flowing

    def judge(self, first: int, count: int) -> Verdict:
        """Say what to do with `count` reports numbered from `first`."""
        if first == self.taken + 1:
            return Verdict.NEXT
        if first > self.taken + 1:
            return Verdict.GAP
        return Verdict.DUPLICATE if first + count - 1 <= self.taken else Verdict.OVERLAP


@dataclass(slots=True)
class Outgoing:
    """One ZeroMQ message to one connection.

    Attributes:
        replies: how many of the frames, the first ones, are private answers.
        steps: the pending steps in it, by queue, to be noted as handed over or given back.
    """

    connection: bytes
    frames: list[bytes]
    peer: Peer | None = None
    replies: int = 0
    acknowledge: Acknowledge | None = None
    steps: list[tuple[StepQueue, list[PendingStep]]] = field(default_factory=list)


class LauncherLink:
    """All sessions of a launcher.

    Args:
        log_id: of the launcher's log.
        epoch: of the launcher's process.
        heartbeat: how often peers are to be heard, in nanoseconds.
    """

    def __init__(self, *, log_id: str, epoch: str, heartbeat: int) -> None:
        self.peers: dict[str, Peer] = {}
        self.faults = FaultCounts()
        self.superseded: dict[tuple[str, str], str] = {}
        self.recovered_taken: dict[tuple[str, str], int] = {}
        self.duplicates = 0
        self.gaps = 0
        self._log_id = log_id
        self._epoch = epoch
        self.heartbeat = heartbeat
        self._by_connection: dict[bytes, Peer] = {}
        self._parts: dict[bytes, list[Register]] = {}
        self._touched: dict[str, Peer] = {}
        self._replies: list[Outgoing] = []

    # --- frames in ----------------------------------------------------------------------------

    def peer_at(self, connection: bytes) -> Peer | None:
        """Give who is at a connection, or None if nobody registered there."""
        return self._by_connection.get(connection)

    def taken_of(self, host: str, epoch: str) -> int:
        """Give the number of the last report taken from an epoch, in this engine or before it."""
        peer = self.peers.get(host)
        if peer is not None and peer.epoch == epoch:
            return peer.taken
        return self.recovered_taken.get((host, epoch), 0)

    def recovered_epoch(self, host: str) -> str | None:
        """Give the epoch that a peer had before this engine, as the log knows it."""
        return next((epoch for name, epoch in self.recovered_taken if name == host), None)

    @property
    def registering(self) -> int:
        """How many connections are half-way through a registration in parts; from any thread."""
        return len(self._parts)

    def touch(self, peer: Peer) -> None:
        """Note that this pass has something to say to a peer."""
        self._touched[peer.host] = peer

    def heard(self, peer: Peer, now: int) -> None:
        """Note that a peer sent a frame."""
        peer.heard = now
        peer.blocked = False

    def is_fresh(self, host: str, now: int) -> bool:
        """Say whether a peer is connected and was heard lately."""
        peer = self.peers.get(host)
        return (
            peer is not None
            and peer.registered
            and not peer.gone
            and now - peer.heard <= SILENT_INTERVALS * self.heartbeat
        )

    def refuse(self, connection: bytes, error: FrameError, sequence: int | None = None) -> None:
        """Count a bad frame and tell its sender, and nobody else."""
        self.faults[error.fault] += 1
        answer = Refused(fault=error.fault, detail=error.detail, sequence=sequence)
        self.reply(connection, answer)

    def reply(self, connection: bytes, message: Message) -> None:
        """Say something to a connection, registered or not."""
        peer = self._by_connection.get(connection)
        if peer is not None:
            if len(peer.replies) < REPLY_LIMIT:
                peer.replies.append(encode(message))
            self.touch(peer)
        else:
            self._replies.append(Outgoing(connection, [encode(message)]))

    def refuse_unregistered(self, connection: bytes) -> None:
        """Answer a frame that came before its connection registered."""
        self.reply(connection, NotRegistered())
        detail = "Register is the first message on every connection"
        self.refuse(connection, FrameError(FrameFault.NOT_REGISTERED, detail))

    def ask_inventory(self, peer: Peer) -> None:
        """Have a peer register again, so that its inventory can be compared."""
        if peer.connection is not None and not peer.inventory_asked:
            peer.inventory_asked = True
            self.reply(peer.connection, NotRegistered())

    # --- registration -------------------------------------------------------------------------

    def collect(self, connection: bytes, part: Register) -> Register | None:
        """Take one part of a registration; give the whole when it is complete.

        Raises:
            FrameError: the parts do not belong together.
        """
        if part.parts == part.part == 1:
            self._parts.pop(connection, None)
            return part
        if connection not in self._parts and len(self._parts) >= COLLECTING_LIMIT:
            del self._parts[next(iter(self._parts))]
        parts = self._parts.setdefault(connection, [])
        if part.part == 1:
            parts.clear()
        if part.part != len(parts) + 1 or (parts and not _same_registration(parts[0], part)):
            del self._parts[connection]
            detail = f"part {part.part} of {part.parts} does not follow the parts before it"
            raise FrameError(FrameFault.OUT_OF_TURN, detail)
        parts.append(part)
        if part.part < part.parts:
            return None
        del self._parts[connection]
        return _joined(parts)

    def bind(self, peer: Peer, connection: bytes) -> None:
        """Make a connection the peer's one; the one before is nobody's from now on."""
        other = self._by_connection.get(connection)
        if other is not None and other is not peer:
            other.connection = None
            other.registered = False
            other.let_flow(flowing=False)
        if peer.connection is not None and peer.connection != connection:
            self._by_connection.pop(peer.connection, None)
        peer.connection = connection
        peer.gone = False
        self._by_connection[connection] = peer
        self.peers[peer.host] = peer

    def drop(self, peer: Peer, last_word: Message | None) -> None:
        """Unbind a peer from its connection, with a last word to it."""
        if peer.connection is not None:
            self._by_connection.pop(peer.connection, None)
            if last_word is not None:
                self._replies.append(Outgoing(peer.connection, [encode(last_word)]))
        peer.connection = None
        peer.registered = False
        peer.let_flow(flowing=False)
        self._touched.pop(peer.host, None)

    def accept(self, peer: Peer, low_water: int) -> None:
        """Answer a registration; everything pending goes out again."""
        answer = Registered(
            log=self._log_id,
            epoch=self._epoch,
            taken=peer.taken,
            low_water=low_water,
            heartbeat_ms=self.heartbeat // 1_000_000,
        )
        peer.registered = True
        peer.inventory_asked = False
        peer.replies.append(encode(answer))
        peer.let_flow(flowing=True)
        for queue in peer.queues:
            queue.send_all_again()
        self.touch(peer)

    # --- frames out ---------------------------------------------------------------------------

    def take_outgoing(self, low_water: "LowWater") -> list[Outgoing]:
        """Take out what this pass has to say, one ZeroMQ message a connection."""
        outgoing, self._replies = self._replies, []
        touched, self._touched = self._touched, {}
        for peer in touched.values():
            if peer.connection is None or peer.gone:
                peer.replies.clear()
                continue
            if peer.blocked:
                self._touched[peer.host] = peer
                continue
            message = Outgoing(peer.connection, peer.replies, peer, len(peer.replies))
            peer.replies = []
            if peer.acknowledge and peer.registered:
                mark = low_water(peer.host, peer.epoch)
                answer = Acknowledge(taken=peer.taken, low_water=mark, resend=peer.resend)
                message.frames.append(encode(answer))
                message.acknowledge = answer
            peer.acknowledge = peer.resend = False
            if peer.registered:
                self._add_commands(peer, message)
            if message.frames:
                outgoing.append(message)
        return outgoing

    def _add_commands(self, peer: Peer, message: Outgoing) -> None:
        for queue in peer.queues:
            while queue.has_unsent:
                steps = queue.take_unsent(COMMANDS_IN_FRAME)
                if steps:
                    message.frames.append(encode_commands([step.command for step in steps]))
                    message.steps.append((queue, steps))

    def sent(self, message: Outgoing) -> None:
        """Note that a connection took a message."""
        peer = message.peer
        if peer is not None and peer.connection == message.connection:
            peer.let_flow(flowing=peer.registered)
            peer.acknowledged = message.acknowledge or peer.acknowledged
        for queue, steps in message.steps:
            queue.handed_over(steps)

    def not_sent(self, message: Outgoing, *, gone: bool) -> None:
        """Note that a connection did not take a message: it is full, or `gone`."""
        peer = message.peer
        for queue, steps in message.steps:
            queue.give_back(steps)
        if peer is None or peer.connection != message.connection:
            return
        peer.let_flow(flowing=False)
        peer.gone = gone
        if gone:
            return
        peer.blocked = True
        peer.replies = [*message.frames[: message.replies], *peer.replies][:REPLY_LIMIT]
        peer.acknowledge = peer.registered
        self.touch(peer)

    def signs_of_life(self) -> list[Outgoing]:
        """Give every peer its last acknowledgement again, made from what is committed."""
        return [
            Outgoing(peer.connection, [encode(replace(peer.acknowledged, resend=False))], peer)
            for peer in self.peers.values()
            if peer.connection is not None and not peer.gone and peer.acknowledged is not None
        ]

    def unblock(self) -> None:
        """Let peers whose connections were full be tried again."""
        for peer in self._touched.values():
            peer.blocked = False


LowWater = Callable[[str, str], int]
"""Given host and epoch: the lowest saga id still open for it."""


def _same_registration(one: Register, other: Register) -> bool:
    return replace(one, part=1, inventory=()) == replace(other, part=1, inventory=())


def _joined(parts: list[Register]) -> Register:
    inventory = tuple(window for part in parts for window in part.inventory)
    return replace(parts[0], part=1, parts=1, inventory=inventory)
