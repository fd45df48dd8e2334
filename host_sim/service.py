"""A service: an extension's commands, carried out by one process that registered for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from host_sim.command_executor import run_handler
from host_sim.extension import HostExtension
from host_sim.history import HostHistory, Record
from host_sim.host import HostOutcome
from host_sim.link_end import LinkEnd
from host_sim.settings import SECOND
from transport.codec import Codec
from transport.host_session import HostSession
from transport.host_session_events import CommandReceived, FencedBy, RefusedBy


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A service's settings. `service`: its id; `heartbeat`: see `HostSession`."""

    service: str
    heartbeat: int = SECOND


class Service:
    """One epoch of a service.

    Args:
        settings: how it is.
        epoch: of this life.
        codec: knows the message types of its extensions.
        extension: the handlers; their command types are what it serves.
        record: takes the history, one map a happening; None keeps none.

    Attributes:
        outcome: how it ended; None while it lives.
        fenced_by: the later epoch, once fenced.
        refused: what the launcher said last that it did not take, such as that another service
            has one of the command types.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        epoch: str,
        codec: Codec,
        extension: HostExtension,
        record: Record | None = None,
    ) -> None:
        self.outcome: HostOutcome | None = None
        self.fenced_by: str | None = None
        self.refused: str | None = None
        self._settings = settings
        self._epoch = epoch
        self._handlers = extension.handlers
        self._serves = tuple(sorted(each.__name__ for each in extension.handlers))
        self._session = HostSession(
            host=settings.service,
            epoch=epoch,
            role="service",
            serves=self._serves,
            codec=codec,
            heartbeat=settings.heartbeat,
        )
        self._history = HostHistory(settings.service, epoch, record)
        self._link = LinkEnd(self._session, self._history)

    @property
    def needs_connection(self) -> bool:
        """A new connection to the launcher is to be made, and `connected` to be called."""
        return self._session.needs_connection

    @property
    def registered(self) -> bool:
        """The launcher knows this connection."""
        return self._session.registered

    @property
    def launcher_stopping(self) -> bool:
        """The launcher said that it shuts down, and did not accept anew since."""
        return self._session.launcher_stopping

    @property
    def not_allowed(self) -> str | None:
        """Why the launcher did not let this process register with its key; None if it did."""
        return self._session.not_allowed

    def connected(self, now: int) -> None:
        """Begin again on a new connection to the launcher."""
        self._session.connect(now)

    def receive_link(self, frames: Sequence[bytes], now: int) -> None:
        """Take one ZeroMQ message of the launcher; its commands wait for `advance`."""
        for event in self._link.receive(frames, now):
            match event:
                case FencedBy(epoch=epoch):
                    self.fenced_by = epoch
                    self.outcome = HostOutcome.FENCED
                    self._history.note("fenced", now, by=epoch)
                case RefusedBy(fault=fault, detail=detail):
                    self.refused = f"{fault}: {detail}"
                case _:
                    pass

    def next_due(self) -> int | None:
        """Give when `advance` has something to do; None if only a frame can bring something."""
        return 0 if self._link.has_waiting else self._session.next_due()

    def advance(self, now: int) -> None:
        """Carry out every command that waits."""
        if self.outcome is not None:
            return
        for waiting in self._link.take_waiting():
            if self._link.admit(waiting, now) and isinstance(waiting, CommandReceived):
                command = waiting.command
                run_handler(self._handlers.get(type(command)), command, self._link, now)
        self._session.tick(now)

    def stop(self, now: int) -> None:
        """Leave in order, after everything that is still to be sent."""
        if self.outcome is None:
            self._history.note("stopping", now)
            self._session.leave()
            self._note_left()

    def link_outgoing(self) -> list[bytes]:
        """Give the frames of the next ZeroMQ message to the launcher; none if there is none."""
        frames = self._session.outgoing()
        self._note_left()
        return frames

    def link_not_sent(self) -> None:
        """Take back what `link_outgoing` gave last: the socket would block."""
        self._session.not_sent()
        if self.outcome is HostOutcome.LEFT and not self._session.left:
            self.outcome = None

    def state(self) -> dict[str, Any]:
        """Give everything the service knows of itself, as plain values."""
        return {
            "service": self._settings.service,
            "epoch": self._epoch,
            "serves": list(self._serves),
            "registered": self._session.registered,
            "log": self._session.log,
            "last_report": self._session.last,
            "held": self._session.held,
            "outcomes_kept": len(self._link.outcomes),
            "refused": self.refused,
        }

    def _note_left(self) -> None:
        if self._session.left and self.outcome is None:
            self.outcome = HostOutcome.LEFT
