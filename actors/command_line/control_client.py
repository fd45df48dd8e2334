"""Asks a host's control socket: user actions go straight to their host."""

import time
from typing import Any

import zmq

from actors.command_line.command_error import CommandError
from actors.command_line.places import ipc_path
from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.keys import ClientKeys
from transport.message_types import USER_ANSWERS
from transport.messages import ActionDone, ActionRefused, HostState, Message, Refused
from transport.zeromq.link_watch import LinkWatch, NoLinkError
from transport.zeromq.sockets import ZmqSocket, dealer

ANSWERS = family(USER_ANSWERS)


class ControlClient:
    """One host's control socket; belongs to the thread that made it.

    Args:
        context: the process's ZeroMQ context.
        host: whose it is, for messages.
        endpoint: where it is.
        timeout: how long to wait for an answer, in seconds.
        keys: to be let in on `tcp`.

    Raises:
        CommandError: there is no socket at that path.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        host: str,
        endpoint: str,
        timeout: float,
        *,
        keys: ClientKeys | None = None,
    ) -> None:
        path = ipc_path(endpoint)
        if path is not None and not path.exists():
            msg = (
                f"no host {host!r} at {endpoint}: start it with "
                f"'muxsaga host --host-id {host}', or name another with --host-id"
            )
            raise CommandError(msg)
        self._host = host
        self._endpoint = endpoint
        self._timeout = timeout
        self._watch = LinkWatch(endpoint, keys, party=f"host {host!r}", key_option="--host-key")
        self._socket: ZmqSocket = dealer(context, endpoint, keys=keys, watch=self._watch)
        self._socket.setsockopt(zmq.LINGER, 0)

    def close(self) -> None:
        """Close the socket."""
        self._watch.close()
        self._socket.close()

    def act(self, message: Message) -> ActionDone:
        """Ask for a user action, and give what was done.

        Raises:
            CommandError: the host refused, or gave no answer; says why.
        """
        answer = self.ask(message)
        if not isinstance(answer, ActionDone):
            msg = f"host {self._host!r} answered {type(message).__name__} with {answer}"
            raise CommandError(msg)
        return answer

    def inspect(self, message: Message) -> dict[str, Any]:
        """Ask for everything that the host knows of itself.

        Raises:
            CommandError: it gave no such answer; says why.
        """
        answer = self.ask(message)
        if not isinstance(answer, HostState):
            msg = f"host {self._host!r} answered {type(message).__name__} with {answer}"
            raise CommandError(msg)
        return answer.state

    def ask(self, message: Message) -> Message:
        """Send a message, and give its answer.

        Raises:
            CommandError: the host refused, or gave no answer; says why.
        """
        self._socket.send(encode(message))
        number = getattr(message, "number", None)
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                answered = self._watch.wait(zmq.POLLIN, deadline)
            except NoLinkError as error:
                raise CommandError(str(error)) from error
            if not answered:
                msg = (
                    f"no answer from host {self._host!r} at {self._endpoint} in "
                    f"{self._timeout:g} s: is it running?"
                )
                raise CommandError(msg)
            answer = self._read()
            match answer:
                case ActionRefused(number=refused, reason=reason) if refused == number:
                    msg = f"host {self._host!r} refused {type(message).__name__}: {reason}"
                    raise CommandError(msg)
                case Refused(fault=fault, detail=detail):
                    msg = f"host {self._host!r} did not take {type(message).__name__}: "
                    raise CommandError(msg + f"{fault}: {detail}")
                case ActionDone(number=done) | HostState(number=done) if done == number:
                    return answer
                case _:
                    pass  # the answer to an earlier question

    def _read(self) -> Message:
        try:
            return decode(self._socket.recv(), ANSWERS)
        except FrameError as error:
            msg = f"the answer of host {self._host!r} cannot be read: {error}"
            raise CommandError(msg) from error
