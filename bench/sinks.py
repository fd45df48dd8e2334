"""Observers that only receive: what it costs the others that they are there."""

from collections.abc import Callable
from dataclasses import dataclass

import zmq

from bench.waiting import waiting
from transport.endpoints import Endpoints
from transport.process_signals import StopSignals
from transport.zeromq import sockets

SINKS_IN_PROCESS = 16
"""So many share a process at most, each with its own socket."""


@dataclass(frozen=True, slots=True)
class SinksSettings:
    """Where so many sinks subscribe."""

    endpoints: Endpoints
    count: int


def run_sinks(settings: SinksSettings, life_line: int, ready: Callable[[], None]) -> int:
    """Receive until told to stop, and give the exit status.

    Args:
        settings: where, and how many.
        life_line: see `StopSignals`.
        ready: called once, when each of them has received something.
    """
    endpoints = settings.endpoints
    with StopSignals(life_line) as signals, zmq.Context() as context:
        subscribers = [
            sockets.subscriber(context, endpoints.events, keys=endpoints.keys)
            for _ in range(settings.count)
        ]
        poller = zmq.Poller()
        for each in (*subscribers, *signals.filenos()):
            poller.register(each, zmq.POLLIN)
        silent = set(range(settings.count))
        try:
            while not signals.orphaned:
                polled = dict(poller.poll())
                if any(fileno in polled for fileno in signals.filenos()) and signals.look():
                    break
                for number, subscriber in enumerate(subscribers):
                    if subscriber in polled and _drop_waiting(subscriber) and number in silent:
                        silent.discard(number)
                        if not silent:
                            ready()
        finally:
            for each in subscribers:
                each.close(linger=0)
    return 0


def _drop_waiting(socket: sockets.ZmqSocket) -> int:
    return sum(1 for _ in waiting(socket))
