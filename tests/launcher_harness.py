"""A launcher's core without sockets, and hosts that are played by hand."""

from dataclasses import dataclass, field
from typing import Any

import msgpack
from msgspec.structs import replace

from actors.engine import Engine, EngineSettings
from actors.intake import ReportKey
from actors.launcher_link import Outgoing
from actors.memory_saga_log import MemorySagaLog
from transport.codec import Codec, as_map, decode, encode, family
from transport.labels import window_label
from transport.message_types import DOWN, OPERATOR_ANSWERS
from transport.messages import (
    CancelSaga,
    Command,
    CommandIdentity,
    Commands,
    Event,
    InventoryWindow,
    Message,
    OpaqueEvent,
    Refused,
    Register,
    RegisterAgain,
    Report,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowOpened,
    Role,
)

SECOND = 1_000_000_000
LOG_ID = "f" * 32
_DOWN = family((*DOWN, *OPERATOR_ANSWERS))
OPERATOR = b"operator"


@dataclass
class PlayedHost:
    """A host or service of which the test decides everything."""

    launcher: "PlayedLauncher"
    name: str
    epoch: str
    connection: bytes
    sequence: int = 0
    windows: int = 0
    received: list[Message] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def register(
        self,
        *,
        pool_target: int = 2,
        first_held: int | None = None,
        inventory: tuple[InventoryWindow, ...] = (),
        role: Role = "host",
        serves: tuple[str, ...] = (),
    ) -> None:
        """Register; where another epoch has the place, show that this one lives."""
        first = len(self.received)
        register = Register(
            role=role,
            host=self.name,
            epoch=self.epoch,
            first_held=self.sequence + 1 if first_held is None else first_held,
            as_of=self.sequence,
            pool_target=pool_target if role == "host" else 0,
            serves=serves,
            inventory=inventory,
        )
        self.say(register)
        for answer in self.received[first:]:
            if isinstance(answer, RegisterAgain):
                self.received.remove(answer)
                self.say(replace(register, confirms=answer.token))

    def say(self, *messages: Message) -> None:
        self.say_raw(*map(encode, messages))

    def say_raw(self, *frames: bytes) -> None:
        self.launcher.engine.receive(self.connection, frames, self.launcher.now)
        self.launcher.end_pass()

    def report(self, *reports: Report) -> int:
        first = self.sequence + 1
        self.sequence += len(reports)
        self.say(Reports(sequence=first, reports=[as_map(each) for each in reports]))
        return first

    def refusals(self) -> list[str]:
        return [message.fault for message in self.received if isinstance(message, Refused)]

    def new_label(self) -> str:
        self.windows += 1
        return window_label(self.epoch, self.windows)

    def add(self, identity: CommandIdentity | None) -> str:
        label = self.new_label()
        self.report(ReportPoolWindowAdded(label=label, identity=identity))
        return label

    def add_again(self, label: str) -> None:
        """Hand a user's window back to the pool."""
        self.report(ReportPoolWindowAdded(label=label))

    def answer_all(self) -> list[str]:
        """Settle every command received so far with a new window."""
        commands, self.commands = self.commands, []
        return [self.add(command.identity) for command in commands]

    def promote(self, label: str, promote_id: str) -> None:
        self.report(*promote_reports(label, promote_id))


def promote_reports(label: str, promote_id: str) -> tuple[Report, ...]:
    return (
        ReportPoolWindowRemoved(label=label, reason="promoted", promote_id=promote_id),
        ReportPoolWindowPromoted(label=label, promote_id=promote_id),
        ReportWindowOpened(label=label, promote_id=promote_id),
    )


class PlayedLauncher:
    """An engine whose passes are committed to a memory log and released at once."""

    def __init__(self, settings: EngineSettings | None = None, codec: Codec | None = None) -> None:
        self.now = 0
        self.log = MemorySagaLog(LOG_ID, codec=codec)
        self._settings = settings or EngineSettings()
        self.engine = self.engine_from_log(frozenset())
        self.codec = codec or Codec()
        self.events: list[Event] = []
        self.hosts: dict[bytes, PlayedHost] = {}
        self.strangers: dict[bytes, list[Message]] = {}
        self.unreachable: set[bytes] = set()
        self.full: set[bytes] = set()

    def engine_from_log(self, poisonous: frozenset[ReportKey]) -> Engine:
        """Give an engine as a restarted launcher has it: it knows what is committed."""
        return Engine(
            self._settings,
            contents=self.log.load(),
            epoch="a" * 32,
            now=self.now,
            wall_offset=0,
            poisonous=poisonous,
        )

    def restart(self) -> None:
        """Go on with a new engine, and no connection of the old one."""
        self.engine = self.engine_from_log(frozenset())
        self.end_pass()

    def host(self, name: str = "host-1", epoch: str = "1" * 32) -> PlayedHost:
        connection = f"connection-{len(self.hosts)}".encode()
        host = PlayedHost(self, name, epoch, connection)
        self.hosts[connection] = host
        return host

    def filled_host(
        self, name: str = "host-1", epoch: str = "1" * 32, target: int = 2
    ) -> PlayedHost:
        host = self.host(name, epoch)
        host.register(pool_target=target)
        while len(self.pool_of(host)) < target:
            self.advance(1.1)
            host.answer_all()
        return host

    def opened_of(self, host: PlayedHost) -> list[str]:
        return list(self.engine.state.mirror.hosts[host.name].opened)

    def pool_of(self, host: PlayedHost) -> list[str]:
        return list(self.engine.state.mirror.hosts[host.name].pool)

    def advance(self, seconds: float) -> None:
        """Let time pass in steps that all count."""
        left = round(seconds * SECOND)
        while left > 0:
            step = min(left, SECOND // 4)
            self.now += step
            left -= step
            self.engine.fire_timers(self.now, drained=True)
            self.end_pass()

    def cancel(self, saga_id: int, reason: str = "by test") -> Message:
        """Ask for a saga's end as an operator does, and give the answer."""
        request = CancelSaga(number=1, saga_id=saga_id, reason=reason)
        self.engine.receive(OPERATOR, [encode(request)], self.now)
        self.end_pass()
        return self.strangers[OPERATOR].pop()

    def end_pass(self) -> None:
        done = self.engine.end_pass()
        self.log.commit(done.rows)
        for blob in done.blobs:
            self.events.extend(self._events_in(blob))
        self.engine.released(done)
        for message in done.messages:
            self._deliver(message)

    def _events_in(self, blob: bytes) -> list[Event]:
        raw: Any = msgpack.unpackb(blob)
        events = self.codec.decode_events(raw["first"], raw["events"])
        return [event for event in events if not isinstance(event, OpaqueEvent)]

    def _deliver(self, message: Outgoing) -> None:
        connection = message.connection
        if connection in self.unreachable or connection in self.full:
            self.engine.not_sent(message, gone=connection in self.unreachable)
            return
        self.engine.sent(message)
        host = self.hosts.get(connection)
        for frame in message.frames:
            each = decode(frame, _DOWN)
            if host is None:
                self.strangers.setdefault(connection, []).append(each)
                continue
            host.received.append(each)
            if isinstance(each, Commands):
                host.commands.extend(map(self.codec.decode_command, each.commands))

    def of_type(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
