"""The driver's side of muxsaga: the real observer client, and the hosts' real control sockets."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import zmq

from bench.closed_loop import Completion, Taken, VoidRunError
from bench.waiting import waiting
from transport.codec import decode, encode, family
from transport.endpoints import Endpoints
from transport.event_stream import Batch, CaughtUp
from transport.message_types import USER_ANSWERS
from transport.messages import (
    ActionDone,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    PromoteWindow,
    Recorded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowOpened,
)
from transport.mirror import Mirror
from transport.zeromq import sockets
from transport.zeromq.observer import Observer

_ANSWERS = family(USER_ANSWERS)

Promote = tuple[str, int]
"""A promote's id, and the index of the host that made it."""


class MuxsagaScene:
    """Implements `Scene`. A promote's key is its promote id.

    Args:
        hosts: their ids, in the order of their indices.
        controls: their control sockets, likewise.
        pool_target: how many ready windows each has before promotes may begin.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        *,
        hosts: Sequence[str],
        controls: Sequence[str],
        pool_target: int,
    ) -> None:
        self._observer = Observer(endpoints, context=context)
        self._controls = [sockets.dealer(context, control) for control in controls]
        self._index = {host: index for index, host in enumerate(hosts)}
        self._pool_target = pool_target
        self._mirror = Mirror()
        self._filling: set[int] = set()
        self._number = 0
        self._by_version: dict[int, Promote] = {}
        self._by_saga: dict[int, Promote] = {}

    # --- before the first promote -------------------------------------------------------------

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether every pool is full, and nothing is under way."""
        for event in self._events(wait_seconds):
            if not isinstance(event, SagaStarted | SagaCompleted):
                self._mirror.apply(event)
            elif isinstance(event, SagaStarted):
                self._filling.add(event.saga_id or 0)
            else:
                self._filling.discard(event.saga_id or 0)
        hosts = [self._mirror.hosts.get(host) for host in self._index]
        full = all(host is not None and len(host.pool) >= self._pool_target for host in hosts)
        return full and not self._filling

    # --- promotes -----------------------------------------------------------------------------

    def promote(self, host: int) -> None:
        """Send the trigger."""
        self._number += 1
        self._controls[host].send(encode(PromoteWindow(number=self._number)), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        return [_taken(frame) for control in self._controls for (frame,) in waiting(control)]

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the events: from a promote to its saga, from the saga to its end."""
        completions = []
        for event in self._events(wait_seconds):
            match event:
                case PoolWindowPromoted(version=version, promote_id=promote_id, origin=origin):
                    host = self._index[origin.host] if origin is not None else -1
                    self._by_version[version] = (promote_id, host)
                case SagaStarted(saga_id=int(saga_id), cause=int(cause)):
                    self._by_saga[saga_id] = self._by_version.pop(cause)
                case SagaCompleted(saga_id=int(saga_id)):
                    promote_id, host = self._by_saga.pop(saga_id)
                    completions.append(Completion(promote_id, host, time.monotonic_ns()))
                case PoolWindowRemoved() | WindowOpened() | PoolWindowAdded():
                    pass
                case SagaFailed(saga_id=saga_id, reason=reason):
                    msg = f"saga {saga_id} failed: {reason}"
                    raise VoidRunError(msg)
                case _:
                    msg = f"an event that no promote brings: {event}"
                    raise VoidRunError(msg)
        return completions

    def close(self) -> None:
        """Close the sockets."""
        self._observer.close()
        for each in self._controls:
            each.close(linger=0)

    def _events(self, wait_seconds: float) -> Iterator[Recorded]:
        for item in self._observer.poll(wait_seconds):
            if isinstance(item, Batch):
                yield from item.events
            elif not isinstance(item, CaughtUp):
                msg = f"the observer lost its history: {type(item).__name__}"
                raise VoidRunError(msg)


def _taken(frame: bytes) -> Taken:
    answer = decode(frame, _ANSWERS)
    if not isinstance(answer, ActionDone):
        msg = f"a promote was not done: {answer}"
        raise VoidRunError(msg)
    return Taken(answer.promote_id or answer.label, answer.at_ns, cold=answer.cold)
