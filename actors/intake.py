"""What hosts and services say: registrations, reports, pings, goodbyes, each to its end."""

from collections.abc import Sequence
from typing import Any, Literal

from actors.coordinator_messages import EndEpoch
from actors.core import Core
from actors.launcher_link import Inventory, LauncherLink, Peer, Verdict
from actors.reducer import Contradiction, ReportFrame
from actors.registration import farewell_events, inventory_events
from actors.saga_log import EpochSuperseded, ReportsTaken
from transport.codec import Codec, decode, family
from transport.frame_fault import FrameError, FrameFault
from transport.message_types import UP
from transport.messages import (
    PROTOCOL_VERSION,
    Event,
    Fenced,
    Goodbye,
    HostLeft,
    HostRegistered,
    Message,
    Origin,
    Ping,
    PoolDriftReported,
    Register,
    Reports,
)

FAREWELL = {"goodbye": "host left", "restarted": "host restarted"}
"""Why an ended epoch's sagas fail."""


class Intake:
    """Takes frames, and sees to it that each has its consequences."""

    def __init__(self, core: Core, link: LauncherLink, codec: Codec) -> None:
        self._core = core
        self._state = core.state
        self._link = link
        self._codec = codec
        self._up = family(UP)

    def receive(self, connection: bytes, frames: Sequence[bytes]) -> None:
        """Take one ZeroMQ message from a connection."""
        for frame in frames:
            peer = self._link.peer_at(connection)
            if peer is not None:
                self._link.heard(peer, self._core.clock.time)
            try:
                self._take(connection, decode(frame, self._up))
            except FrameError as error:
                self._link.refuse(connection, error)

    def _take(self, connection: bytes, message: Message) -> None:
        if isinstance(message, Register):
            whole = self._link.collect(connection, message)
            if whole is not None:
                self._register(connection, whole)
            return
        peer = self._link.peer_at(connection)
        if peer is None or not peer.registered:
            self._link.refuse_unregistered(connection)
            return
        if isinstance(message, Goodbye):
            self._end_peer(peer, "goodbye")
            peer.left = True
            self._link.drop(peer, None)
            return
        if isinstance(message, Reports):
            self._take_reports(peer, connection, message.sequence, message.reports)
        elif isinstance(message, Ping) and message.last > peer.taken:
            peer.resend = True
        peer.acknowledge = True
        self._link.touch(peer)

    # --- reports ------------------------------------------------------------------------------

    def _take_reports(self, peer: Peer, connection: bytes, first: int, raw: list[Any]) -> None:
        last = first + len(raw) - 1
        match peer.judge(first, len(raw)):
            case Verdict.DUPLICATE:
                self._link.duplicates += 1
            case Verdict.GAP:
                self._link.gaps += 1
                peer.resend = True
            case Verdict.OVERLAP:
                detail = f"reports {first} to {last}, but those up to {peer.taken} are taken"
                self._link.refuse(connection, FrameError(FrameFault.OUT_OF_TURN, detail), first)
            case Verdict.NEXT:
                self._take_next(peer, connection, first, raw)
                self._compare_inventory(peer)

    def _take_next(self, peer: Peer, connection: bytes, first: int, raw: list[Any]) -> None:
        last = first + len(raw) - 1
        try:
            reports = self._codec.decode_reports(raw)
        except FrameError as error:
            self._link.refuse(connection, error, first)
            if peer.refused_at == first:
                self._advance(peer, last)
            else:
                peer.refused_at = first
                peer.resend = True
            return
        self._advance(peer, last)
        frame = ReportFrame(peer.host, peer.epoch, peer.role, first, reports)
        outcome = self._core.reducer.update(self._state, frame)
        if isinstance(outcome, Contradiction):
            self._link.refuse(connection, FrameError(outcome.fault, str(outcome)), first)
            self._link.ask_inventory(peer)
            return
        self._core.record(outcome.events, outcome.settled, peer.host)
        if any(isinstance(event, PoolDriftReported) for event in outcome.events):
            self._link.ask_inventory(peer)

    def _advance(self, peer: Peer, taken: int) -> None:
        peer.taken = taken
        self._core.rows.append(ReportsTaken(peer.host, peer.epoch, taken))

    # --- registration -------------------------------------------------------------------------

    def _register(self, connection: bytes, register: Register) -> None:
        if register.protocol != PROTOCOL_VERSION:
            detail = f"protocol {register.protocol}; this launcher speaks {PROTOCOL_VERSION}"
            raise FrameError(FrameFault.WRONG_PROTOCOL, detail)
        by = self._link.superseded.get((register.host, register.epoch))
        if by is not None:
            self._link.reply(connection, Fenced(by=by))
            return
        self._check(register)
        peer = self._link.peers.get(register.host)
        if peer is None or peer.epoch != register.epoch:
            peer = self._new_epoch(peer, register)
        joined = register.first_held <= peer.taken + 1 and register.as_of >= peer.taken
        if not joined:
            self._advance(peer, register.as_of)
        self._link.heard(peer, self._core.clock.time)
        self._link.bind(peer, connection)
        peer.inventory = Inventory(register.as_of, list(register.inventory))
        self._link.accept(peer, self._state.low_water(peer.host, peer.epoch))
        self._compare_inventory(peer)

    def _check(self, register: Register) -> None:
        if register.role == "host" and register.serves:
            raise FrameError(FrameFault.WRONG_ROLE, "a host serves no command types")
        if register.role == "service" and (register.inventory or register.pool_target):
            raise FrameError(FrameFault.WRONG_ROLE, "a service has no windows and no pool")
        for command_type in register.serves:
            holder = self._state.services.get(command_type)
            if holder is not None and holder[0] != register.host:
                detail = f"{command_type} is served by {holder[0]}"
                raise FrameError(FrameFault.SERVICE_TAKEN, detail)
        labels = {window.label for window in register.inventory}
        if len(labels) != len(register.inventory):
            raise FrameError(FrameFault.CONTRADICTION, "the inventory names a label twice")
        peer = self._link.peers.get(register.host)
        if peer is None or peer.epoch != register.epoch:
            return
        if peer.left:
            raise FrameError(FrameFault.OUT_OF_TURN, "this epoch said Goodbye and is over")
        if register.as_of < peer.taken:
            detail = f"inventory as of {register.as_of}, but reports up to {peer.taken} are taken"
            raise FrameError(FrameFault.OUT_OF_TURN, detail)

    def _new_epoch(self, before: Peer | None, register: Register) -> Peer:
        host, epoch = register.host, register.epoch
        if before is not None:
            self._end_peer(before, "restarted")
            self._link.fence(before, epoch)
            self._core.rows.append(EpochSuperseded(host, before.epoch, epoch))
        peer = Peer(
            host=host,
            epoch=epoch,
            role=register.role,
            connection=None,
            taken=0,
            heard=self._core.clock.time,
            serves=register.serves,
        )
        if register.role == "service":
            for command_type in register.serves:
                self._state.services[command_type] = (host, epoch)
                peer.queues.append(self._state.queue_of((command_type,)))
            return peer
        peer.queues.append(self._state.queue_of((host, epoch)))
        registered = HostRegistered(
            pool_target=register.pool_target,
            drained=register.drained,
            origin=Origin(host, epoch, 0),
        )
        self._core.begin_epoch(host)
        self._core.record([registered], [], host)
        return peer

    def _compare_inventory(self, peer: Peer) -> None:
        inventory = peer.inventory
        if inventory is None or peer.taken < inventory.as_of or peer.role == "service":
            return
        peer.inventory = None
        mirror = self._state.mirror.hosts[peer.host]
        events, settled = inventory_events(self._state, mirror, inventory)
        self._core.record_apart(events, settled, peer.host)

    def _end_peer(self, peer: Peer, reason: Literal["goodbye", "restarted"]) -> None:
        for command_type in peer.serves:
            if self._state.services.get(command_type) == (peer.host, peer.epoch):
                del self._state.services[command_type]
        if peer.role == "service":
            return
        mirror = self._state.mirror.hosts[peer.host]
        if not mirror.live:
            return
        events: list[Event] = farewell_events(mirror, crash_detected=reason == "restarted")
        origin = Origin(peer.host, peer.epoch, peer.taken)
        events.append(HostLeft(reason=reason, origin=origin))
        self._core.record_apart(events, [], peer.host)
        self._core.tell(EndEpoch(peer.host, peer.epoch, FAREWELL[reason]), peer.host)
