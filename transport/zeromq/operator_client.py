"""Asks a launcher's link to do what an operator wants."""

import time
from contextlib import closing
from typing import Any

import zmq

from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.keys import ClientKeys
from transport.message_types import OPERATOR_ANSWERS
from transport.messages import CancelRefused, CancelSaga, Refused, SagaCancelled
from transport.zeromq.link_watch import LinkWatch, NoLinkError
from transport.zeromq.sockets import question_socket

_ANSWERS = family(OPERATOR_ANSWERS)


class OperatorError(RuntimeError):
    """A launcher gave no usable answer; says which endpoint, and why."""


class NoLauncherError(OperatorError, TimeoutError):
    """No launcher took the request: nothing will happen."""


class NoAnswerYetError(OperatorError, TimeoutError):
    """A launcher has the request, and did not answer in time: it may still take effect."""


def cancel_saga(
    endpoint: str,
    request: CancelSaga,
    timeout: float = 5.0,
    *,
    keys: ClientKeys | None = None,
    context: zmq.Context[Any],
) -> SagaCancelled | CancelRefused:
    """Have a launcher end a saga, and give its answer.

    Args:
        endpoint: of the launcher's link.
        request: which saga, and why.
        timeout: how long to wait, in seconds.
        keys: of `Endpoints.keys`.
        context: the ZeroMQ context to use.

    Raises:
        NoLauncherError: nobody is connected at the endpoint.
        NoAnswerYetError: the request is there, but not answered.
        OperatorError: the launcher refused the key or the request, or its answer cannot be read;
            says why.
    """
    watch = LinkWatch(endpoint, keys)
    deadline = time.monotonic() + timeout
    with (
        question_socket(context, endpoint, keys=keys, watch=watch) as socket,
        closing(watch),
    ):
        try:
            if not watch.wait(zmq.POLLOUT, deadline):
                msg = f"nobody took the request at {endpoint} in {timeout:g} s"
                raise NoLauncherError(msg)
            socket.send(encode(request))
            if not watch.wait(zmq.POLLIN, deadline):
                msg = f"no answer from {endpoint} in {timeout:g} s"
                raise NoAnswerYetError(msg)
        except NoLinkError as error:
            raise OperatorError(str(error)) from error
        return _answer_in(socket.recv_multipart()[0], endpoint)


def _answer_in(frame: bytes, endpoint: str) -> SagaCancelled | CancelRefused:
    try:
        answer = decode(frame, _ANSWERS)
    except FrameError as error:
        msg = f"the answer of {endpoint} cannot be read: {error}"
        raise OperatorError(msg) from error
    match answer:
        case SagaCancelled() | CancelRefused():
            return answer
        case Refused(fault=fault, detail=detail):
            msg = f"{endpoint} refused the request: {fault}: {detail}"
        case _:
            msg = f"{endpoint} answered a request with {type(answer).__name__}"
    raise OperatorError(msg)
