"""The query socket's thread: answers from what is committed, also while the loop hangs."""

import logging
import threading
from typing import Any

import zmq

from transport.event_stream.query_session import JournalReader, LauncherView, QuerySession
from transport.keys import DomainKeys
from transport.zeromq import sockets

logger = logging.getLogger("muxsaga.query")

STOP_ENDPOINT = "inproc://muxsaga-query-stop"


class QueryThread:
    """Binds the query socket and answers on it, in a thread of its own.

    Args:
        context: the process's ZeroMQ context.
        endpoint: where to bind.
        reader: of the journal; from now on the thread's own.
        launcher: says how it is; called in the thread.
        keys: what the socket needs on `tcp`.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoint: str,
        reader: JournalReader,
        launcher: LauncherView,
        *,
        keys: DomainKeys | None = None,
    ) -> None:
        self._session = QuerySession(reader, launcher)
        self._socket = sockets.router(context, endpoint, keys=keys)
        self._stop_receiver = context.socket(zmq.PAIR)
        self._stop_receiver.bind(STOP_ENDPOINT)
        self._stop_sender = context.socket(zmq.PAIR)
        self._stop_sender.connect(STOP_ENDPOINT)
        self._thread = threading.Thread(target=self._run, name="muxsaga-query", daemon=True)

    def start(self) -> None:
        """Begin to answer; from now on the socket belongs to the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its socket."""
        self._stop_sender.send(b"")
        self._thread.join()
        self._stop_sender.close()
        self._stop_receiver.close()

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._stop_receiver, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._stop_receiver in ready:
                self._socket.close()
                return
            connection, *frames = self._socket.recv_multipart()
            for frame in frames:
                self._answer(connection, frame)

    def _answer(self, connection: bytes, frame: bytes) -> None:
        try:
            answer = self._session.answer(frame)
        except Exception:
            # The journal may be out of reach for a while; the asker asks again.
            logger.exception("a question could not be answered")
            return
        try:
            self._socket.send_multipart([connection, *answer], zmq.NOBLOCK)
        except zmq.Again:
            pass  # an asker that does not read asks again when it does
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
