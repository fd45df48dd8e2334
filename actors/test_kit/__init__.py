"""For tests of actors: time that a test moves, dispatchers that it steps or shuffles, probes.

clock = VirtualClock()
dispatcher = SteppedDispatcher(clock)
probe = Probe(dispatcher)
probe.ref.tell("hello")
probe.expect("hello")
"""

from actors.test_kit.dispatchers import ShuffledDispatcher, SteppedDispatcher
from actors.test_kit.probe import Probe
from transport.virtual_clock import VirtualClock

__all__ = ["Probe", "ShuffledDispatcher", "SteppedDispatcher", "VirtualClock"]
