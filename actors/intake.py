"""What hosts, services and operators say, each to its end."""

from collections.abc import Sequence
from typing import Any, Literal

from actors.challenges import Challenges
from actors.coordinator_messages import EndEpoch, EndSaga
from actors.core import Core
from actors.launcher_link import Inventory, LauncherLink, Peer, Verdict
from actors.operator_requests import cancel_saga
from actors.reducer import Contradiction, ReportFrame
from actors.registration import comparison, farewell_events, inventory_events
from actors.saga_log import EpochSuperseded
from transport.allow_list import KeyPolicy
from transport.codec import Codec, decode
from transport.frame_fault import FrameError, FrameFault
from transport.message_types import OPERATOR, UP
from transport.messages import (
    PROTOCOL_VERSION,
    CancelSaga,
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
    RegisterAgain,
    Reports,
)

ReportKey = tuple[str, str, int]
"""Names a report frame: host, epoch, number of its first report."""

NOT_TAKEN = "the report that settles its step was refused"
"""Why a saga fails whose host answers with a report that was passed over when it first came."""

FAREWELL = {"goodbye": "host left", "restarted": "host restarted"}
"""Why an ended epoch's sagas fail."""


class Intake:
    """Takes frames, and sees to it that each has its consequences.

    Args:
        poisonous: report frames to be refused, for engines crashed over them twice.
        allowed: says whose key may be whom; None for a link without keys.

    Attributes:
        in_work: the report frame that is being taken right now.
    """

    def __init__(
        self,
        core: Core,
        link: LauncherLink,
        codec: Codec,
        poisonous: frozenset[ReportKey] = frozenset(),
        allowed: KeyPolicy | None = None,
    ) -> None:
        self.in_work: ReportKey | None = None
        self._poisonous = poisonous
        self._allowed = allowed
        self._core = core
        self._state = core.state
        self._link = link
        self._codec = codec
        self._challenges = Challenges()
        self._up = codec.family((*UP, *OPERATOR))

    def receive(self, connection: bytes, frames: Sequence[bytes], key: str | None = None) -> None:
        """Take one ZeroMQ message from a connection; `key`: its public key, on a link with keys."""
        for frame in frames:
            peer = self._link.peer_at(connection)
            if peer is not None:
                self._link.heard(peer, self._core.clock.time)
            try:
                self._take(connection, peer, decode(frame, self._up), key)
            except FrameError as error:
                self._link.refuse(connection, error)

    def _take(
        self, connection: bytes, peer: Peer | None, message: Message, key: str | None
    ) -> None:
        if type(message) is Register:
            self._check_key(message, key)
            whole = self._link.collect(connection, message)
            if whole is not None:
                self._register(connection, whole)
        elif type(message) is CancelSaga:
            self._operate(connection, message, key)
        elif peer is None or not peer.registered:
            self._link.refuse_unregistered(connection)
        else:
            self._take_from_peer(peer, connection, message)

    def _take_from_peer(self, peer: Peer, connection: bytes, message: Message) -> None:
        if isinstance(message, Reports):
            self._take_reports(peer, connection, message.sequence, message.reports)
        elif isinstance(message, Goodbye):
            self._end_services(peer)
            self._end_epoch(peer.host, peer.epoch, "goodbye")
            self._link.drop(peer, None)
            return
        elif isinstance(message, Ping) and message.last > peer.taken:
            peer.resend = True
        peer.acknowledge = True
        self._link.touch(peer)

    def _operate(self, connection: bytes, request: CancelSaga, key: str | None) -> None:
        if not self._may_operate(key):
            detail = f"the key {key!r} may not act as an operator"
            raise FrameError(FrameFault.NOT_ALLOWED, f"{detail}: {_remedy('operator')}")
        if self._link.peer_at(connection) is not None:
            detail = f"a host or service does not send {type(request).__name__}"
            raise FrameError(FrameFault.WRONG_ROLE, detail)
        self._link.reply(connection, cancel_saga(self._core, request))

    # --- reports ------------------------------------------------------------------------------

    def _take_reports(self, peer: Peer, connection: bytes, first: int, raw: list[Any]) -> None:
        match peer.judge(first, len(raw)):
            case Verdict.NEXT:
                self._take_next(peer, connection, first, raw)
                if peer.inventory is not None:
                    self._compare_inventory(peer)
            case Verdict.DUPLICATE:
                self._link.duplicates += 1
                self._end_unsettled(peer, first, raw)
            case Verdict.GAP:
                self._link.gaps += 1
                peer.resend = True
            case Verdict.OVERLAP:
                last = first + len(raw) - 1
                detail = f"reports {first} to {last}, but those up to {peer.taken} are taken"
                self._link.refuse(connection, FrameError(FrameFault.OUT_OF_TURN, detail), first)

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
        key = (peer.host, peer.epoch, first)
        if key in self._poisonous:
            detail = "twice the launcher crashed while it took this"
            self._link.refuse(connection, FrameError(FrameFault.POISONOUS, detail), first)
            return
        frame = ReportFrame(peer.host, peer.epoch, peer.role, first, reports)
        self.in_work = key
        outcome = self._core.reducer.update(self._state, frame)
        if isinstance(outcome, Contradiction):
            self._link.refuse(connection, FrameError(outcome.fault, str(outcome)), first)
            self._link.ask_inventory(peer)
            self.in_work = None
            return
        self._core.record(outcome.events, outcome.settled, peer.host)
        self.in_work = None
        if PoolDriftReported in map(type, outcome.events):
            self._link.ask_inventory(peer)

    def _end_unsettled(self, peer: Peer, first: int, raw: list[Any]) -> None:
        """End the sagas that still wait for reports that were taken before.

        They were refused then, or an inventory stood for them: they never settle anything, and the
        host answers the step with them as often as it is sent.
        """
        if not any(map(len, peer.queues)):
            return
        try:
            reports = self._codec.decode_reports(raw)
        except FrameError:
            return
        frame = ReportFrame(peer.host, peer.epoch, peer.role, first, reports)
        for saga_id in self._core.reducer.awaiting(self._state, frame):
            self._core.tell(EndSaga(saga_id, NOT_TAKEN), peer.host)

    def _advance(self, peer: Peer, taken: int) -> None:
        peer.taken = taken
        self._core.recorder.reports_taken(peer.host, peer.epoch, taken)

    # --- keys ---------------------------------------------------------------------------------

    def _check_key(self, register: Register, key: str | None) -> None:
        allowed = self._allowed
        if allowed is None:
            return
        if key is None or not allowed.may_register(key, register.role, register.host):
            role, name = register.role, register.host
            detail = f"the key {key!r} may not be {role} {name!r}"
            raise FrameError(FrameFault.NOT_ALLOWED, f"{detail}: {_remedy(role)}")

    def _may_operate(self, key: str | None) -> bool:
        """Say whether a connection may act as an operator; without keys, whoever reaches it may."""
        return self._allowed is None or (key is not None and self._allowed.may_operate(key))

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
            peer = self._known_epoch(register)
        if peer is None:
            if not self._may_take_place(connection, register):
                token = self._challenges.pose(register.host, connection)
                self._link.reply(connection, RegisterAgain(token=token))
                return
            self._challenges.settle(register.host)
            peer = self._new_epoch(register)
        joined = register.first_held <= peer.taken + 1 and register.as_of >= peer.taken
        if not joined:
            self._advance(peer, register.as_of)
        self._link.heard(peer, self._core.clock.time)
        self._link.bind(peer, connection)
        peer.inventory = Inventory(register.as_of, list(register.inventory))
        self._link.accept(peer, self._state.low_water(peer.host, peer.epoch))
        self._compare_inventory(peer)
        self._core.watch_pool(peer.host)

    def _may_take_place(self, connection: bytes, register: Register) -> bool:
        """Say whether a new epoch has no living one before it, or has shown that it lives."""
        mirror = self._state.mirror.hosts.get(register.host)
        is_free = self._former_epoch(register.host) is None or (mirror and not mirror.live)
        token = register.confirms
        return is_free or self._challenges.is_answer(register.host, connection, token)

    def _former_epoch(self, host: str) -> str | None:
        """Give the epoch that has a host's or service's place, whether it lives or not."""
        peer = self._link.peers.get(host)
        mirror = self._state.mirror.hosts.get(host)
        if peer is not None:
            return peer.epoch
        return self._link.recovered_epoch(host) if mirror is None else mirror.epoch

    def _check(self, register: Register) -> None:
        self._check_role(register)
        for command_type in register.serves:
            holder = self._state.services.get(command_type)
            if holder is not None and holder[0] != register.host:
                detail = f"{command_type} is served by {holder[0]}"
                raise FrameError(FrameFault.SERVICE_TAKEN, detail)
        labels = {window.label for window in register.inventory}
        if len(labels) != len(register.inventory):
            raise FrameError(FrameFault.CONTRADICTION, "the inventory names a label twice")
        mirror = self._state.mirror.hosts.get(register.host)
        if mirror is not None and mirror.epoch == register.epoch and not mirror.live:
            raise FrameError(FrameFault.OUT_OF_TURN, "this epoch said Goodbye and is over")
        taken = self._link.taken_of(register.host, register.epoch)
        if register.as_of < taken:
            detail = f"inventory as of {register.as_of}, but reports up to {taken} are taken"
            raise FrameError(FrameFault.OUT_OF_TURN, detail)
        if register.first_held > register.as_of + 1:
            detail = f"first_held {register.first_held} after as_of {register.as_of}"
            raise FrameError(FrameFault.OUT_OF_RANGE, detail)

    def _check_role(self, register: Register) -> None:
        windows = register.inventory or register.pool_target or register.drained
        if register.role == "host" and register.serves:
            raise FrameError(FrameFault.WRONG_ROLE, "a host serves no command types")
        if register.role == "service" and (windows or not register.serves):
            detail = "a service serves at least one command type, and has no windows and no pool"
            raise FrameError(FrameFault.WRONG_ROLE, detail)
        peer = self._link.peers.get(register.host)
        known = peer.role if peer is not None else None
        if known is None and register.host in self._state.mirror.hosts:
            known = "host"
        if known is not None and known != register.role:
            raise FrameError(FrameFault.WRONG_ROLE, f"{register.host} is the name of a {known}")

    def _known_epoch(self, register: Register) -> Peer | None:
        """Give the peer of a host's epoch that the log knows, though this engine met it never."""
        mirror = self._state.mirror.hosts.get(register.host)
        if mirror is None or mirror.epoch != register.epoch:
            return None
        peer = self._peer(register)
        peer.queues.append(self._state.queue_of((peer.host, peer.epoch)))
        return peer

    def _peer(self, register: Register) -> Peer:
        return Peer(
            host=register.host,
            epoch=register.epoch,
            role=register.role,
            connection=None,
            taken=self._link.taken_of(register.host, register.epoch),
            heard=self._core.clock.time,
            serves=register.serves,
        )

    def _new_epoch(self, register: Register) -> Peer:
        host, epoch = register.host, register.epoch
        before = self._link.peers.get(host)
        former = self._former_epoch(host)
        if before is not None:
            self._end_services(before)
        if former is not None and former != epoch:
            self._end_epoch(host, former, "restarted")
            self._link.superseded[host, former] = epoch
            self._core.rows.append(EpochSuperseded(host, former, epoch))
        if before is not None:
            self._link.drop(before, Fenced(by=epoch))
        peer = self._peer(register)
        if register.role == "service":
            # No event tells of a service: this row is how the log knows its epoch.
            self._core.recorder.reports_taken(host, epoch, peer.taken)
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
        peer.compared = comparison(events, inventory.as_of, self._core.clock.time)
        self._core.record_apart(events, settled, peer.host)

    def _end_services(self, peer: Peer) -> None:
        for command_type in peer.serves:
            if self._state.services.get(command_type) == (peer.host, peer.epoch):
                del self._state.services[command_type]

    def _end_epoch(self, host: str, epoch: str, reason: Literal["goodbye", "restarted"]) -> None:
        """End a host's epoch; nothing happens for a service, or for one that is over."""
        mirror = self._state.mirror.hosts.get(host)
        if mirror is None or mirror.epoch != epoch or not mirror.live:
            return
        events: list[Event] = farewell_events(mirror, crash_detected=reason == "restarted")
        events.append(HostLeft(reason=reason, origin=Origin(host, epoch, mirror.sequence)))
        self._core.record_apart(events, [], host)
        self._core.tell(EndEpoch(host, epoch, FAREWELL[reason]), host)


def _remedy(table: str) -> str:
    return f"have it added to the allow list, under [{table}]"
