"""A socket whose connection libzmq has given up gets a new one."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zmq

from transport.fault_proxy import Direction, FaultKind, FaultProxy
from transport.zeromq.link_watch import LinkWatch
from transport.zeromq.sockets import dealer, publisher, router, subscriber

SECONDS = 10.0


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy(generator=Random(1)) as proxy:
        yield proxy


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    with zmq.Context[Any]() as context:
        yield context


def holds_within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            return False
    return True


@pytest.mark.parametrize("kind", ["ipc", "tcp"])
def test_a_dealer_asks_on_after_bytes_that_are_no_zmtp(
    proxy: FaultProxy, context: zmq.Context[Any], tmp_path: Path, kind: str
) -> None:
    target = f"ipc://{tmp_path}/target"
    listen = f"ipc://{tmp_path}/relay" if kind == "ipc" else "tcp://127.0.0.1:0"
    relay = proxy.relay("link", listen=listen, target=target)
    watch = LinkWatch(relay.endpoint, None)
    with (
        router(context, target) as answering,
        dealer(context, relay.endpoint, watch=watch) as asking,
        closing(watch),
    ):

        def is_answered() -> bool:
            watch.look(time.monotonic_ns())
            if asking.poll(0, zmq.POLLOUT):
                asking.send(b"question", zmq.NOBLOCK)
            if answering.poll(50):
                try:
                    answering.send_multipart([answering.recv_multipart()[0], b"answer"])
                except zmq.ZMQError as error:
                    # It was asked on the connection that the broken framing ended meanwhile.
                    if error.errno != zmq.EHOSTUNREACH:
                        raise
            return bool(asking.poll(50)) and asking.recv() == b"answer"

        assert holds_within(SECONDS, is_answered)
        relay.break_framing(Direction.DOWN)
        assert holds_within(SECONDS, lambda: not is_answered() and bool(relay.counts))
        assert relay.counts == {FaultKind.BREAK_FRAMING: 1}
        assert holds_within(SECONDS, is_answered)
        assert watch.complaint is None


def test_a_subscription_goes_on_after_bytes_that_are_no_zmtp(
    proxy: FaultProxy, context: zmq.Context[Any], tmp_path: Path
) -> None:
    target = f"ipc://{tmp_path}/target"
    relay = proxy.relay("link", listen=f"ipc://{tmp_path}/relay", target=target)
    watch = LinkWatch(relay.endpoint, None)
    with (
        publisher(context, target) as publishing,
        subscriber(context, relay.endpoint, watch=watch) as subscribed,
        closing(watch),
    ):

        def hears() -> bool:
            watch.look(time.monotonic_ns())
            publishing.send(b"news")
            return bool(subscribed.poll(50)) and subscribed.recv() == b"news"

        assert holds_within(SECONDS, hears)
        relay.break_framing(Direction.DOWN)
        assert holds_within(SECONDS, lambda: not hears() and bool(relay.counts))
        assert holds_within(SECONDS, hears)
