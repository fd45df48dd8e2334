"""The driver's side of muxsaga: the real observer client, and the hosts' real control sockets."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import zmq

from bench import held_sagas, history_check
from bench.places import HostPlace
from bench.promote_ledger import Completion, Key, Start, Taken, VoidRunError
from bench.scene import PromoteEvents
from bench.trigger_sockets import trigger_sockets
from bench.waiting import FINE_SECONDS, wait_finely, waiting_frames
from transport.codec import Codec, decode, encode, family
from transport.endpoints import Endpoints
from transport.event_stream import Batch, CaughtUp, Item
from transport.message_types import CORE, USER_ANSWERS
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
from transport.zeromq.observer import Observer

_ANSWERS = family(USER_ANSWERS)

_PASSED_OVER = frozenset((PoolWindowRemoved, WindowOpened, PoolWindowAdded))
"""Half of a promote's events, of which nothing is to be learned here. They are asked of first: a
`case` that does not match takes ten times as long."""

Promote = tuple[str, int, int]
"""A promote's id, the index of the host that made it, and the version of its trigger."""


class MuxsagaScene:
    """Implements `Scene`. A promote's key is its promote id.

    Args:
        hosts: their places, in the order of their indices.
        pool_target: how many ready windows each has before promotes may begin.
        in_flight: how many other sagas are open by then.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        endpoints: Endpoints,
        *,
        hosts: Sequence[HostPlace],
        pool_target: int,
        in_flight: int = 0,
    ) -> None:
        codec = Codec(CORE.extended(held_sagas.MESSAGES))
        self._observer = Observer(endpoints, codec=codec, context=context)
        self._controls = trigger_sockets(context, hosts)
        self._index = {place.host: index for index, place in enumerate(hosts)}
        self._pool_target = pool_target
        self._in_flight = in_flight
        self._mirror = Mirror()
        self._filling: set[int] = set()
        self._held = self._steps_held = 0
        self._batches: list[Batch] = []
        self._by_version: dict[int, Promote] = {}
        self._by_saga: dict[int, Promote] = {}
        self._events_of: dict[Key, PromoteEvents] = {}

    # --- before the first promote -------------------------------------------------------------

    def is_ready(self, wait_seconds: float) -> bool:
        """Say whether every pool is full, and nothing is under way but what is to stay open."""
        for event in self._events(wait_seconds):
            match event:
                case SagaStarted(name=held_sagas.HeldSaga.name):
                    self._held += 1
                case held_sagas.StepHeld():
                    self._steps_held += 1
                case SagaStarted(saga_id=int(saga_id)):
                    self._filling.add(saga_id)
                case SagaCompleted(saga_id=int(saga_id)):
                    self._filling.discard(saga_id)
                case SagaFailed(saga_id=saga_id, reason=reason):
                    msg = f"saga {saga_id} failed: {reason}"
                    raise VoidRunError(msg)
                case _:
                    self._mirror.apply(event)
        hosts = [self._mirror.hosts.get(host) for host in self._index]
        full = all(host is not None and len(host.pool) >= self._pool_target for host in hosts)
        held = self._held == self._steps_held == self._in_flight
        return full and held and not self._filling

    # --- promotes -----------------------------------------------------------------------------

    def promote(self, start: Start) -> None:
        """Send the trigger."""
        self._controls[start.host].send(encode(PromoteWindow(number=start.number)), zmq.NOBLOCK)

    def answers(self) -> list[Taken]:
        """Read the answers."""
        return [_taken(frame) for control in self._controls for frame in waiting_frames(control)]

    def completions(self, wait_seconds: float) -> list[Completion]:
        """Read the events: from a promote to its saga, from the saga to its end."""
        completions = []
        for event in self._events(wait_seconds):
            if type(event) in _PASSED_OVER:
                continue
            match event:
                case PoolWindowPromoted(version=version, promote_id=promote_id, origin=origin):
                    host = self._index[origin.host] if origin is not None else -1
                    self._by_version[version] = (promote_id, host, version)
                case SagaStarted(saga_id=int(saga_id), cause=int(cause)):
                    self._by_saga[saga_id] = self._by_version.pop(cause)
                case SagaCompleted(saga_id=int(saga_id), version=version):
                    promote_id, host, trigger = self._by_saga.pop(saga_id)
                    self._events_of[promote_id] = PromoteEvents(saga_id, trigger, version)
                    completions.append(Completion(promote_id, host, time.monotonic_ns()))
                case SagaFailed(saga_id=saga_id, reason=reason):
                    msg = f"saga {saga_id} failed: {reason}"
                    raise VoidRunError(msg)
                case _:
                    msg = f"an event that no promote brings: {event}"
                    raise VoidRunError(msg)
        return completions

    def violations(self) -> list[str]:
        """Judge everything that was observed, from the log's first event on."""
        return history_check.violations(self._batches, self._in_flight)

    def events_of(self, key: Key) -> PromoteEvents | None:
        """Give which events a promote brought."""
        return self._events_of.get(key)

    def close(self) -> None:
        """Close the sockets."""
        self._observer.close()
        for each in self._controls:
            each.close(linger=0)

    def _events(self, wait_seconds: float) -> Iterator[Recorded]:
        for item in self._items(wait_seconds):
            if isinstance(item, Batch):
                self._batches.append(item)
                yield from item.events
            elif not isinstance(item, CaughtUp):
                msg = f"the observer lost its history: {type(item).__name__}"
                raise VoidRunError(msg)

    def _items(self, wait_seconds: float) -> list[Item]:
        if wait_seconds >= FINE_SECONDS:
            return self._observer.poll(wait_seconds - FINE_SECONDS / 2)
        wait_finely(self._observer.sockets, wait_seconds)
        return self._observer.poll(0)


def _taken(frame: bytes) -> Taken:
    answer = decode(frame, _ANSWERS)
    if not isinstance(answer, ActionDone):
        msg = f"a promote was not done: {answer}"
        raise VoidRunError(msg)
    key = answer.promote_id or answer.label
    return Taken(answer.number, key, answer.at_ns, cold=answer.cold)
