"""A proxy between real ZeroMQ sockets that misbehaves on demand.

A client connects to a relay's endpoint, the relay connects onward to the real one:

    with FaultProxy(generator=Random(7)) as proxy:
        relay = proxy.relay("left link", listen="ipc:///run/p-left", target="ipc:///run/link")
        relay.silence(Direction.DOWN)
        ...
        relay.heal()

Bytes go from `Relay` to a `Connection` for each client, and there through two `Flow`s, one each
way. A flow reads, lets `FrameFaults` spoil and double what it read, holds it within a bound, and
delivers it when `DirectionFaults` says so. A stream never loses its middle: what is held back is
delivered later, or the connection ends.
"""

from transport.fault_proxy.fault_kind import Direction, FaultKind
from transport.fault_proxy.proxy import FaultProxy, FaultProxyClosedError
from transport.fault_proxy.relay import Relay

__all__ = ["Direction", "FaultKind", "FaultProxy", "FaultProxyClosedError", "Relay"]
