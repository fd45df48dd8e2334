"""Asks a launcher's query socket."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import zmq

from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.message_types import ANSWERS
from transport.messages import Message, Refused, StatusAnswer, StatusQuestion
from transport.zeromq.sockets import TRANSPORT_LIMIT, ZmqSocket

QUESTION_QUEUE = 4
"""How many questions wait for the launcher to read them."""

_ANSWERS = family(ANSWERS)

AnswerT = TypeVar("AnswerT", bound=Message)


class QueryError(RuntimeError):
    """A launcher gave no usable answer; says which endpoint, and why."""


class QueryTimeoutError(QueryError, TimeoutError):
    """A launcher gave no answer in time; names its endpoint."""


def question_socket(context: zmq.Context[Any], endpoint: str) -> ZmqSocket:
    """Connect a DEALER for questions.

    A question goes only to a launcher that is connected (`IMMEDIATE`) and is never lingered for:
    its asker repeats it, and a launcher that comes back is not met by a queue of old ones.
    """
    socket: ZmqSocket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.MAXMSGSIZE, TRANSPORT_LIMIT)
    socket.setsockopt(zmq.SNDHWM, QUESTION_QUEUE)
    socket.connect(endpoint)
    return socket


def ask_status(
    endpoint: str, timeout: float = 5.0, *, context: zmq.Context[Any] | None = None
) -> dict[str, Any]:
    """Give a launcher's status, asked once.

    Args:
        endpoint: of the launcher's query socket.
        timeout: how long to wait, in seconds.
        context: the ZeroMQ context to use; without one, one is made and ended.

    Raises:
        QueryTimeoutError: no answer came; names the endpoint.
        QueryError: the launcher refused, or its answer cannot be read; says why.
    """
    return ask(endpoint, StatusQuestion(number=1), StatusAnswer, timeout, context=context).status


def ask(
    endpoint: str,
    question: Message,
    kind: type[AnswerT],
    timeout: float = 5.0,
    *,
    context: zmq.Context[Any] | None = None,
) -> AnswerT:
    """Give the answer to a question, asked once.

    Args:
        endpoint: of the launcher's query socket.
        question: one whose answer is one frame.
        kind: what answers it.
        timeout: how long to wait, in seconds.
        context: the ZeroMQ context to use; without one, one is made and ended.

    Raises:
        QueryTimeoutError: no answer came; names the endpoint.
        QueryError: the launcher refused, or its answer cannot be read; says why.
    """
    with _context(context) as own, question_socket(own, endpoint) as socket:
        deadline = time.monotonic() + timeout
        if not socket.poll(round(timeout * 1000), zmq.POLLOUT):
            raise _timed_out(endpoint, timeout)
        socket.send(encode(question))
        if not socket.poll(max(0, round((deadline - time.monotonic()) * 1000)), zmq.POLLIN):
            raise _timed_out(endpoint, timeout)
        return _answer_in(socket.recv_multipart()[0], kind, endpoint)


@contextmanager
def _context(given: zmq.Context[Any] | None) -> Iterator[zmq.Context[Any]]:
    if given is not None:
        yield given
        return
    with zmq.Context[Any]() as own:
        yield own


def _answer_in(frame: bytes, kind: type[AnswerT], endpoint: str) -> AnswerT:
    try:
        answer = decode(frame, _ANSWERS)
    except FrameError as error:
        msg = f"the answer of {endpoint} cannot be read: {error}"
        raise QueryError(msg) from error
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Refused):
        msg = f"{endpoint} refused the question: {answer.fault}: {answer.detail}"
    else:
        msg = f"{endpoint} answered with {type(answer).__name__}, not {kind.__name__}"
    raise QueryError(msg)


def _timed_out(endpoint: str, timeout: float) -> QueryTimeoutError:
    msg = f"no answer from {endpoint} in {timeout:g} s: is the launcher running?"
    return QueryTimeoutError(msg)
