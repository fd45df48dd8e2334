"""Asks a launcher's query socket."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import zmq

from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.keys import ClientKeys
from transport.message_types import ANSWERS
from transport.messages import Message, Refused, StatusAnswer, StatusQuestion
from transport.zeromq.link_watch import LinkWatch, NoLinkError
from transport.zeromq.sockets import question_socket

_ANSWERS = family(ANSWERS)

AnswerT = TypeVar("AnswerT", bound=Message)


class QueryError(RuntimeError):
    """A launcher gave no usable answer; says which endpoint, and why."""


class QueryTimeoutError(QueryError, TimeoutError):
    """A launcher gave no answer in time; names its endpoint."""


def ask_status(
    endpoint: str,
    timeout: float = 5.0,
    *,
    keys: ClientKeys | None = None,
    context: zmq.Context[Any] | None = None,
) -> dict[str, Any]:
    """Give a launcher's status, asked once.

    Args:
        endpoint: of the launcher's query socket.
        timeout: how long to wait, in seconds.
        keys: of `Endpoints.keys`.
        context: the ZeroMQ context to use; without one, one is made and ended.

    Raises:
        QueryTimeoutError: no answer came; names the endpoint.
        QueryError: the launcher refused the key or the question, or its answer cannot be read;
            says why.
    """
    question = StatusQuestion(number=1)
    return ask(endpoint, question, StatusAnswer, timeout, keys=keys, context=context).status


def ask(
    endpoint: str,
    question: Message,
    kind: type[AnswerT],
    timeout: float = 5.0,
    *,
    keys: ClientKeys | None = None,
    context: zmq.Context[Any] | None = None,
) -> AnswerT:
    """Give the answer to a question, asked once.

    Args:
        endpoint: of the launcher's query socket.
        question: one whose answer is one frame.
        kind: what answers it.
        timeout: how long to wait, in seconds.
        keys: of `Endpoints.keys`.
        context: the ZeroMQ context to use; without one, one is made and ended.

    Raises:
        QueryTimeoutError: no answer came; names the endpoint.
        QueryError: the launcher refused the key or the question, or its answer cannot be read;
            says why.
    """
    watch = LinkWatch(endpoint, keys)
    deadline = time.monotonic() + timeout
    with (
        _context(context) as own,
        question_socket(own, endpoint, keys=keys, watch=watch) as socket,
        closing(watch),
    ):
        try:
            if not watch.wait(zmq.POLLOUT, deadline):
                raise _timed_out(endpoint, timeout)
            socket.send(encode(question))
            if not watch.wait(zmq.POLLIN, deadline):
                raise _timed_out(endpoint, timeout)
        except NoLinkError as error:
            raise QueryError(str(error)) from error
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
