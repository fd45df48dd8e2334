"""The observer in the caller's own process: it lives through everything, and keeps what it sees."""

from typing import Any

import zmq

from transport.codec import Codec
from transport.endpoints import Endpoints
from transport.event_stream import Batch, NewHistory, Truncated
from transport.history import HistoryWriter, lines_of
from transport.messages import Event, SagaCompleted, SagaFailed, SagaStarted
from transport.mirror import Mirror
from transport.zeromq.observer import Observer
from transport.zeromq.sockets import ZmqSocket

WITNESS = "witness"
"""Its name, in the history and among the links."""


class RecordingObserver:
    """Follows the event stream, and records what it is handed. It belongs to one thread.

    Args:
        endpoints: the launcher's, as it reaches them.
        codec: knows the event types.
        context: makes its sockets.
        writer: takes the history's lines.

    Attributes:
        events: everything that it was handed, in order.
        open_sagas: the brackets that are open in them, by id.
        mirror: every host's windows, as the events tell them.
        log: the id of the launcher's log, once it is known.
        complaints: what it was told that no system's own observer may be.
    """

    def __init__(
        self, endpoints: Endpoints, codec: Codec, context: zmq.Context[Any], writer: HistoryWriter
    ) -> None:
        self.events: list[Event] = []
        self.open_sagas: dict[int, SagaStarted] = {}
        self.mirror = Mirror()
        self.complaints: list[str] = []
        self._writer = writer
        self._observer = Observer(endpoints, codec=codec, context=context)

    @property
    def sockets(self) -> tuple[ZmqSocket, ...]:
        """What to poll for reading before `take`."""
        return self._observer.sockets

    @property
    def version(self) -> int:
        """The version of the last event that it was handed; 0 for none."""
        return (self._observer.session.next_version or 1) - 1

    def take(self, timeout: float = 0) -> bool:
        """Take what is new, waiting for it at most so long; say whether there was anything."""
        items = self._observer.poll(timeout)
        for item in items:
            match item:
                case Batch(events=events):
                    self._writer.write(lines_of(item, WITNESS))
                    for event in events:
                        if isinstance(event, Event):
                            self._take_event(event)
                case Truncated(before=before):
                    self._writer.write(lines_of(item, WITNESS))
                    self.complaints.append(f"no event before version {before} could be had")
                case NewHistory(log=log):
                    self.complaints.append(f"log {log} took the place of the one before")
                case _:
                    pass
        return bool(items)

    def close(self) -> None:
        """Close its sockets."""
        self._observer.close()

    def _take_event(self, event: Event) -> None:
        self.events.append(event)
        self.mirror.apply(event)
        if isinstance(event, SagaStarted):
            self.open_sagas[event.saga_id or 0] = event
        elif isinstance(event, SagaCompleted | SagaFailed):
            self.open_sagas.pop(event.saga_id or 0, None)
